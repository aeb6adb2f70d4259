// Resolves type definitions: every index by what it stands for.

import type { TypeDefinition, TypeReference } from "../binary/component.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import { CanonicalError } from "../canonical/canonical-error.ts";
import type { LayoutTable } from "../canonical/layout.ts";
import type { FunctionType, PrimitiveKind, ResourceType, ValueType } from "../types.ts";
import { requireLabels } from "./names.ts";
import type { Scope, Type } from "./scope.ts";

/** Definitions that mean the same wherever they stand; a resource is new in each instance. */
export type PlainTypeDefinition = Exclude<TypeDefinition, { readonly kind: "resource" }>;

/** One object for each. */
const PRIMITIVES: { readonly [K in PrimitiveKind]: ValueType } = {
  bool: { kind: "bool" },
  s8: { kind: "s8" },
  u8: { kind: "u8" },
  s16: { kind: "s16" },
  u16: { kind: "u16" },
  s32: { kind: "s32" },
  u32: { kind: "u32" },
  s64: { kind: "s64" },
  u64: { kind: "u64" },
  f32: { kind: "f32" },
  f64: { kind: "f64" },
  char: { kind: "char" },
  string: { kind: "string" },
};

export class TypeResolver {
  readonly #layouts: LayoutTable;
  readonly #scope: Scope;
  readonly #offset: number;

  constructor(layouts: LayoutTable, scope: Scope, offset: number) {
    this.#layouts = layouts;
    this.#scope = scope;
    this.#offset = offset;
  }

  /** @throws MalformedComponentError */
  resolve(definition: PlainTypeDefinition): Type {
    try {
      return this.#resolve(definition);
    } catch (error) {
      if (error instanceof UnsupportedComponentError) return { kind: "unsupported", error };
      if (error instanceof CanonicalError) this.#fail(error.message);
      throw error;
    }
  }

  #resolve(definition: PlainTypeDefinition): Type {
    switch (definition.kind) {
      case "func":
        return { kind: "func", func: this.#function(definition) };
      case "component":
      case "instance":
        return { ...definition, scope: this.#scope };
      default: {
        const value = this.#value(definition);
        // Whatever is too large or too deep is found here, before it is part of something larger.
        this.#layouts.of(value);
        return { kind: "value", value };
      }
    }
  }

  #value(
    definition: Exclude<PlainTypeDefinition, { readonly kind: "func" | "component" | "instance" }>,
  ): ValueType {
    switch (definition.kind) {
      case "primitive":
        return this.#reference(definition.type);
      case "record": {
        requireLabels(definition.fields, "field", this.#offset);
        const fields = definition.fields.map(({ name, type }) => ({ name, type: this.#reference(type) }));
        return { kind: "record", fields };
      }
      case "variant": {
        requireLabels(definition.cases, "case", this.#offset);
        const cases = definition.cases.map(({ name, type }) =>
          type === undefined ? { name } : { name, type: this.#reference(type) },
        );
        return { kind: "variant", cases };
      }
      case "list": {
        const element = this.#reference(definition.element);
        return definition.length === undefined
          ? { kind: "list", element }
          : { kind: "list", element, length: definition.length };
      }
      case "tuple":
        return { kind: "tuple", elements: definition.elements.map((type) => this.#reference(type)) };
      case "flags":
      case "enum": {
        const { kind, names } = definition;
        requireLabels(
          names.map((name) => ({ name })),
          kind === "flags" ? "flag" : "case",
          this.#offset,
        );
        return { kind, names };
      }
      case "option":
        return { kind: "option", payload: this.#reference(definition.payload) };
      case "result":
        return {
          kind: "result",
          ...(definition.ok === undefined ? {} : { ok: this.#reference(definition.ok) }),
          ...(definition.error === undefined ? {} : { error: this.#reference(definition.error) }),
        };
      case "own":
      case "borrow":
        return { kind: definition.kind, resource: this.resource(definition.resource) };
      case "stream":
      case "future":
      case "map":
        throw new UnsupportedComponentError(`the type ${definition.kind}`, this.#offset);
    }
  }

  #function({ params, result, async }: Extract<TypeDefinition, { readonly kind: "func" }>): FunctionType {
    if (async) throw new UnsupportedComponentError("an async function", this.#offset);
    requireLabels(params, "parameter", this.#offset);
    const resolved: FunctionType = {
      params: params.map(({ name, type }) => ({ name, type: this.#reference(type) })),
      ...(result === undefined ? {} : { result: this.#reference(result) }),
    };
    if (resolved.result && this.#layouts.of(resolved.result).hasBorrow) {
      this.#fail("a function returns a borrowed handle");
    }
    return resolved;
  }

  #reference(type: TypeReference): ValueType {
    if (type === "error-context") throw new UnsupportedComponentError("the type error-context", this.#offset);
    if (typeof type !== "number") return PRIMITIVES[type];
    const resolved = this.#type(type);
    if (resolved.kind !== "value") this.#fail(`type ${type} is not the type of a value`);
    return resolved.value;
  }

  resource(index: number): ResourceType {
    const resolved = this.#type(index);
    if (resolved.kind !== "resource") this.#fail(`type ${index} is not a resource`);
    return resolved.resource;
  }

  /** The function type that an import, export or lift names. */
  func(index: number): FunctionType | UnsupportedComponentError {
    const { type } = this.#scope.get("type", index, this.#offset);
    if (type.kind === "unsupported") return type.error;
    if (type.kind !== "func") this.#fail(`type ${index} is not a function type`);
    return type.func;
  }

  declared<K extends "component" | "instance">(kind: K, index: number): Extract<Type, { readonly kind: K }> {
    const { type } = this.#scope.get("type", index, this.#offset);
    if (type.kind !== kind) this.#fail(`type ${index} is not the type of ${article(kind)}`);
    // Its kind was asked for just now.
    return type as Extract<Type, { readonly kind: K }>;
  }

  #type(index: number): Type {
    const { type } = this.#scope.get("type", index, this.#offset);
    if (type.kind === "unsupported") throw type.error;
    return type;
  }

  #fail(reason: string): never {
    throw new MalformedComponentError(reason, this.#offset);
  }
}

function article(kind: "component" | "instance"): string {
  return kind === "component" ? "a component" : "an instance";
}
