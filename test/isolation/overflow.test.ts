// A stack that overflows anywhere, in the guest or in a host function that it called, leaves nothing behind:
// neither in the guest, nor in what its host keeps for the calls that follow.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Engine, TrapError } from "../../src/engine/mod.ts";
import { mountDirectory } from "../../src/mounts/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";
import { Random } from "../fuzz/random.ts";
import { FILE } from "./attacks.ts";
import { newTemplate, type Seen, Slots } from "./slots.ts";

/** Dives that are tried around the depth where the stack ends; they are the same in every run. */
const SAMPLES = 200;
/** How far from the end, in frames of the guest: where functions of the host end, and where they refuse to begin. */
const FRAMES_AROUND = [600, 10_000];
const DEPTH_MAX = 4_000_000;

// `dive` calls itself to a depth, asks its host for things of all kinds there, and answers 1 if it got them.
// It would answer 99 if it could catch an overflow.
const DIVER = `(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "${FILE.name}")
  (func $ask (result i32)
    (local $errors i32)
    (local.set $errors (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 1000)))
    (local.set $errors (i32.or (local.get $errors) (call $random_get (i32.const 2000) (i32.const 16))))
    (local.set $errors (i32.or (local.get $errors) (call $environ_get (i32.const 3000) (i32.const 4000))))
    (i64.store (i32.const 300) (i64.const 0x800000200)) ;; one buffer: 8 bytes at 512
    (local.set $errors (i32.or (local.get $errors) (call $fd_readdir (i32.const 3) (i32.const 5000) (i32.const 200) (i64.const 0) (i32.const 400))))
    (local.set $errors (i32.or (local.get $errors) (call $path_open (i32.const 3) (i32.const 0) (i32.const 64)
      (i32.const ${FILE.name.length}) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 200))))
    (local.set $errors (i32.or (local.get $errors) (call $fd_read (i32.load (i32.const 200)) (i32.const 300) (i32.const 1) (i32.const 400))))
    (local.set $errors (i32.or (local.get $errors) (i64.ne (i64.load (i32.const 512)) (i64.const 0x73746e65746e6f63)))) ;; "contents"
    (local.set $errors (i32.or (local.get $errors) (call $fd_write (i32.const 2) (i32.const 300) (i32.const 1) (i32.const 400))))
    (local.set $errors (i32.or (local.get $errors) (call $fd_close (i32.load (i32.const 200)))))
    (i32.eqz (local.get $errors)))
  (func $dive (param $depth i32) (result i32)
    (if (i32.eqz (local.get $depth)) (then (return (call $ask))))
    (i32.or (call $dive (i32.sub (local.get $depth) (i32.const 1))) (i32.const 0)))
  (func (export "dive") (param $depth i32) (result i32)
    (try (result i32) (do (call $dive (local.get $depth))) (catch_all (i32.const 99)))))`;

const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
const directory = await realpath(await mkdtemp(join(tmpdir(), "spindle-isolation-")));
owned.defer(() => rm(directory, { recursive: true }));
await writeFile(join(directory, FILE.name), FILE.contents);
const bytes = await assembleText(DIVER);

for (const kind of ["snapshot", "live"] as const) {
  for (const gearing of ["first", "second"] as const) {
    test(`A ${gearing}-gear call that overflows anywhere leaves nothing behind, with a ${kind} of files`, async () => {
      using engine = new Engine({ gearing });
      using mounted = await mountDirectory({ guestPath: "/", hostPath: directory, kind, access: "read" });
      using slots = await Slots.create(bytes, { engine, template: newTemplate([mounted]) });
      const dive = (depth: number) => slots.call("dive", { args: [depth] });
      assert.deepEqual(await dive(0), { result: 1 });
      const end = await findEnd(slots, dive);
      const random = new Random(end);
      for (let left = SAMPLES; left > 0; left--) {
        const depth = end + 20 - random.below(random.pick(FRAMES_AROUND));
        assert.ok(isFair(await dive(depth)), `depth ${depth} of ${end}`);
        assert.deepEqual(await dive(0), { result: 1 }, `after depth ${depth} of ${end}`);
      }
      assert.deepEqual(await descriptorsBelow(directory), kind === "live" ? [directory] : []);
    });
  }
}

/** It got what it asked for, or the call was ended. */
function isFair({ result, error }: Seen): boolean {
  return result === 1 || (error instanceof TrapError && error.reason === "stack-overflow");
}

/** The least depth at which a call overflows, in the gear that it begins in. */
async function findEnd(slots: Slots, dive: (depth: number) => Promise<Seen>): Promise<number> {
  const overflows = async (depth: number) => {
    const { replays } = slots;
    const seen = await dive(depth);
    assert.ok(isFair(seen));
    return slots.replays > replays || seen.error !== undefined;
  };
  let [fits, ends] = [0, DEPTH_MAX];
  // The frames shrink once the code is optimised, so that the first answers may be too small.
  for (let left = 40; left > 0 && ends - fits > 1; left--) {
    const middle = (fits + ends) >> 1;
    if (await overflows(middle)) ends = middle;
    else fits = middle;
  }
  for (let left = 40; left > 0 && !(await overflows(ends)); left--) ends += ends >> 4;
  return ends;
}

/** What this process has open there, the directory itself included. Only Linux tells. */
async function descriptorsBelow(path: string): Promise<string[]> {
  const names = await readdir("/proc/self/fd");
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")));
  return targets.filter((target) => target.startsWith(path));
}
