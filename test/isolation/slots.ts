// Runs guests in slots of the real engine, with the real WASI.

import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Caller,
  type Engine,
  InstancePre,
  type Invocation,
  Linker,
  Store,
  type WasmValue,
} from "../../src/engine/mod.ts";
import type { MountedDirectory } from "../../src/mounts/mod.ts";
import { addWasiP1ToLinker, Wasi, type WasiCall, WasiTemplate } from "../../src/wasi/mod.ts";
import { CountedSources } from "../guest-context.ts";
import { MEMORY_PAGES_MAX } from "./attacks.ts";

const WALL_TIME_MS = 20_000;

/** Where in a call a function of the guest is run. */
export const PLACES = ["export", "lower", "lift", "host function"] as const;
export type Place = (typeof PLACES)[number];

/** What a call gave, or what it threw. */
export interface Seen {
  readonly result?: WasmValue | "exited";
  readonly error?: unknown;
}

export function newTemplate(
  mounts: readonly MountedDirectory[] = [],
  environment: Readonly<Record<string, string>> = { NAME: "value" },
): WasiTemplate {
  return WasiTemplate.create({ environment, mounts });
}

export function newWasi(template: WasiTemplate, call: Partial<WasiCall> = {}): Wasi {
  const nowhere = { held: false, write() {} } as const;
  const { clock, random } = new CountedSources();
  return new Wasi(template, { args: ["guest"], stdout: nowhere, stderr: nowhere, clock, random, ...call });
}

export interface CallData {
  readonly wasi: Wasi;
  /** The export that the host function "call back" calls. */
  readonly calledBack: string;
}

export interface CallOptions {
  readonly args?: readonly number[];
  /** Where in the call the function is run; as the export that is called, by default. */
  readonly place?: Place;
  readonly wasi?: Wasi;
  readonly signal?: AbortSignal;
}

export interface SlotParts {
  readonly engine: Engine;
  readonly template: WasiTemplate;
  /** Adds host functions. */
  readonly link?: (linker: Linker<CallData>) => void;
}

export class Slots implements Disposable {
  readonly #pre: InstancePre<CallData>;
  readonly #template: WasiTemplate;
  /** Calls that were abandoned in first gear. */
  replays = 0;

  private constructor(parts: SlotParts, module: Awaited<ReturnType<Engine["compile"]>>) {
    this.#template = parts.template;
    this.#pre = InstancePre.ofModule({ engine: parts.engine, linker: newLinker(parts) }, module, {
      name: "guest",
      memoryPagesMax: MEMORY_PAGES_MAX,
      hooks: {
        rewind: ({ wasi }) => {
          this.replays++;
          wasi.rewind();
        },
        commit: ({ wasi }) => wasi.commit(),
        initialData: () => ({ wasi: newWasi(parts.template), calledBack: "" }),
      },
    });
  }

  static async create(bytes: Uint8Array, parts: SlotParts): Promise<Slots> {
    return new Slots(parts, await parts.engine.compile(bytes));
  }

  /** Slots that exist. */
  get live(): number {
    return this.#pre.pool.live;
  }

  /** Runs an export in a call of its own. */
  async call(name: string, options: CallOptions = {}): Promise<Seen> {
    using wasi = options.wasi ?? newWasi(this.#template);
    using instance = this.#pre.instantiate(
      new Store({ wasi, calledBack: name }, { wallTimeMs: WALL_TIME_MS, signal: options.signal }),
    );
    try {
      return { result: await instance.run(invocation(name, options)) };
    } catch (error) {
      return { error };
    }
  }

  [Symbol.dispose](): void {
    this.#pre[Symbol.dispose]();
  }
}

function invocation(
  name: string,
  { args = [], place = "export" }: CallOptions,
): Invocation<CallData, WasmValue | "exited"> {
  const direct = place === "export" ? name : place === "host function" ? "be called back" : "nothing";
  return {
    exportName: direct,
    lower(caller) {
      if (place === "lower") caller.call(name);
      return args;
    },
    lift: (caller, result) => (place === "lift" ? caller.call(name) : result),
    exited: () => "exited",
  };
}

function newLinker({ link }: SlotParts): Linker<CallData> {
  const linker = new Linker<CallData>();
  link?.(linker);
  addWasiP1ToLinker(linker, ({ wasi }) => wasi);
  return linker.suspending("test", "call back", "->", (caller: Caller<CallData>) => {
    caller.shift();
    return callBack(caller);
  });
}

async function callBack(caller: Caller<CallData>): Promise<void> {
  await nextTurn();
  caller.call(caller.data.calledBack);
}
