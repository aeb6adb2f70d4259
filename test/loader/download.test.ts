// Sources by URL, from servers of every temper. Each test has a server of its own on a free port.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { test } from "node:test";

import type { LoadOptions } from "../../src/loader/mod.ts";
import {
  MODULE,
  manifestOf,
  type TemporaryApplication,
  temporaryApplication,
} from "../../src/loader/temporary-application.ts";

const DIGEST = `sha256:${createHash("sha256").update(MODULE).digest("hex")}`;
/** Soon enough for a test; silence is never so long by accident. */
const PATIENCE = { attempts: 3, backOffMs: 1, silenceMs: 2000 };

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

interface Scene extends AsyncDisposable {
  readonly app: TemporaryApplication;
  readonly requests: string[];
  /** What is in the cache of downloads. */
  cached(): readonly string[];
  load(options?: Partial<LoadOptions>): Promise<string>;
  loadWrong(options?: Partial<LoadOptions>): Promise<string>;
}

/** An application whose source is `/app.wasm` of a server that answers with `handler`. */
async function scene(handler: Handler, digest: string = DIGEST): Promise<Scene> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(request.url ?? "");
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  const source = `source = { url = "http://127.0.0.1:${port}/app.wasm", digest = "${digest}" }`;
  const app = temporaryApplication({ "spin.toml": manifestOf(source) });
  const cache = path.join(app.path, "../cache/registry/wasm");
  return {
    app,
    requests,
    cached: () => (existsSync(cache) ? readdirSync(cache) : []),
    load: async (options) => {
      const { application } = await app.load({ patience: PATIENCE, ...options });
      const source = application.components[0]?.source;
      assert.equal(source?.digest, DIGEST);
      return source.path;
    },
    loadWrong: async (options) => (await app.loadWrong({ patience: PATIENCE, ...options })).join("\n"),
    [Symbol.asyncDispose]: async () => {
      app[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const FILE_NAME = DIGEST.replace(":", "-");
const send: Handler = (_, response) => void response.end(MODULE);

test("loadApplication() downloads a source once, and takes it from the cache afterwards", async () => {
  await using downloads = await scene(send);
  const file = await downloads.load();
  assert.deepEqual(readFileSync(file), MODULE);
  assert.equal(await downloads.load(), file);
  assert.deepEqual(downloads.cached(), [FILE_NAME]);
  assert.equal(downloads.requests.length, 1);
});

test("loadApplication() replaces a file of the cache that has been damaged", async () => {
  await using downloads = await scene(send);
  const file = await downloads.load();
  writeFileSync(file, "damaged");
  assert.deepEqual(readFileSync(await downloads.load()), MODULE);
  assert.equal(downloads.requests.length, 2);
});

test("loadApplication() follows redirects, relative ones too", async () => {
  await using downloads = await scene(({ url }, response) => {
    if (url === "/app.wasm") response.writeHead(302, { location: "/moved/app.wasm" }).end();
    else if (url === "/moved/app.wasm") response.writeHead(307, { location: "again?x=1" }).end("ignored");
    else response.end(MODULE);
  });
  await downloads.load();
  assert.deepEqual(downloads.requests, ["/app.wasm", "/moved/app.wasm", "/moved/again?x=1"]);
});

test("loadApplication() gives up on a loop of redirects", async () => {
  await using downloads = await scene(
    (_, response) => void response.writeHead(302, { location: "/app.wasm" }).end(),
  );
  assert.match(await downloads.loadWrong(), /^COMPONENT_SOURCE_DOWNLOAD: .*redirected more than 10 times/);
  assert.equal(downloads.requests.length, 11);
});

test("loadApplication() does not follow a redirect away from HTTP", async () => {
  await using downloads = await scene(
    (_, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  );
  assert.match(await downloads.loadWrong(), /^COMPONENT_SOURCE_DOWNLOAD: .*not an HTTP URL/);
});

test("loadApplication() keeps nothing of a file with another digest, and does not ask again", async () => {
  await using downloads = await scene((_, response) => void response.end("something else"));
  const wrong = await downloads.loadWrong();
  assert.match(
    wrong,
    new RegExp(`^COMPONENT_SOURCE_DIGEST: .*its digest is sha256:[0-9a-f]{64}, expected ${DIGEST}`),
  );
  assert.deepEqual(downloads.cached(), []);
  assert.equal(downloads.requests.length, 1);
});

test("loadApplication() says so if a server sends a page instead of the file", async () => {
  await using downloads = await scene((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<!doctype html><p>Sign in");
  });
  await assert.rejects(downloads.app.load({ patience: PATIENCE }), (error) => {
    const text = JSON.stringify(error);
    return text.includes("COMPONENT_SOURCE_DIGEST") && text.includes("HTML page");
  });
});

test("loadApplication() does not ask again after 404", async () => {
  await using downloads = await scene((_, response) => void response.writeHead(404).end("not here"));
  assert.match(await downloads.loadWrong(), /^COMPONENT_SOURCE_DOWNLOAD: .*answered 404 Not Found/);
  assert.equal(downloads.requests.length, 1);
});

for (const status of [408, 429, 500, 503]) {
  test(`loadApplication() asks again after ${status}, as often as it may`, async () => {
    let failures = 2;
    const failing: Handler = (_, response) => void response.writeHead(status, { "retry-after": "0" }).end();
    await using downloads = await scene((request, response) =>
      (failures-- > 0 ? failing : send)(request, response),
    );
    await downloads.load();
    assert.equal(downloads.requests.length, 3);

    await using hopeless = await scene(failing);
    assert.match(await hopeless.loadWrong(), new RegExp(`answered ${status}`));
    assert.equal(hopeless.requests.length, 3);
  });
}

test("loadApplication() asks again if the file breaks off, and keeps nothing of it", async () => {
  const breaking: Handler = (_, response) => {
    response.writeHead(200, { "content-length": MODULE.length });
    response.write(MODULE.subarray(0, 4), () => response.destroy());
  };
  let breaks = 1;
  await using downloads = await scene((request, response) =>
    (breaks-- > 0 ? breaking : send)(request, response),
  );
  await downloads.load();
  assert.equal(downloads.requests.length, 2);

  await using hopeless = await scene(breaking);
  assert.match(await hopeless.loadWrong(), /^COMPONENT_SOURCE_DOWNLOAD: /);
  assert.deepEqual(hopeless.cached(), []);
  assert.equal(hopeless.requests.length, 3);
});

const silences: readonly { readonly when: string; readonly handler: Handler }[] = [
  { when: "before the head", handler: () => {} },
  { when: "after the head", handler: (_, response) => void response.writeHead(200).flushHeaders() },
  { when: "in the middle", handler: (_, response) => void response.write(MODULE.subarray(0, 4)) },
];

for (const { when, handler } of silences) {
  test(`loadApplication() gives up on a server that falls silent ${when}`, async () => {
    await using downloads = await scene(handler);
    const wrong = await downloads.loadWrong({ patience: { ...PATIENCE, attempts: 2, silenceMs: 50 } });
    assert.match(wrong, /^COMPONENT_SOURCE_DOWNLOAD: .*takes too long/);
    assert.deepEqual(downloads.cached(), []);
    assert.equal(downloads.requests.length, 2);
  });
}

test("loadApplication() gives up on a server that never ends", async () => {
  await using downloads = await scene((_, response) => {
    const timer = setInterval(() => response.write("x"), 5);
    response.on("close", () => clearInterval(timer));
  });
  const wrong = await downloads.loadWrong({ patience: { ...PATIENCE, attempts: 1, attemptMs: 100 } });
  assert.match(wrong, /^COMPONENT_SOURCE_DOWNLOAD: .*takes too long/);
});

test("loadApplication() does not begin to read a file that is too large", async () => {
  await using downloads = await scene((_, response) => {
    response.writeHead(200, { "content-length": 512 * 2 ** 20 + 1 }).flushHeaders();
  });
  assert.match(await downloads.loadWrong(), /^COMPONENT_SOURCE_TOO_LARGE: .*larger than 512 MiB/);
  assert.equal(downloads.requests.length, 1);
});

test("loadApplication() says what became of a connection", async () => {
  await using downloads = await scene(send);
  const manifest = path.join(downloads.app.path, "spin.toml");
  // Port 9 of this machine: nobody listens there.
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/127\.0\.0\.1:\d+/, "127.0.0.1:9"));
  assert.match(await downloads.loadWrong(), /^COMPONENT_SOURCE_DOWNLOAD: .*(ECONNREFUSED|bad port)/);
});

for (const url of ["ftp://example.com/x", "not a url", "http://user:secret@127.0.0.1/x"]) {
  test(`loadApplication() does not download from ${url}`, async () => {
    const source = `source = { url = "${url}", digest = "${DIGEST}" }`;
    using app = temporaryApplication({ "spin.toml": manifestOf(source) });
    assert.match((await app.loadWrong()).join(), /^COMPONENT_SOURCE_DOWNLOAD: /);
  });
}

test("loadApplication() leaves nothing behind when it is cancelled in the middle of a download", async () => {
  const cancel = new AbortController();
  await using downloads = await scene((_, response) => {
    response.write(MODULE.subarray(0, 4), () => setImmediate(() => cancel.abort(new Error("enough"))));
  });
  await assert.rejects(downloads.load({ signal: cancel.signal }), /enough/);
  assert.deepEqual(downloads.cached(), []);
});

test("loadApplication() downloads a source that two components share so that both have it", async () => {
  await using downloads = await scene(send);
  const manifest = path.join(downloads.app.path, "spin.toml");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, `${text}[component.other]\n${/^source.*$/m.exec(text)?.[0]}\n`);
  await downloads.load();
  assert.deepEqual(downloads.cached(), [FILE_NAME]);
});

test("loadApplication() tells when a load takes long", async () => {
  let answer = () => {};
  await using downloads = await scene((_, response) => {
    answer = () => void response.end(MODULE);
  });
  const notes: string[] = [];
  // The server only answers once the note has come.
  await downloads.load({
    progress: (note) => {
      notes.push(note);
      answer();
    },
  });
  assert.deepEqual(notes, ["Loading Wasm components is taking a few seconds..."]);
});
