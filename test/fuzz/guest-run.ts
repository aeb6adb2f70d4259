// Runs whatever valid module it is given, with WASI and a host that answers 0, and finds fault only with
// what the host must never show: an error of its own, or a call that does not end.

import { Engine, InstancePre, LinkError, Linker, Store } from "../../src/engine/mod.ts";
import { addWasiP1ToLinker, Wasi, WasiTemplate } from "../../src/wasi/mod.ts";
import { type Export, readModule } from "../../src/wasm/mod.ts";
import { hostFault } from "../hostile/host-fault.ts";
import { HOST_FUNCTIONS } from "./generate-module.ts";
import { Random } from "./random.ts";

/** A damaged guest may compute without end. */
const WALL_TIME_MS = 60;
const CALLS_MAX = 4;
const PAGES_MAX = 64;
/** Modules that an engine compiles before it is thrown away: it never forgets one. */
const MODULES_MAX = 300;

export class GuestRun implements Disposable {
  readonly #linker = new Linker<Wasi>();
  readonly #template = WasiTemplate.create({ environment: { NAME: "value" }, mounts: [] });
  #engine: Engine | undefined;
  #compiled = 0;

  constructor() {
    addWasiP1ToLinker(this.#linker, (wasi) => wasi);
    for (const name of HOST_FUNCTIONS) this.#linker.func("host", name, "i32 -> i32", () => 0);
  }

  /** What is wrong; undefined if nothing is. */
  async check(bytes: Uint8Array, seed: number): Promise<string | undefined> {
    const module = readModule(bytes);
    if (module.memories.some(({ min }) => min > PAGES_MAX)) return undefined;
    try {
      using pre = await this.#preInstantiate(bytes);
      return await this.#callExports(pre, module.exports, new Random(seed));
    } catch (error) {
      if (error instanceof LinkError) return undefined;
      return hostFault(error);
    }
  }

  async #preInstantiate(bytes: Uint8Array): Promise<InstancePre<Wasi>> {
    if (this.#compiled++ > MODULES_MAX) this[Symbol.dispose]();
    this.#engine ??= new Engine();
    const compiled = await this.#engine.compile(bytes);
    return InstancePre.ofModule({ engine: this.#engine, linker: this.#linker }, compiled, {
      name: "damaged",
      memoryPagesMax: PAGES_MAX,
      hooks: {
        rewind: (wasi) => wasi.rewind(),
        commit: (wasi) => wasi.commit(),
        initialData: () => this.#newWasi(),
      },
    });
  }

  async #callExports(
    pre: InstancePre<Wasi>,
    exports: readonly Export[],
    random: Random,
  ): Promise<string | undefined> {
    const functions = exports.filter((item) => item.kind === "func");
    if (functions.length === 0) return undefined;
    for (let left = CALLS_MAX; left > 0; left--) {
      const { name, type } = random.pick(functions);
      const args = type.params.map((param) => (param === "i64" ? BigInt(random.i32()) : random.i32()));
      const wrong = await this.#call(pre, name, args);
      if (wrong !== undefined) return `${name}(${args}): ${wrong}`;
    }
    return undefined;
  }

  async #call(
    pre: InstancePre<Wasi>,
    exportName: string,
    args: readonly (number | bigint)[],
  ): Promise<string | undefined> {
    using wasi = this.#newWasi();
    using instance = pre.instantiate(new Store(wasi, { wallTimeMs: WALL_TIME_MS }));
    try {
      await instance.run({ exportName, lower: () => args, lift: () => undefined, exited: () => undefined });
      return undefined;
    } catch (error) {
      return hostFault(error);
    }
  }

  #newWasi(): Wasi {
    const nowhere = { held: false, write() {} } as const;
    return new Wasi(this.#template, {
      stdout: nowhere,
      stderr: nowhere,
      clock: { realtimeNs: () => 1n, monotonicNs: () => 1n, sleep: async () => undefined },
      random: { fill: (bytes) => void bytes.fill(7) },
    });
  }

  [Symbol.dispose](): void {
    this.#engine?.[Symbol.dispose]();
    this.#engine = undefined;
    this.#compiled = 0;
  }
}
