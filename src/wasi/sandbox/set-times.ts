// Sets times of files to the nanosecond.
//
// Node takes times as seconds in a double, which at present can tell apart about 240 ns, and guests compare
// what they set with what they read. Where a double does not say it, utimensat(2) is called by way of
// `node:ffi`; where that is not to be had, the nearest double must do.

import {
  type BigIntStats,
  fstatSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  statSync,
  utimesSync,
} from "node:fs";

import type { LinkPolicy, NewTimes } from "./filesystem.ts";

const NS_PER_S = 1_000_000_000n;

/** Sets the times of what is at a path of the host. */
export function setTimes(path: string, links: LinkPolicy, times: NewTimes): void {
  // A time that is left as it is must not pass through a double either.
  const isExact = isSettable(times.accessedNs) && isSettable(times.modifiedNs);
  if (!isExact) {
    utimensat ??= findUtimensat();
    if (utimensat(path, links, times)) return;
  }
  // Where the call above failed, this one says why, in an error with a code.
  setByDoubles(path, links, times);
}

/** Sets the times of what a descriptor of the host stands for. */
export function setTimesOfDescriptor(descriptor: number, times: NewTimes): void {
  if (process.platform === "linux") {
    setTimes(`/proc/self/fd/${descriptor}`, "follow", times);
    return;
  }
  const present = fstatSync(descriptor, { bigint: true });
  futimesSync(descriptor, ...secondsOf(times, present));
}

/** The time nearest to `ns` that a double can say. */
export function nearestSettable(ns: bigint): bigint {
  const seconds = Number(ns) / 1e9;
  const whole = Math.trunc(seconds);
  return BigInt(whole) * NS_PER_S + BigInt(Math.trunc((seconds - whole) * 1e9));
}

function isSettable(ns: bigint | undefined): boolean {
  return ns !== undefined && nearestSettable(ns) === ns;
}

function setByDoubles(path: string, links: LinkPolicy, times: NewTimes): void {
  const stat = links === "follow" ? statSync : lstatSync;
  const present = stat(path, { bigint: true });
  const set = links === "follow" ? utimesSync : lutimesSync;
  set(path, ...secondsOf(times, present));
}

function secondsOf(times: NewTimes, present: BigIntStats): [accessed: number, modified: number] {
  const { accessedNs = present.atimeNs, modifiedNs = present.mtimeNs } = times;
  return [Number(accessedNs) / 1e9, Number(modifiedNs) / 1e9];
}

/** False: it did not work. */
type Utimensat = (path: string, links: LinkPolicy, times: NewTimes) => boolean;

/** Undefined until it is first needed: loading `node:ffi` prints a warning. */
let utimensat: Utimensat | undefined;

interface Ffi {
  dlopen(
    library: null,
    symbols: Record<string, { readonly arguments: readonly string[]; readonly return: string }>,
  ): { readonly functions: Record<string, (...args: unknown[]) => unknown> };
}

// From the headers of Linux; the layout below is that of its 64-bit systems.
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_OMIT = 0x3fff_fffen;
const TIMESPEC_BYTES = 16;

function findUtimensat(): Utimensat {
  if (process.platform !== "linux") return () => false;
  try {
    // The part of Node's experimental module that is used here, as Node 26 documents it.
    const ffi = process.getBuiltinModule("node:ffi") as unknown as Ffi;
    const { functions } = ffi.dlopen(null, {
      utimensat: { arguments: ["int32", "string", "buffer", "int32"], return: "int32" },
    });
    return (path, links, { accessedNs, modifiedNs }) => {
      const timespecs = Buffer.alloc(2 * TIMESPEC_BYTES);
      writeTimespec(timespecs, 0, accessedNs);
      writeTimespec(timespecs, TIMESPEC_BYTES, modifiedNs);
      const flags = links === "follow" ? 0 : AT_SYMLINK_NOFOLLOW;
      return functions.utimensat?.(AT_FDCWD, path, timespecs, flags) === 0;
    };
  } catch {
    // No such module, or no such function in it: doubles are all there is.
    return () => false;
  }
}

/** `struct timespec`: 0 seconds i64 │ 8 nanoseconds i64 */
function writeTimespec(target: Buffer, at: number, ns: bigint | undefined): void {
  target.writeBigInt64LE(ns === undefined ? 0n : ns / NS_PER_S, at);
  target.writeBigInt64LE(ns === undefined ? UTIME_OMIT : ns % NS_PER_S, at + 8);
}
