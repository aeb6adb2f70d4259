// Lists of buffers in guest memory: `iovec` and `ciovec`, a pointer and a length each.

import type { GuestMemory } from "../../engine/mod.ts";
import { Failure, failure, failureOfSystemError } from "../sandbox/errno.ts";

/** As `IOV_MAX` of Linux. */
const IOVECS_MAX = 1024;

const IOVEC_BYTES = 8;

export interface Iovec {
  readonly pointer: number;
  readonly length: number;
}

/**
 * Reads a list of buffers, all of which are checked to be inside memory. They may overlap.
 *
 *     list -> 10 00 01 00 05 00 00 00   (five bytes at 65552)
 *
 * Fails with INVAL for more than 1,024 buffers or for 4 GiB or more in all, FAULT outside memory.
 */
export function readIovecs(memory: GuestMemory, list: number, count: number): readonly Iovec[] {
  const start = memory.check(list, (count >>> 0) * IOVEC_BYTES);
  if (count >>> 0 > IOVECS_MAX) throw failure("INVAL");
  const { view } = memory;
  const iovecs: Iovec[] = [];
  let total = 0;
  for (let at = start; at < start + count * IOVEC_BYTES; at += IOVEC_BYTES) {
    const length = view.getUint32(at + 4, true);
    const pointer = memory.check(view.getUint32(at, true), length);
    total += length;
    iovecs.push({ pointer, length });
  }
  if (total > 0xffff_ffff) throw failure("INVAL");
  return iovecs;
}

/**
 * Hands buffer after buffer to `transfer`, which returns how much of it was used, until one is not used
 * up. Returns the sum.
 *
 * A failure behind the first bytes is left for the next call, as system calls do it: what was
 * transferred must be told.
 */
export function transferAll(
  iovecs: readonly Iovec[],
  transfer: (iovec: Iovec, before: number) => number,
): number {
  let done = 0;
  for (const iovec of iovecs) {
    if (iovec.length === 0) continue;
    let used: number;
    try {
      used = transfer(iovec, done);
    } catch (error) {
      const isOfGuest = error instanceof Failure || failureOfSystemError(error) !== undefined;
      if (isOfGuest && done > 0) return done;
      throw error;
    }
    done += used;
    if (used < iovec.length) break;
  }
  return done;
}
