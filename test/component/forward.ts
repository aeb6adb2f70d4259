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
import { FORWARDED, THING, usesThing } from "./forwarder.ts";

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
  return {
    wit: new InterfaceText().of(types),
    functions: Object.fromEntries(types.map((_, index) => [`f${index}`, echo])),
  };
}

/** The interface that a forwarding component imports, in WIT. */
class InterfaceText {
  readonly #items: string[] = [];
  readonly #names = new Map<ValueType, string>();

  of(types: readonly ValueType[]): string {
    const functions = types.map((type, index) => {
      const reference = this.#reference(type);
      return `f${index}: func(value: ${reference})${type.kind === "borrow" ? "" : ` -> ${reference}`};`;
    });
    const resource = types.some(usesThing) ? `resource ${THING.name};` : "";
    return `interface ${FORWARDED} { ${[resource, ...this.#items, ...functions].join("\n")} }`;
  }

  #reference(type: ValueType): string {
    switch (type.kind) {
      case "record": {
        const fields = type.fields.map(({ name, type: each }) => `${name}: ${this.#reference(each)}`);
        return this.#named(type, fields);
      }
      case "variant": {
        const cases = type.cases.map((each) =>
          each.type ? `${each.name}(${this.#reference(each.type)})` : each.name,
        );
        return this.#named(type, cases);
      }
      case "enum":
      case "flags":
        return this.#named(type, type.names);
      case "list": {
        const element = this.#reference(type.element);
        return type.length === undefined ? `list<${element}>` : `list<${element}, ${type.length}>`;
      }
      case "tuple":
        return `tuple<${type.elements.map((each) => this.#reference(each)).join(", ")}>`;
      case "option":
        return `option<${this.#reference(type.payload)}>`;
      case "result": {
        const [ok, error] = [type.ok && this.#reference(type.ok), type.error && this.#reference(type.error)];
        if (error !== undefined) return `result<${ok ?? "_"}, ${error}>`;
        return ok === undefined ? "result" : `result<${ok}>`;
      }
      case "own":
        return THING.name;
      case "borrow":
        return `borrow<${THING.name}>`;
      default:
        return type.kind;
    }
  }

  #named(type: ValueType, members: readonly string[]): string {
    const name = this.#names.get(type) ?? `t${this.#names.size}`;
    if (!this.#names.has(type)) this.#items.push(`${type.kind} ${name} { ${members.join(", ")} }`);
    this.#names.set(type, name);
    return name;
  }
}
