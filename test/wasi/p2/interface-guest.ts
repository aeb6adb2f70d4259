// A guest that is a test: it calls functions of preview 2 one by one, with values as a component has them.
//
// The functions are the real ones; only the engine, which would lift and lower their values, is left
// out. Gears are as in the engine: in first gear a shift throws.

import assert from "node:assert/strict";

import type { ComponentCaller, HostComponentFunction, HostInterface } from "../../../src/engine/mod.ts";
import type { MountedDirectory } from "../../../src/mounts/mod.ts";
import {
  addWasiP2ToLinker,
  type GuestNetwork,
  systemClock,
  systemRandom,
  Wasi,
  type WasiCall,
  WasiTemplate,
} from "../../../src/wasi/mod.ts";
import { Exited, Shifted } from "../abi-guest.ts";
import { Printed } from "../run-command.ts";

export const FINAL = "0.2.12";
export const NOVEMBER = "0.2.0-rc-2023-11-10";
export const OCTOBER = "0.2.0-rc-2023-10-18";

/** By full name. */
export const hostInterfaces = new Map<string, HostInterface<Wasi>>();
addWasiP2ToLinker<Wasi>(
  {
    define(host) {
      const [, name = ""] = /interface (\S+)/.exec(host.wit) ?? [];
      hostInterfaces.set(name, host);
    },
  },
  (wasi) => wasi,
);

export interface InterfaceGuestOptions {
  readonly gear?: "first" | "second";
  readonly version?: string;
  readonly mounts?: readonly MountedDirectory[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly network?: GuestNetwork;
  readonly call?: Partial<WasiCall>;
}

/** What a function returned that can fail. */
export type Outcome<T> =
  | { readonly tag: "ok"; readonly val: T }
  | { readonly tag: "err"; readonly val: unknown };

export class InterfaceGuest implements Disposable {
  readonly stdout = new Printed("shown");
  readonly stderr = new Printed("shown");
  readonly wasi: Wasi;
  readonly abort = new AbortController();
  gear: "first" | "second";
  readonly #version: string;
  readonly #caller: ComponentCaller<Wasi>;

  constructor(options: InterfaceGuestOptions = {}) {
    this.gear = options.gear ?? "second";
    this.#version = options.version ?? FINAL;
    const { environment = {}, mounts = [], network } = options;
    const template = WasiTemplate.create({ environment, mounts, ...(network && { network }) });
    this.wasi = new Wasi(template, {
      stdout: this.stdout.sink,
      stderr: this.stderr.sink,
      clock: systemClock,
      random: systemRandom,
      ...options.call,
    });
    this.#caller = this.#newCaller();
  }

  #newCaller(): ComponentCaller<Wasi> {
    const guest = this;
    return {
      data: guest.wasi,
      shift() {
        if (guest.gear === "first") throw new Shifted();
      },
      exit(code): never {
        throw new Exited(code);
      },
      get canSuspend() {
        return guest.gear === "second";
      },
      signal: guest.abort.signal,
    };
  }

  /** Calls a function such as `io/poll#[method]pollable.ready`. It may have returned a promise. */
  call<T>(path: string, ...args: readonly unknown[]): T {
    const [name = "", fn = ""] = path.split("#");
    const found = hostInterfaces.get(`wasi:${name}@${this.#version}`)?.functions[fn];
    assert.ok(found, `there is no ${path} in ${this.#version}`);
    const run = typeof found === "function" ? found : found.fn;
    // The test passes what the text of the interface asks for, and expects what it promises.
    return (run as HostComponentFunction<Wasi>)(this.#caller, ...(args as never[])) as T;
  }

  /** Calls a function that returns a result, and expects no error. */
  ok<T>(path: string, ...args: readonly unknown[]): T {
    return okOf(path, this.call<Outcome<T>>(path, ...args));
  }

  /** The same for one that may wait. */
  async okLater<T>(path: string, ...args: readonly unknown[]): Promise<T> {
    return okOf(path, await this.call<Promise<Outcome<T>>>(path, ...args));
  }

  /** Calls a function that returns a result, and expects an error. */
  err(path: string, ...args: readonly unknown[]): unknown {
    return errOf(path, this.call<Outcome<unknown>>(path, ...args));
  }

  async errLater(path: string, ...args: readonly unknown[]): Promise<unknown> {
    return errOf(path, await this.call<Promise<Outcome<unknown>>>(path, ...args));
  }

  /** Lets an own handle go, such as one of `io/streams#input-stream`. */
  drop(path: string, object: unknown): void {
    const [name = "", resource = ""] = path.split("#");
    const host = hostInterfaces.get(`wasi:${name}@${this.#version}`);
    // As for arguments.
    host?.resources?.[resource]?.drop?.(this.#caller, object as never);
  }

  /** Polls until one is ready. */
  async wait(...pollables: readonly unknown[]): Promise<number[]> {
    return this.call<Promise<number[]>>("io/poll#poll", pollables);
  }

  /** Calls a function again and again, waiting for a pollable, as long as it says `would-block`. */
  async finish<T>(path: string, self: unknown, pollable: unknown): Promise<Outcome<T>> {
    for (;;) {
      const outcome = this.call<Outcome<T>>(path, self);
      if (outcome.tag === "ok" || outcome.val !== "would-block") return outcome;
      await this.wait(pollable);
    }
  }

  [Symbol.dispose](): void {
    this.wasi[Symbol.dispose]();
  }
}

function okOf<T>(path: string, outcome: Outcome<T>): T {
  assert.equal(outcome.tag, "ok", `${path}: ${JSON.stringify(outcome.val, (_key, value) => String(value))}`);
  // Just asserted.
  return outcome.val as T;
}

function errOf(path: string, outcome: Outcome<unknown>): unknown {
  assert.equal(outcome.tag, "err", path);
  return outcome.val;
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
