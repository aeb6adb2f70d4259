// Says in WIT what an interface has, of types that may have no names.

import type { FunctionType, ValueType } from "../../src/component/mod.ts";

export interface NamedFunction {
  readonly name: string;
  readonly type: FunctionType;
}

export function interfaceText(name: string, functions: readonly NamedFunction[]): string {
  return new InterfaceText().of(name, functions);
}

class InterfaceText {
  readonly #items: string[] = [];
  readonly #names = new Map<ValueType, string>();
  readonly #resources = new Set<string>();

  of(interfaceName: string, functions: readonly NamedFunction[]): string {
    const declared = functions.map(({ name, type: { params, result } }) => {
      const given = params.map((param) => `${param.name}: ${this.#reference(param.type)}`);
      return `${name}: func(${given.join(", ")})${result ? ` -> ${this.#reference(result)}` : ""};`;
    });
    const resources = [...this.#resources].map((name) => `resource ${name};`);
    return `interface ${interfaceName} { ${[...resources, ...this.#items, ...declared].join("\n")} }`;
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
        return this.#resource(type.resource.name ?? "");
      case "borrow":
        return `borrow<${this.#resource(type.resource.name ?? "")}>`;
      default:
        return type.kind;
    }
  }

  #resource(name: string): string {
    this.#resources.add(name);
    return name;
  }

  #named(type: ValueType, members: readonly string[]): string {
    const name = this.#names.get(type) ?? `t${this.#names.size}`;
    if (!this.#names.has(type)) this.#items.push(`${type.kind} ${name} { ${members.join(", ")} }`);
    this.#names.set(type, name);
    return name;
  }
}
