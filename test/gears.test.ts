// A call that shifts gears is replayed, and nobody can tell: neither by its answer, nor by its log, the
// files that it left, or how often it read a clock.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Gearing } from "../src/engine/mod.ts";
import type { StdoutSink } from "../src/wasi/mod.ts";
import { COMPONENT_ID, CountedSources, guestContext } from "./guest-context.ts";

/** Host calls at which a shift is forced, for guests that make more of them. */
const SHIFTS_MAX = 80;

const COMMANDS = [
  { path: "c/wagi", args: ["/", "a=b"], stdin: "a body", because: "it reads its environment and a body" },
  { path: "rust/wagi", args: [], stdin: "two words two", because: "it lists a directory" },
  { path: "assemblyscript/wagi", args: ["x"], stdin: "12", because: "its runtime is another" },
  { path: "go/wagi", args: [], stdin: "body", because: "it reads clocks and randomness, and sleeps" },
  { path: "c/isolation-wagi", args: [], stdin: "", because: "it soils all that it can reach" },
];

/** All that can be seen of a call from outside of its slot. */
interface Observed {
  readonly answer: string;
  readonly log: string;
  readonly files: Readonly<Record<string, string>>;
  readonly readings: bigint;
}

for (const { path, args, stdin, because } of COMMANDS) {
  test(`${path} shows the same wherever its call shifts: ${because}`, async () => {
    const run = async (gearing: Gearing) =>
      await observer(path, { args, stdin: Buffer.from(stdin), gearing });
    await using second = await run("second");
    await using first = await run("first");
    const expected = await second.observe(-1);
    assert.notEqual(expected.answer, "");
    for (let hostCall = 0; hostCall < SHIFTS_MAX; hostCall++) {
      const replays = first.replays;
      assert.deepEqual(await first.observe(hostCall), expected, `A shift at host call ${hostCall} shows`);
      if (first.replays === replays) return;
    }
  });
}

async function observer(
  path: string,
  call: { readonly args: readonly string[]; readonly stdin: Uint8Array; readonly gearing: Gearing },
) {
  const directory = await mkdtemp(join(tmpdir(), "spindle-test-"));
  const sources = new CountedSources();
  const log = captured();
  let shiftAt = -1;
  let replays = 0;
  const context = await guestContext(path, {
    environment: { REQUEST_METHOD: "POST", PATH_INFO: "/x", QUERY_STRING: "mode=env" },
    mounts: [{ guestPath: "/", hostPath: directory, kind: "live", access: "write" }],
    engine: { gearing: call.gearing, forcesShift: (hostCall) => hostCall === shiftAt },
    sources,
    stderr: { held: false, write: log.sink.write },
    onReplay: () => void replays++,
  });
  return {
    get replays() {
      return replays;
    },
    async observe(hostCall: number): Promise<Observed> {
      shiftAt = hostCall;
      sources.readings = 1_000_000n;
      log.sink.reset();
      await clear(directory);
      const answer = captured();
      {
        using prepared = context.prepare(COMPONENT_ID, undefined, { ...call, stdout: answer.sink });
        const ended = () => undefined;
        await prepared.run({ exportName: "_start", lower: () => [], lift: ended, exited: ended });
      }
      const { readings } = sources;
      return { answer: answer.text(), log: log.text(), files: await filesIn(directory), readings };
    },
    async [Symbol.asyncDispose]() {
      context[Symbol.dispose]();
      await rm(directory, { recursive: true });
    },
  };
}

function captured(): { readonly sink: StdoutSink & { held: true }; text(): string } {
  const pieces: Buffer[] = [];
  return {
    sink: {
      held: true,
      write: (bytes) => void pieces.push(Buffer.from(bytes)),
      reset: () => void pieces.splice(0),
    },
    text: () => Buffer.concat(pieces).toString(),
  };
}

/** Empties the directory, and puts one file in. */
async function clear(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
  await writeFile(join(directory, "é.txt"), "🦀");
}

async function filesIn(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = files.map(async (file) => [file.slice(directory.length), await readFile(file, "utf8")]);
  return Object.fromEntries(await Promise.all(contents));
}
