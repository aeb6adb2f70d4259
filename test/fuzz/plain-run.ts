// Runs calls of a module as V8 has it, each in an instance of its own: how it should be.

import type { Script, ScriptedCall } from "./call-script.ts";
import { hostStep } from "./host-functions.ts";
import { type Outcome, returned, thrown } from "./outcome.ts";

export class PlainRun {
  readonly #module: WebAssembly.Module;
  readonly #observers: readonly string[];

  constructor({ bytes, observers }: Script) {
    this.#module = new WebAssembly.Module(new Uint8Array(bytes));
    this.#observers = observers;
  }

  /** Undefined if the module cannot be instantiated. */
  call({ name, args }: ScriptedCall): Outcome | undefined {
    const notes: number[] = [];
    const exports = this.#instantiate(notes);
    if (!exports) return undefined;
    const call = (name: string, ...args: readonly unknown[]): unknown => {
      const fn = exports[name];
      if (typeof fn !== "function") throw new Error(`"${name}" is not exported`);
      return fn(...args);
    };
    const observe = () => this.#observers.map((observer) => String(call(observer)));
    const before = observe();
    try {
      const ending = returned(call(name, ...args));
      return { ending, notes, before, after: observe() };
    } catch (error) {
      return { ending: thrown(error), notes, before, after: [] };
    }
  }

  #instantiate(notes: number[]): WebAssembly.Instance["exports"] | undefined {
    let exports: WebAssembly.Instance["exports"] | undefined;
    const host = (value: number): number => {
      notes.push(value);
      const { answer, write } = hostStep(value, notes);
      if (write && exports?.memory instanceof WebAssembly.Memory)
        new DataView(exports.memory.buffer).setUint32(write.address, write.word, true);
      return answer;
    };
    try {
      exports = new WebAssembly.Instance(this.#module, { host: { note: host, wait: host } }).exports;
      return exports;
    } catch (error) {
      thrown(error);
      return undefined;
    }
  }
}
