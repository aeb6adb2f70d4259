// Flags that more than one function takes.

import { failure } from "../sandbox/errno.ts";
import type { NewTimes } from "../sandbox/filesystem.ts";
import { nearestSettable } from "../sandbox/set-times.ts";
import type { Wasi } from "../wasi.ts";
import type { GuestCaller } from "./functions.ts";

/** `fdflags` */
export const FdFlags = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;
export const SYNC_FLAGS = FdFlags.DSYNC | FdFlags.RSYNC | FdFlags.SYNC;

/** `fstflags` */
const FstFlags = { ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 } as const;

/** Fails with INVAL for a time that is both given and now, and for unknown flags. */
export function newTimes(
  wasi: Wasi,
  caller: GuestCaller,
  asked: { readonly accessedNs: bigint; readonly modifiedNs: bigint; readonly flags: number },
): NewTimes {
  const has = (flag: number) => (asked.flags & flag) !== 0;
  if (asked.flags >>> 4 !== 0) throw failure("INVAL");
  if (has(FstFlags.ATIM) && has(FstFlags.ATIM_NOW)) throw failure("INVAL");
  if (has(FstFlags.MTIM) && has(FstFlags.MTIM_NOW)) throw failure("INVAL");
  const wantsNow = has(FstFlags.ATIM_NOW) || has(FstFlags.MTIM_NOW);
  const now = wantsNow ? nearestSettable(wasi.realtimeNs(caller)) : 0n;
  return {
    ...(has(FstFlags.ATIM_NOW) && { accessedNs: now }),
    ...(has(FstFlags.ATIM) && { accessedNs: BigInt.asUintN(64, asked.accessedNs) }),
    ...(has(FstFlags.MTIM_NOW) && { modifiedNs: now }),
    ...(has(FstFlags.MTIM) && { modifiedNs: BigInt.asUintN(64, asked.modifiedNs) }),
  };
}
