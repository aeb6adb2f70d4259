// Components that speak fermyon:spin/inbound-http, and the interfaces of their time.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { startApplication, type TestApplication } from "../../src/testing/mod.ts";
import { readAll, serve } from "./servers.ts";

const MANIFEST = `spin_manifest_version = 2
[application]
name = "inbound-http"

[variables]
greeting = { default = "hello" }

[[trigger.http]]
route = "/..."
component = "api"

[component.api]
source = ${JSON.stringify(resolve(import.meta.dirname, "../../guests/c/inbound-http.wasm"))}
allowed_outbound_hosts = ["http://127.0.0.1:*"]
variables = { text = "{{ greeting }} é🦀" }
`;

let folder: string;
let app: TestApplication;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "spindle-inbound-http-"));
  writeFileSync(join(folder, "spin.toml"), MANIFEST);
  app = await startApplication({ from: folder });
});

after(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

test("A handler gets method, path and query, headers and those of Spin, and the body as texts", async () => {
  const headers = { "x-custom": Buffer.from("é").toString("latin1") };
  const response = await app.fetch("/show?a=b", { method: "PATCH", headers, body: "body 🦀" });
  assert.equal(response.status, 200);
  assert.equal(Buffer.from(response.headers.get("x-guest") ?? "", "latin1").toString(), "é");
  const lines = (await response.text()).split("\n");
  assert.equal(lines[0], "patch /show?a=b");
  assert.ok(lines.includes("x-custom: é"));
  assert.ok(lines.includes(`host: ${new URL(app.url).host}`));
  assert.ok(lines.includes("spin-path-info: /show"));
  assert.equal(lines.at(-1), "body 🦀");
});

test("A method that the interface has no name for is answered with 405", async () => {
  assert.equal((await app.fetch("/show", { method: "PROPFIND" })).status, 405);
});

const VARIABLES = [
  { path: "/variable/text", status: 200, body: "hello é🦀" },
  { path: "/variable/greeting", status: 500, body: 'no variable for "api"."greeting"' },
  { path: "/config/text", status: 200, body: "hello é🦀" },
  { path: "/config/other", status: 500, body: 'no variable for "api"."other"' },
  { path: "/store/text", status: 200, body: "hello é🦀" },
  { path: "/store/other", status: 404, body: "" },
  { path: "/store/no-name", status: 404, body: "" },
];
for (const { path, status, body } of VARIABLES) {
  test(`${path} is answered with ${status}: a component sees its own variables`, async () => {
    const response = await app.fetch(path);
    assert.equal(await response.text(), body);
    assert.equal(response.status, status);
  });
}

test("A guest sends a request by fermyon:spin/http, and gets the whole answer", async () => {
  await using server = await serve(async (request, response) => {
    response.writeHead(203).end(`${request.method} ${await readAll(request)}`);
  });
  const headers = { "x-target": `${server.origin}/` };
  const response = await app.fetch("/send", { method: "PUT", headers, body: "body" });
  assert.equal(response.status, 203);
  assert.equal(await response.text(), "PUT body");
});

const ERRORS = [
  { target: "http://example.com/", code: 1 },
  { target: "no URL", code: 2 },
  { target: "http://127.0.0.1:1/", code: 4 },
];
for (const { target, code } of ERRORS) {
  test(`A request to ${target} fails with error ${code}`, async () => {
    const response = await app.fetch("/send", { headers: { "x-target": target } });
    assert.equal(await response.text(), `error ${code}`);
  });
}
