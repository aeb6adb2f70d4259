// poll_oneoff: waits until a descriptor is ready or a time has come.

import type { GuestMemory } from "../../engine/mod.ts";
import { Errno, type ErrnoValue, Failure, failure } from "../sandbox/errno.ts";
import type { Wasi } from "../wasi.ts";
import type { Descriptor } from "./descriptors.ts";
import type { FunctionTable, GuestCaller } from "./functions.ts";
import type { Generation } from "./generation.ts";
import { Rights } from "./rights.ts";
import { ClockId, readClock } from "./system-functions.ts";

/** As many as descriptors can be open, and a clock for each. */
const SUBSCRIPTIONS_MAX = 2048;

const EVENT_BYTES = 32;
const U64_MAX = 2n ** 64n - 1n;

/** `eventtype` */
const EventType = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;

/** `subclockflags` */
const ABSTIME = 1;

interface Event {
  readonly userdata: bigint;
  readonly errno: ErrnoValue;
  readonly type: number;
  /** For a descriptor: how many bytes there are to read. */
  readonly bytes: bigint;
}

/** A time that has yet to come. */
interface Alarm {
  readonly event: Event;
  /** Not 0. */
  readonly remainingNs: bigint;
}

interface Target {
  readonly output: number;
  readonly result: number;
}

export function pollFunctions(generation: Generation) {
  return {
    /**
     * Waits for the first of several things, and writes an event for each that has come by then.
     *
     *     poll_oneoff(in: ptr [subscription], out: ptr [event], count: u32, result: ptr u32) -> errno
     *     in  -> 0 user data u64 │ 8 type u8 │ clock: 16 id u32 │ 24 timeout u64 │ 32 precision u64
     *            40 flags u16 │ descriptor: 16 fd u32     (`wasi_unstable`: clock fields 8 later)
     *     out -> 0 user data u64 │ 8 errno u16 │ 10 type u8 │ 16 bytes to read u64 │ 24 flags u16
     *
     * Files and streams are always ready. The errno of an event is BADF for what is not open or not open
     * for that, INVAL for a clock that there is not.
     *
     * Errors: INVAL for no subscription at all, for more than 2,048, and for an unknown type; FAULT.
     */
    poll_oneoff: {
      type: "i32 i32 i32 i32 -> i32",
      waits: true,
      run(wasi, caller, input: number, output: number, count: number, result: number) {
        const { memory } = caller;
        const subscriptions = count >>> 0;
        const start = memory.check(input, subscriptions * generation.subscriptionBytes);
        memory.check(output, subscriptions * EVENT_BYTES);
        memory.check(result, 4);
        if (subscriptions === 0 || subscriptions > SUBSCRIPTIONS_MAX) throw failure("INVAL");

        const events: Event[] = [];
        const alarms: Alarm[] = [];
        for (let index = 0; index < subscriptions; index++) {
          const subscribed = subscribe(wasi, caller, {
            generation,
            at: start + index * generation.subscriptionBytes,
          });
          if ("remainingNs" in subscribed) alarms.push(subscribed);
          else events.push(subscribed);
        }
        if (events.length > 0) return writeEvents(memory, { output, result }, events);
        wasi.shift(caller);
        // Nested below a JavaScript frame nothing can wait; the guest polls again, and again in vain.
        if (!caller.canSuspend) return Errno.AGAIN;
        return waitForFirst(wasi, caller, { alarms, to: { output, result } });
      },
    },
  } satisfies FunctionTable;
}

function subscribe(
  wasi: Wasi,
  caller: GuestCaller,
  subscription: { readonly generation: Generation; readonly at: number },
): Event | Alarm {
  const { view } = caller.memory;
  const { at, generation } = subscription;
  const userdata = view.getBigUint64(at, true);
  const type = view.getUint8(at + 8);
  const ready = { userdata, type, errno: Errno.SUCCESS, bytes: 0n };
  switch (type) {
    case EventType.CLOCK: {
      const clock = at + generation.clockOffset;
      const id = view.getUint32(clock, true);
      if (id !== ClockId.REALTIME && id !== ClockId.MONOTONIC) return { ...ready, errno: Errno.INVAL };
      const timeoutNs = view.getBigUint64(clock + 8, true);
      const isAbsolute = (view.getUint16(clock + 24, true) & ABSTIME) !== 0;
      const remainingNs = isAbsolute ? timeoutNs - readClock(wasi, caller, id) : timeoutNs;
      return remainingNs > 0n ? { event: ready, remainingNs } : ready;
    }
    case EventType.FD_READ:
    case EventType.FD_WRITE:
      return { ...ready, ...readiness(wasi, view.getUint32(at + 16, true), type) };
    default:
      throw failure("INVAL");
  }
}

function readiness(wasi: Wasi, fd: number, type: number): Pick<Event, "errno" | "bytes"> {
  try {
    const { descriptors } = wasi;
    const descriptor = type === EventType.FD_READ ? descriptors.readable(fd) : descriptors.writable(fd);
    descriptors.withRights(fd, Rights.POLL_FD_READWRITE);
    return { errno: Errno.SUCCESS, bytes: type === EventType.FD_READ ? bytesToRead(descriptor) : 0n };
  } catch (error) {
    if (error instanceof Failure) return { errno: error.errno, bytes: 0n };
    throw error;
  }
}

function bytesToRead(descriptor: Descriptor): bigint {
  switch (descriptor.kind) {
    case "input":
      return BigInt(descriptor.bytes.length - descriptor.position);
    case "file": {
      const left = descriptor.file.stat().size - BigInt(descriptor.position);
      return left > 0n ? left : 0n;
    }
    case "output":
    case "directory":
      return 0n;
  }
}

/** Waits in second gear, until the first alarm; those that are due together come together. */
async function waitForFirst(
  wasi: Wasi,
  caller: GuestCaller,
  wait: { readonly alarms: readonly Alarm[]; readonly to: Target },
): Promise<ErrnoValue> {
  const { memory, signal } = caller;
  let firstNs = U64_MAX;
  for (const { remainingNs } of wait.alarms) if (remainingNs < firstNs) firstNs = remainingNs;
  await wasi.clock.sleep(firstNs, signal);
  // The guest may have been ended meanwhile, and its memory given to another call.
  signal.throwIfAborted();
  const due = wait.alarms.filter(({ remainingNs }) => remainingNs === firstNs);
  return writeEvents(
    memory,
    wait.to,
    due.map(({ event }) => event),
  );
}

function writeEvents(memory: GuestMemory, to: Target, events: readonly Event[]): ErrnoValue {
  const target = memory.writable(to.output, events.length * EVENT_BYTES);
  target.fill(0);
  for (const [index, event] of events.entries()) {
    const at = index * EVENT_BYTES;
    target.writeBigUInt64LE(event.userdata, at);
    target.writeUInt16LE(event.errno, at + 8);
    target.writeUInt8(event.type, at + 10);
    target.writeBigUInt64LE(event.bytes, at + 16);
  }
  memory.writeU32(to.result, events.length);
  return Errno.SUCCESS;
}
