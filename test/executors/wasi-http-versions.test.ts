// The same guest, built against 0.2 and against the draft of November 2023: bodies, trailers and ends on a socket.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { startApplication, type TestApplication } from "../../src/testing/mod.ts";
import { RawClient } from "../http/raw-client.ts";
import { eventually } from "../http/serve.ts";
import { readAll, serve } from "./servers.ts";

const GUESTS = [
  { version: "0.2.12", file: "wasi-http.wasm" },
  { version: "0.2.0-rc-2023-11-10", file: "wasi-http-draft.wasm" },
];

for (const { version, file } of GUESTS) {
  describe(`A guest of wasi:http ${version}`, () => {
    let folder: string;
    let app: TestApplication;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "spindle-versions-"));
      const source = resolve(import.meta.dirname, "../../guests/c", file);
      writeFileSync(
        join(folder, "spin.toml"),
        `spin_manifest_version = 2
application = { name = "versions" }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = ${JSON.stringify(source)}
allowed_outbound_hosts = ["http://127.0.0.1:*"]
`,
      );
      app = await startApplication({ from: folder });
    });

    after(async () => {
      await app.stop();
      rmSync(folder, { recursive: true });
    });

    async function connect(): Promise<RawClient> {
      const { hostname, port } = new URL(app.url);
      return await RawClient.connect({ host: hostname, port: Number(port) });
    }

    async function text(path: string, init: RequestInit = {}): Promise<string> {
      return await (await app.fetch(path, init)).text();
    }

    test("answers, shows what it was sent, and waits between pieces", async () => {
      assert.equal(await text("/hello"), "Hello from Spindle\n");
      assert.match(
        await text("/headers?a=b", { headers: { "x-one": "1" } }),
        /^\/headers\?a=b\n.*\nx-one: 1\n/s,
      );
      assert.equal(await text("/pieces"), "piece\n".repeat(3));
    });

    for (const path of ["/echo", "/late-echo"]) {
      test(`copies a body at ${path}`, async () => {
        const body = "é🦀".repeat(100_000);
        assert.ok((await text(path, { method: "POST", body })) === body);
      });
    }

    for (const pieces of [1, 2]) {
      test(`gets the trailers of a request in ${pieces} pieces, and answers with them`, async () => {
        using client = await connect();
        client.send("POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        if (pieces === 2) assert.match(await client.until("abc\r\n"), /trailer: x-end\r\n/);
        client.send("0\r\nX-End: some\r\nX-Other: not announced\r\n\r\n");
        assert.match(await client.until("some\r\n\r\n"), /0\r\nx-end: some\r\n\r\n$/);
      });
    }

    test("answers without trailers where the request has none", async () => {
      using client = await connect();
      client.send("POST /trailers HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
      assert.match(await client.until("0\r\n\r\n"), /3\r\nabc\r\n0\r\n\r\n$/);
    });

    test("sends trailers to a server, and gets those of its answer", async () => {
      await using server = await serve(async (request, response) => {
        response.writeHead(200, { trailer: "x-end" });
        response.write(await readAll(request));
        response.addTrailers({ "x-end": `back ${request.trailers["x-start"]}` });
        response.end();
      });
      using client = await connect();
      client.send(
        `POST /proxy/127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n`,
      );
      client.send("\r\n3\r\nabc\r\n0\r\nX-Start: there\r\n\r\n");
      assert.match(await client.until("there\r\n\r\n"), /3\r\nabc\r\n0\r\nx-end: back there\r\n\r\n$/);
    });

    for (const path of ["/held", "/held-late", "/length/3/3/held"]) {
      test(`has answered completely if it returns without an end, as ${path} does`, async () => {
        const body = path.startsWith("/held") ? "Hello from Spindle\n" : "xxx";
        assert.equal(await text(path), body);
        assert.equal(await text("/hello"), "Hello from Spindle\n");
      });
    }

    test("has not answered completely if it returns before the end that it promised", async () => {
      using client = await connect();
      client.send("GET /length/5/3/held HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.match(await client.rest(), /\r\ncontent-length: 5\r\n.*\r\n\r\nxxx$/s);
      await eventually(() =>
        assert.ok(app.log.some(({ message }) => /GET \/length\/5\/3\/held failed/.test(message))),
      );
    });
  });
}
