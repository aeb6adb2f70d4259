// The harness for tests, on the example that everybody starts with.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startApplication } from "./mod.ts";

const HELLO = join(import.meta.dirname, "..", "..", "examples", "hello");

test("startApplication() serves an application on a port of its own until it is disposed", async () => {
  let url: string;
  {
    await using app = await startApplication({ from: HELLO, environment: { GREETING: "Grüezi" } });
    url = app.url;
    const response = await app.fetch("/");
    assert.equal(response.status, 200);
    assert.match(await response.text(), /^Grüezi/);
    assert.equal(app.output("hello").stdout, "");
    assert.deepEqual(app.log, []);
  }
  await assert.rejects(fetch(url));
});

test("startApplication() throws what `spindle up` would print", async () => {
  await assert.rejects(startApplication({ from: join(HELLO, "nowhere") }), { code: "APPLICATION_NOT_FOUND" });
});
