// A trigger that is written outside of src/, with public entry points only.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runTimers } from "../examples/timer-trigger/main.ts";

const EXAMPLE = join(import.meta.dirname, "../examples/timer-trigger");

test("A trigger of one's own fires its component, with a host function and data of its own, in a fresh state", async () => {
  let printed = "";
  await runTimers({
    from: EXAMPLE,
    print: (bytes) => {
      printed += Buffer.from(bytes);
    },
    signal: AbortSignal.timeout(30_000),
  });
  const line = (tick: number) => `tick ${tick} of the kitchen clock, call 1 of this instance\n`;
  assert.equal(printed, line(1) + line(2) + line(3));
});

test("A trigger of one's own ends when its signal does", async () => {
  const interrupted = new AbortController();
  const running = runTimers({ from: EXAMPLE, print: () => interrupted.abort(), signal: interrupted.signal });
  await assert.rejects(running, { name: "AbortError" });
});
