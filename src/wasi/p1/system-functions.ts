// Clocks, randomness, the end of the process, and sockets, of which a guest has none.

import { setImmediate } from "node:timers/promises";

import { Errno, type ErrnoValue, failure } from "../sandbox/errno.ts";
import type { Wasi } from "../wasi.ts";
import type { FunctionTable, GuestCaller } from "./functions.ts";

/** `clockid` */
export const ClockId = { REALTIME: 0, MONOTONIC: 1, PROCESS_CPUTIME: 2, THREAD_CPUTIME: 3 } as const;

/** What Node's clocks can tell apart. */
const RESOLUTION_NS: Readonly<Record<number, bigint>> = {
  [ClockId.REALTIME]: 1_000_000n,
  [ClockId.MONOTONIC]: 1n,
};

/** About a millisecond. */
const RANDOM_AT_ONCE_BYTES_MAX = 1024 * 1024;

export const systemFunctions = {
  /**
   * Writes the resolution of a clock, in nanoseconds.
   *
   *     clock_res_get(id: u32, result: ptr u64) -> errno
   *
   * Errors: as clock_time_get.
   */
  clock_res_get: {
    type: "i32 i32 -> i32",
    run(_wasi, { memory }, id: number, result: number) {
      const resolutionNs = RESOLUTION_NS[id];
      if (resolutionNs === undefined) throw failure("INVAL");
      memory.writeU64(result, resolutionNs);
      return Errno.SUCCESS;
    },
  },

  /**
   * Writes the time of a clock to guest memory, as nanoseconds in a little-endian u64.
   *
   *     clock_time_get(id: u32, precision: u64, result: ptr u64) -> errno
   *     result -> 00 00 1f a6 70 fc c5 16   (2022-01-01T00:00:00Z)
   *
   * Errors: INVAL for an unknown clock, and for those of CPU time, which an instance that is used for
   * many calls does not have; FAULT when `result` is outside memory. `precision` is the lag that the
   * guest tolerates; we are never later than it asks, so we ignore it.
   */
  clock_time_get: {
    type: "i32 i64 i32 -> i32",
    run(wasi, caller, id: number, _precision: bigint, result: number) {
      caller.memory.check(result, 8);
      caller.memory.writeU64(result, readClock(wasi, caller, id));
      return Errno.SUCCESS;
    },
  },

  /**
   * Fills a buffer with random bytes.
   *
   *     random_get(buffer: ptr [u8], length: u32) -> errno
   *
   * Errors: FAULT when the buffer is outside memory. More than 1 MiB is made piece by piece, so that
   * other guests have their turn.
   */
  random_get: {
    type: "i32 i32 -> i32",
    waits: true,
    run(wasi, caller, buffer: number, length: number) {
      const at = caller.memory.check(buffer, length >>> 0);
      if (length >>> 0 > RANDOM_AT_ONCE_BYTES_MAX) {
        wasi.shift(caller);
        if (caller.canSuspend) return fillInTurns(wasi, caller, { at, end: at + (length >>> 0) });
      }
      wasi.random(caller, caller.memory.writable(at, length));
      return Errno.SUCCESS;
    },
  },

  /** Ends the guest; it cannot catch this. `proc_exit(code: u32)` */
  proc_exit: {
    type: "i32 ->",
    run: (_wasi, caller, code: number) => caller.exit(code >>> 0),
  },

  /**
   * `proc_raise(signal: u8) -> errno`: always NOTSUP, for there are no handlers of signals; the
   * standard library of C raises them within the guest.
   */
  proc_raise: { type: "i32 -> i32", run: () => Errno.NOTSUP },

  /** `sched_yield() -> errno`: succeeds; there is no other thread to give way to. */
  sched_yield: { type: "-> i32", run: () => Errno.SUCCESS },

  /** `sock_accept(fd, flags: u16, result: ptr u32) -> errno`: NOTSOCK, or BADF where nothing is open. */
  sock_accept: { type: "i32 i32 i32 -> i32", run: refuseSocket },

  /** `sock_recv(fd, iovecs: ptr, count: u32, flags: u16, length: ptr u32, flags: ptr u16) -> errno` */
  sock_recv: { type: "i32 i32 i32 i32 i32 i32 -> i32", run: refuseSocket },

  /** `sock_send(fd, iovecs: ptr, count: u32, flags: u16, length: ptr u32) -> errno` */
  sock_send: { type: "i32 i32 i32 i32 i32 -> i32", run: refuseSocket },

  /** `sock_shutdown(fd, how: u8) -> errno` */
  sock_shutdown: { type: "i32 i32 -> i32", run: refuseSocket },
} satisfies FunctionTable;

/** Fails with INVAL for a clock that there is not. */
export function readClock(wasi: Wasi, caller: GuestCaller, id: number): bigint {
  if (id === ClockId.REALTIME) return wasi.realtimeNs(caller);
  if (id === ClockId.MONOTONIC) return wasi.monotonicNs(caller);
  throw failure("INVAL");
}

async function fillInTurns(
  wasi: Wasi,
  caller: GuestCaller,
  target: { readonly at: number; readonly end: number },
): Promise<ErrnoValue> {
  const { memory, signal } = caller;
  for (let at = target.at; at < target.end; at += RANDOM_AT_ONCE_BYTES_MAX) {
    wasi.random(caller, memory.writable(at, Math.min(RANDOM_AT_ONCE_BYTES_MAX, target.end - at)));
    await setImmediate();
    // The guest may have been ended meanwhile, and its memory given to another call.
    signal.throwIfAborted();
  }
  return Errno.SUCCESS;
}

function refuseSocket(wasi: Wasi, _caller: GuestCaller, fd: number) {
  wasi.descriptors.get(fd);
  return Errno.NOTSOCK;
}
