// A trigger that is written outside of src/, with public entry points only.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
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

for (const [signal, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 0],
] as const) {
  test(`${signal} ends the example between two ticks, without a word and with nothing left behind`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "spindle-test-"));
    try {
      const manifest = await readFile(join(EXAMPLE, "spin.toml"), "utf8");
      await writeFile(
        join(folder, "spin.toml"),
        manifest.replace("interval_ms = 100", "interval_ms = 600000"),
      );
      await copyFile(join(EXAMPLE, "ticker.wasm"), join(folder, "ticker.wasm"));
      const temporary = join(folder, "tmp");
      await mkdir(temporary);

      const child = spawn(process.execPath, [join(EXAMPLE, "main.ts"), folder], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, TMPDIR: temporary },
        timeout: 30_000,
        killSignal: "SIGKILL",
      });
      let errors = "";
      child.stderr.on("data", (chunk) => {
        errors += chunk;
      });
      const closed = once(child, "close");
      while ((await readdir(temporary)).length === 0 && child.exitCode === null) await sleep(20);
      child.kill(signal);
      assert.deepEqual(await closed, [exitCode, null], errors);
      assert.equal(errors, "");
      assert.deepEqual(await readdir(temporary), []);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}
