// Beginning to listen: taken ports, wrong addresses, certificates, and what is printed when ready.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, SpindleError } from "../../src/errors/mod.ts";
import type { HttpTriggerOptions } from "../../src/trigger/mod.ts";
import { CERTIFICATE, KEY } from "../executors/certificate.ts";
import { get, RawClient, statusOf } from "./raw-client.ts";
import { constant, createApplication, executor, serve, serveRoutes, text } from "./serve.ts";

const HOST = "127.0.0.1";

function start(options: Partial<HttpTriggerOptions>) {
  return serveRoutes({ "/": constant("ok") }, options);
}

async function failsWith(code: ErrorCode, started: Promise<unknown>): Promise<SpindleError> {
  const error = await started.then(
    () => assert.fail("it started"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof SpindleError);
  assert.equal(error.code, code);
  return error;
}

test("HttpTrigger.start() says that a port is in use, and how to find another", async () => {
  await using first = await start({});
  const { port } = first.address;
  const error = await failsWith("PORT_IN_USE", start({ listen: { host: HOST, port } }));
  assert.equal(error.message, `Cannot listen on 127.0.0.1:${port}: it is already in use`);
  assert.match(error.diagnostics[0]?.hint ?? "", /--find-free-port/);
});

test("HttpTrigger.start() takes one of the next ports with findFreePort", async () => {
  await using first = await start({});
  const { port } = first.address;
  await using second = await start({ listen: { host: HOST, port }, findFreePort: true });
  const distance = second.address.port - port;
  assert.ok(distance > 0 && distance < 10, String(distance));
  assert.equal(second.trigger.url, `http://127.0.0.1:${second.address.port}`);
  assert.equal(statusOf(await get(second.address, "/")), 200);
});

test("HttpTrigger.start() gives up when no port of the range is free", async () => {
  const blocker = net.createServer();
  // Should somebody else have this port, it is taken all the same.
  blocker.on("error", () => undefined).listen(65535, HOST);
  await Promise.race([once(blocker, "listening"), once(blocker, "error").catch(() => undefined)]);
  const started = start({ listen: { host: HOST, port: 65535 }, findFreePort: true });
  const error = await failsWith("PORTS_ALL_IN_USE", started);
  assert.equal(error.message, "Cannot find a free port: those from 65535 to 65535 are in use");
  blocker.close();
});

test("HttpTrigger.start() says what is wrong with an address that is not ours", async () => {
  const error = await failsWith("LISTEN_FAILED", start({ listen: { host: "192.0.2.1", port: 0 } }));
  assert.equal(error.message, "Cannot listen on 192.0.2.1:0: this machine has no such address");
});

test("HttpTrigger.start() refuses triggers that it cannot understand", async () => {
  const tables = [
    { id: "t", componentId: "c" },
    { id: "t", componentId: "c", route: 7 },
    { id: "t", componentId: "c", route: { private: false } },
    { id: "t", route: "/" },
    { id: "t", componentId: "c", route: "/", static_response: {} },
  ];
  for (const table of tables) {
    const started = serve(createApplication([table]), { executors: new Map([["t", constant("")]]) });
    await failsWith("HTTP_TRIGGER_INVALID", started);
  }
});

test("HttpTrigger.start() warns of routes that are never used", async () => {
  const application = createApplication([
    { id: "t1", componentId: "first", route: "/a" },
    { id: "t2", componentId: "second", route: "/a" },
    { id: "t3", componentId: "third", route: "/.well-known/spin/x" },
  ]);
  const executors = new Map(["t1", "t2", "t3"].map((id) => [id, constant(id)]));
  await using served = await serve(application, { executors });
  assert.deepEqual(
    served.log.map(({ severity, message }) => `${severity}: ${message}`),
    [
      'warning: Route "/a" of component "first" is never used: component "second" has it too',
      'warning: Route "/.well-known/spin/x" of component "third" is never used: Spindle answers below /.well-known/spin/',
    ],
  );
});

test("HttpTrigger lets the last trigger of a component say how all its routes are served", async () => {
  const application = createApplication([
    { id: "t1", componentId: "c", route: "/a" },
    { id: "t2", componentId: "c", route: "/b" },
  ]);
  const executors = new Map(["t1", "t2"].map((id) => [id, constant(id)]));
  await using served = await serve(application, { executors });
  for (const path of ["/a", "/b"]) assert.ok((await get(served.address, path)).endsWith("\r\n\r\nt2"));
});

test("HttpTrigger serves HTTPS with a certificate and its key, and refuses what is no pair", async () => {
  const directory = await mkdtemp(join(tmpdir(), "spindle-tls-"));
  try {
    const [certificate, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(certificate, CERTIFICATE);
    await writeFile(key, KEY);
    const tells = executor((request) => text(`${request.scheme} ${request.authority}`));
    await using served = await serveRoutes({ "/": tells }, { tls: { certificate, key } });
    assert.match(served.trigger.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(await getSecurely(served.address), "https localhost");
    using mute = await RawClient.connect(served.address);
    const stopped = served.trigger.stop();
    assert.equal(await mute.rest(), "");
    await stopped;
    await failsWith("TLS_FILES_UNUSABLE", start({ tls: { certificate, key: certificate } }));
    await failsWith("TLS_FILES_UNUSABLE", start({ tls: { certificate, key: join(directory, "none") } }));
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function getSecurely(address: { host: string; port: number }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { ...address, ca: CERTIFICATE, servername: "localhost", headers: { host: "localhost" } };
  https
    .get({ ...options, agent: false }, async (response) => {
      let body = "";
      for await (const piece of response) body += piece;
      resolve(body);
    })
    .on("error", reject);
  return promise;
}
