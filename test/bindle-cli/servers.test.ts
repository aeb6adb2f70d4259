// `up --bindle` and `push` where the server is none, is silent, or lies: which it is, and what to do.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { BINDLE_VERSION, formatInvoice } from "../../src/registry/mod.ts";
import { sha256, startServer, temporaryFolder } from "../bindle/bindles.ts";
import { CERTIFICATE, KEY } from "../executors/certificate.ts";
import { BindleWorkplace, ID } from "./workplace.ts";

const MANIFEST = "trigger = { type = 'http', base = '/' }\n";
const INVOICE = formatInvoice({
  bindleVersion: BINDLE_VERSION,
  bindle: { name: "example.com/printer", version: "1.2.3" },
  parcel: [
    {
      label: {
        sha256: sha256(MANIFEST),
        mediaType: "application/vnd.fermyon.spin+toml",
        name: "spin.toml",
        size: MANIFEST.length,
      },
    },
  ],
});

/** Answers a request for a parcel with these bytes. */
function lying(parcel: string): RequestListener {
  return (request, response) => {
    const isParcel = request.url?.includes("@") ?? false;
    response.setHeader("content-type", isParcel ? "application/octet-stream" : "application/toml");
    response.end(isParcel ? parcel : INVOICE);
  };
}

const servers: readonly { readonly what: string; readonly answer: RequestListener; readonly says: RegExp }[] =
  [
    {
      what: "sends a page",
      answer: (_, response) => response.setHeader("content-type", "text/html").end("<p>Welcome"),
      says: /HTML page.*\[BINDLE_SERVER_ANSWER\]\n {2}hint: .*"\/v1\/"/,
    },
    {
      what: "redirects in a circle",
      answer: (_, response) => response.writeHead(302, { location: "/v1/again" }).end(),
      says: /redirect.*\[BINDLE_SERVER_(ANSWER|UNREACHABLE)\]/,
    },
    {
      what: "closes the connection in the middle",
      answer: (_, response) =>
        response
          .writeHead(200, { "content-type": "application/toml", "content-length": "99" })
          .write("bindle", () => response.destroy()),
      says: /it closed the connection in the middle \[BINDLE_SERVER_UNREACHABLE\]\n {2}hint: /,
    },
    {
      what: "wants another user",
      answer: (_, response) => response.writeHead(401).end(),
      says: /\[BINDLE_UNAUTHORIZED\]\n {2}hint: Give `--username`/,
    },
    {
      what: "has no such bindle",
      answer: (_, response) =>
        response.writeHead(404, { "content-type": "application/toml" }).end('error = "resource not found"'),
      says: /\[BINDLE_NOT_FOUND\]\n {2}hint: .*spindle bindle search/,
    },
    {
      what: "sends an invoice that is none",
      answer: (_, response) => response.setHeader("content-type", "application/toml").end('x = "y"'),
      says: /\[BINDLE_(SERVER_ANSWER|INVOICE_INVALID)\]/,
    },
    {
      what: "sends a parcel of another size",
      answer: lying("too short"),
      says: /"spin\.toml".*\[BINDLE_PARCEL_MISMATCH\]/,
    },
    {
      what: "sends a parcel of another content",
      answer: lying("#".repeat(MANIFEST.length)),
      says: /has the digest.*\[BINDLE_PARCEL_MISMATCH\]/,
    },
  ];

for (const { what, answer, says } of servers) {
  test(`up --bindle says that a server ${what}, and keeps nothing of it`, async () => {
    using place = new BindleWorkplace();
    await using server = await listen(createServer(answer));
    const ran = await place.run(["up", "-b", ID, "--server", server.url]);
    assert.match(ran.stderr, says);
    assert.equal(ran.code, 1);
    assert.deepEqual(place.parcels, []);
    assert.deepEqual(place.leftovers, []);
  });
}

test("up --bindle can be interrupted while it waits for a server that hangs", async () => {
  using place = new BindleWorkplace();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  await using server = await listen(createServer(() => resolve()));
  await using spindle = place.start(["up", "-b", ID, "--server", server.url]);
  await asked;
  spindle.kill("SIGINT");
  assert.equal((await spindle.ended()).code, 130);
  assert.deepEqual(place.leftovers, []);
});

test("bindle push that is interrupted ends with 130, and the next one sends the rest", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  let uploads = 0;
  let answered = 0;
  await using gate = await listen(
    createServer((request, response) => {
      const isUpload = request.url?.includes("@") ?? false;
      if (isUpload && ++uploads > 2) return;
      const { method = "GET", headers } = request;
      const onward = httpRequest(new URL(request.url ?? "", server.url), { method, headers }, (answer) => {
        answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers));
        response.on("finish", () => isUpload && ++answered === 2 && hold());
      });
      request.pipe(onward);
    }),
  );
  {
    await using spindle = place.start(["bindle", "push", "--server", gate.url]);
    await held;
    spindle.kill("SIGINT");
    const { code, stdout } = await spindle.ended();
    assert.deepEqual([code, stdout], [130, ""]);
  }
  const again = await place.run(["bindle", "push", "--server", server.url]);
  assert.match(again.stderr, /^Sent what an earlier push had left: 4 parcels/m);
  assert.deepEqual(place.leftovers, []);
});

test("a server whose certificate nobody has signed is reached with --ca, or --insecure", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path, { tls: { certificate: CERTIFICATE, key: KEY } });
  place.write("ca.pem", CERTIFICATE);
  const environment = { BINDLE_URL: server.url.replace("127.0.0.1", "localhost") };
  const push = (...flags: readonly string[]) => place.run(["bindle", "push", ...flags], environment);
  const doubtful = await push();
  assert.equal(doubtful.code, 1);
  assert.match(doubtful.stderr, /its certificate is not trusted: .*\n {2}hint: .*`--ca`/);
  for (const flags of [["--ca", "ca.pem"], ["--insecure"], ["-k"]]) {
    assert.equal((await push(...flags)).code, 0, flags.join(" "));
  }
  for (const wrong of ["none.pem", "spin.toml"]) {
    const { code, stderr } = await push("--ca", wrong);
    assert.equal(code, 1);
    assert.match(stderr, /\[TLS_FILES_UNUSABLE\]\n {2}hint: .*`--ca`/, wrong);
  }
  await using spindle = await place.up(["-b", ID, "--server", environment.BINDLE_URL, "--ca", "ca.pem"]);
  assert.equal((await spindle.fetch("/spin/")).status, 200);
});

interface Listening extends AsyncDisposable {
  readonly url: string;
}

async function listen(server: Server): Promise<Listening> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  // A server that listens on a TCP port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
