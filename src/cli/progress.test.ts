// The line that says what takes so long.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { withProgress } from "./progress.ts";

/** What is written while work takes `durationMs`, in the time of the test. */
async function written(context: TestContext, isTTY: boolean, durationMs: number): Promise<string> {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const { promise, resolve } = Promise.withResolvers<void>();
  const parts: string[] = [];
  const terminal = { isTTY, write: (part: string) => void parts.push(part) };
  const work = withProgress(terminal, "Loading", promise);
  context.mock.timers.tick(durationMs);
  resolve();
  await work;
  return parts.join("");
}

for (const isTTY of [true, false]) {
  test(`withProgress() says nothing of quick work ${isTTY ? "on" : "without"} a terminal`, async (context) => {
    assert.equal(await written(context, isTTY, 1249), "");
  });
}

test("withProgress() says once that work is slow where nobody watches", async (context) => {
  assert.equal(await written(context, false, 60_000), "Loading is taking a few seconds...\n");
});

test("withProgress() leaves nothing of its moving line on a terminal", async (context) => {
  const text = await written(context, true, 60_000);
  assert.match(text, /Loading \(\d+ s\)/);
  assert.ok(text.endsWith("\r\x1b[2K"));
});

test("withProgress() throws what work throws, its line erased", async () => {
  await assert.rejects(withProgress({ write() {} }, "Loading", Promise.reject(new Error("lost"))), /lost/);
});
