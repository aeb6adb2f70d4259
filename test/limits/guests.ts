// Guests made of text, in one engine, for tests of what they may take and how they share it.

import {
  Engine,
  type EngineOptions,
  InstancePre,
  type InstancePreOptions,
  Linker,
  Store,
  type StoreOptions,
  type WasmValue,
} from "../../src/engine/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";

export class Guests implements Disposable {
  readonly engine: Engine;
  readonly #owned = new DisposableStack();

  constructor(options: EngineOptions = {}) {
    this.engine = this.#owned.use(new Engine(options));
  }

  /** A component of the module. */
  async add(text: string, options: Partial<InstancePreOptions<undefined>> = {}): Promise<Guest> {
    const module = await this.engine.compile(await assembleText(text));
    const pre = InstancePre.ofModule({ engine: this.engine, linker: new Linker<undefined>() }, module, {
      name: "guest",
      hooks: { rewind() {}, commit() {}, initialData: () => undefined },
      ...options,
    });
    return new Guest(this.#owned.use(pre));
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

export class Guest {
  readonly pre: InstancePre<undefined>;

  constructor(pre: InstancePre<undefined>) {
    this.pre = pre;
  }

  /** Calls an export in a slot that is given back afterwards. */
  async call(
    exportName: string,
    args: readonly WasmValue[] = [],
    options: StoreOptions = {},
  ): Promise<WasmValue> {
    using held = this.hold(options);
    return await held.call(exportName, args);
  }

  /** Takes a slot; it is given back when the result is disposed. */
  hold(options: StoreOptions = {}): Held {
    return new Held(this.pre.instantiate(new Store(undefined, options)));
  }
}

export class Held implements Disposable {
  readonly #instance: ReturnType<InstancePre<undefined>["instantiate"]>;

  constructor(instance: ReturnType<InstancePre<undefined>["instantiate"]>) {
    this.#instance = instance;
  }

  call(exportName: string, args: readonly WasmValue[] = []): WasmValue | Promise<WasmValue> {
    return this.#instance.run<WasmValue>({
      exportName,
      lower: () => args,
      lift: (_caller, result) => result,
    });
  }

  [Symbol.dispose](): void {
    this.#instance[Symbol.dispose]();
  }
}
