// wasi:io/poll: waiting for several things at once.

import type { Pollable } from "../sandbox/streams.ts";
import { untilReady, untilWoken } from "../sandbox/wait.ts";
import type { Wasi } from "../wasi.ts";
import { type GuestCaller, Version, type VersionName, type WasiInterface } from "./interfaces.ts";

/** In one list: as many as a call can have open things, and a clock for each. */
const POLLABLES_MAX = 2048;

export function pollInterface(version: VersionName): WasiInterface {
  if (version === Version.OCTOBER) {
    return {
      wit: `interface wasi:io/poll@${version} {
        resource pollable;
        poll-list: func(in: list<borrow<pollable>>) -> list<u32>;
        poll-one: func(in: borrow<pollable>);
      }`,
      functions: {},
      waiting: { "poll-list": poll, "poll-one": block },
    };
  }
  return {
    wit: `interface wasi:io/poll@${version} {
      resource pollable { ready: func() -> bool; block: func(); }
      poll: func(in: list<borrow<pollable>>) -> list<u32>;
    }`,
    functions: {
      "[method]pollable.ready": (_wasi, caller, pollable: Pollable) => pollable.isReady(caller),
    },
    waiting: { "[method]pollable.block": block, poll },
  };
}

function block(wasi: Wasi, caller: GuestCaller, pollable: Pollable): undefined | Promise<void> {
  if (pollable.isReady(caller)) return undefined;
  wasi.shift(caller);
  return untilReady(caller, [pollable]);
}

/** Returns the indices of those that are ready, at least one. An empty list is a trap, as WASI wants it. */
function poll(wasi: Wasi, caller: GuestCaller, pollables: readonly Pollable[]): number[] | Promise<number[]> {
  if (pollables.length === 0) throw new Error("The guest polls an empty list, and would wait forever");
  if (pollables.length > POLLABLES_MAX) {
    throw new Error(`The guest polls ${pollables.length} things, more than ${POLLABLES_MAX}`);
  }
  const ready = indicesOfReady(caller, pollables);
  if (ready.length > 0) return ready;
  wasi.shift(caller);
  return pollLater(caller, pollables);
}

async function pollLater(caller: GuestCaller, pollables: readonly Pollable[]): Promise<number[]> {
  for (;;) {
    await untilWoken(caller, pollables);
    const ready = indicesOfReady(caller, pollables);
    if (ready.length > 0) return ready;
  }
}

function indicesOfReady(caller: GuestCaller, pollables: readonly Pollable[]): number[] {
  const ready: number[] = [];
  for (const [index, pollable] of pollables.entries()) if (pollable.isReady(caller)) ready.push(index);
  return ready;
}
