// Sends values through a forwarding component, in slots of the engine, and tells what the host saw of them
// and what came back.

import { planComponent, type ValueType } from "../../src/component/mod.ts";
import {
  ComponentLinker,
  ComponentPre,
  type Engine,
  type HostInterface,
  Linker,
  Store,
} from "../../src/engine/mod.ts";
import { FORWARDED, forwardedFunction } from "./forwarder.ts";
import { interfaceText } from "./interface-text.ts";

export class Thing {}

/** What the host was given, and what the component returned. */
export interface Forwarded {
  readonly seen: unknown;
  readonly returned: unknown;
}

export class Forwarding implements Disposable {
  readonly #component: ComponentPre<Seen>;

  private constructor(component: ComponentPre<Seen>) {
    this.#component = component;
  }

  static async create(engine: Engine, bytes: Uint8Array, types: readonly ValueType[]): Promise<Forwarding> {
    const components = new ComponentLinker<Seen>().define(hostOf(types));
    const linkers = { components, modules: new Linker<Seen>() };
    return new Forwarding(
      await ComponentPre.create({ engine, linkers }, planComponent(bytes), {
        name: "forwarder",
        hooks: { rewind() {}, commit() {}, initialData: () => ({ value: undefined }) },
      }),
    );
  }

  async send(index: number, value: unknown): Promise<Forwarded> {
    const seen: Seen = { value: undefined };
    using instance = this.#component.pre.instantiate(new Store(seen));
    const invocation = this.#component.invocation([`f${index}`], {
      lower: () => [value],
      lift: (_caller, result) => result,
    });
    const returned = await instance.run(invocation);
    return { seen: seen.value, returned };
  }

  [Symbol.dispose](): void {
    this.#component.pre[Symbol.dispose]();
  }
}

interface Seen {
  value: unknown;
}

/** A host that returns what it is given. */
function hostOf(types: readonly ValueType[]): HostInterface<Seen> {
  const echo = (caller: { readonly data: Seen }, value: unknown) => {
    caller.data.value = value;
    return value;
  };
  const functions = types.map((type, index) => ({ name: `f${index}`, type: forwardedFunction(type) }));
  return {
    wit: interfaceText(FORWARDED, functions),
    functions: Object.fromEntries(functions.map(({ name }) => [name, echo])),
  };
}
