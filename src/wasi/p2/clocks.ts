// wasi:clocks: what time it is, and waiting for a time.

import type { GearedCaller } from "../sandbox/gears.ts";
import type { Pollable } from "../sandbox/streams.ts";
import type { Wasi } from "../wasi.ts";
import { type GuestCaller, Version, type VersionName, type WasiInterface } from "./interfaces.ts";

const NS_PER_S = 1_000_000_000n;

/** `datetime` */
export interface DateTime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** Of Node's clocks: the real one tells milliseconds apart. */
const REALTIME_RESOLUTION: DateTime = { seconds: 0n, nanoseconds: 1_000_000 };
const MONOTONIC_RESOLUTION_NS = 1n;

export function clockInterfaces(version: VersionName): WasiInterface[] {
  return [version === Version.OCTOBER ? octoberMonotonicClock : monotonicClock(version), wallClock(version)];
}

function monotonicClock(version: VersionName): WasiInterface {
  return {
    wit: `interface wasi:clocks/monotonic-clock@${version} {
      use wasi:io/poll@${version}.{pollable};
      type instant = u64;
      type duration = u64;
      now: func() -> instant;
      resolution: func() -> duration;
      subscribe-instant: func(when: instant) -> pollable;
      subscribe-duration: func(when: duration) -> pollable;
    }`,
    functions: {
      now: (wasi, caller) => wasi.monotonicNs(caller),
      resolution: () => MONOTONIC_RESOLUTION_NS,
      "subscribe-instant": (wasi, _caller, when: bigint) => new Alarm(wasi, when),
      "subscribe-duration": subscribeDuration,
    },
  };
}

const octoberMonotonicClock: WasiInterface = {
  wit: `interface wasi:clocks/monotonic-clock@${Version.OCTOBER} {
    use wasi:io/poll@${Version.OCTOBER}.{pollable};
    type instant = u64;
    now: func() -> instant;
    resolution: func() -> instant;
    subscribe: func(when: instant, absolute: bool) -> pollable;
  }`,
  functions: {
    now: (wasi, caller) => wasi.monotonicNs(caller),
    resolution: () => MONOTONIC_RESOLUTION_NS,
    subscribe: (wasi, caller, when: bigint, isAbsolute: boolean) =>
      isAbsolute ? new Alarm(wasi, when) : subscribeDuration(wasi, caller, when),
  },
};

function subscribeDuration(wasi: Wasi, caller: GuestCaller, durationNs: bigint): Pollable {
  return new Alarm(wasi, wasi.monotonicNs(caller) + durationNs);
}

/** Ready from a moment on. */
class Alarm implements Pollable {
  readonly #wasi: Wasi;
  readonly #whenNs: bigint;

  constructor(wasi: Wasi, whenNs: bigint) {
    this.#wasi = wasi;
    this.#whenNs = whenNs;
  }

  isReady(caller: GearedCaller): boolean {
    return this.#wasi.monotonicNs(caller) >= this.#whenNs;
  }

  watch(wake: () => void): () => void {
    const { clock } = this.#wasi;
    const end = new AbortController();
    // It is refused only because nobody waits any more.
    clock.sleep(this.#whenNs - clock.monotonicNs(), end.signal).then(wake, () => {});
    return () => end.abort();
  }
}

function wallClock(version: VersionName): WasiInterface {
  return {
    wit: `interface wasi:clocks/wall-clock@${version} {
      record datetime { seconds: u64, nanoseconds: u32 }
      now: func() -> datetime;
      resolution: func() -> datetime;
    }`,
    functions: {
      now: (wasi, caller) => dateTimeOf(wasi.realtimeNs(caller)),
      resolution: () => REALTIME_RESOLUTION,
    },
  };
}

/** `ns` since 1970, not before. */
export function dateTimeOf(ns: bigint): DateTime {
  return { seconds: ns / NS_PER_S, nanoseconds: Number(ns % NS_PER_S) };
}

/** Undefined for more nanoseconds than a second has. */
export function nsOf({ seconds, nanoseconds }: DateTime): bigint | undefined {
  return nanoseconds < NS_PER_S ? seconds * NS_PER_S + BigInt(nanoseconds) : undefined;
}
