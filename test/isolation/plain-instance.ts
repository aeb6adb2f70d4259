// The control: a module as V8 has it, called again and again, and restored by nobody.

import assert from "node:assert/strict";
import { type Caller, GuestMemory, type HostFunction, Linker } from "../../src/engine/mod.ts";
import { addWasiP1ToLinker, type Wasi } from "../../src/wasi/mod.ts";
import { CONTROL } from "../../src/wasm/mod.ts";
import type { Seen } from "./slots.ts";

const PAGE_BYTES = 65_536;

const linker = new Linker<Wasi>();
addWasiP1ToLinker(linker, (wasi) => wasi);

export class PlainInstance {
  readonly #exports: WebAssembly.Instance["exports"];
  readonly #wasi: Wasi;
  /** Holds the size of the memory for the host; nobody reads its marks. */
  readonly #cards = new WebAssembly.Memory({ initial: 1 });

  /** All calls have the same `wasi`. */
  constructor(bytes: Uint8Array, wasi: Wasi) {
    this.#wasi = wasi;
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    const imports: WebAssembly.Imports = { test: { "call back"() {} } };
    const functions: Record<string, unknown> = {};
    for (const { name } of WebAssembly.Module.imports(module)) functions[name] = this.#bind(name);
    imports.wasi_snapshot_preview1 = functions;
    this.#exports = new WebAssembly.Instance(module, imports).exports;
  }

  call(name: string, ...args: readonly number[]): Seen {
    const fn = this.#exports[name];
    assert.ok(typeof fn === "function", `"${name}" is not exported`);
    try {
      return { result: fn(...args) };
    } catch (error) {
      return error instanceof Exit ? { result: "exited" } : { error };
    }
  }

  #bind(name: string): (...args: never[]) => unknown {
    const linked = linker.get("wasi_snapshot_preview1", name);
    // A function of WASI takes what the module gives: both have the type of preview 1.
    const fn = linked?.fn as HostFunction<Wasi> | undefined;
    return (...args) => fn?.(this.#caller(), ...args);
  }

  get memory(): GuestMemory {
    const { memory } = this.#exports;
    assert.ok(memory instanceof WebAssembly.Memory);
    new Uint32Array(this.#cards.buffer)[CONTROL.PAGES / 4] = memory.buffer.byteLength / PAGE_BYTES;
    return new GuestMemory(memory, this.#cards);
  }

  #caller(): Caller<Wasi> {
    return {
      memory: this.memory,
      data: this.#wasi,
      shift() {},
      exit(): never {
        throw new Exit();
      },
      canSuspend: false,
      call() {},
      function: () => () => undefined,
      signal: new AbortController().signal,
    };
  }
}

class Exit extends Error {}
