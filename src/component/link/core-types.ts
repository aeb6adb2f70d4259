// Types of core modules and of what they import and export: resolved, and compared.

import type { CoreModule, ExternType, FunctionType, Limits, ValueType } from "../../wasm/mod.ts";
import type { CoreExternReference, CoreTypeDefinition } from "../binary/component.ts";
import { MalformedComponentError } from "../binary/component-error.ts";
import type { CoreExport, ItemOf, Scope } from "./scope.ts";

export interface ModuleType {
  readonly imports: CoreModule["imports"];
  readonly exports: readonly CoreExport[];
}

/** A core type that is defined in the scope. @throws MalformedComponentError if it is that of a module, and wrong */
export function coreTypeItem(scope: Scope, type: CoreTypeDefinition, offset: number): ItemOf<"core type"> {
  const item = { kind: "core type", type, scope } as const;
  if (type.kind === "module") resolveModuleType(item, offset);
  return item;
}

/** @throws MalformedComponentError if it is not the type of a module */
export function resolveModuleType({ type, scope }: ItemOf<"core type">, offset: number): ModuleType {
  if (type.kind !== "module")
    throw new MalformedComponentError("a core type is not that of a module", offset);
  const types: CoreTypeDefinition[] = [];
  const imports: CoreModule["imports"][number][] = [];
  const exports: CoreExport[] = [];
  const names = new Set<string>();
  for (const declaration of type.declarations) {
    switch (declaration.kind) {
      case "type":
        types.push(declaration.type);
        break;
      case "alias":
        types.push(aliasedType(scope, declaration, offset));
        break;
      case "import": {
        const { module, name } = declaration;
        imports.push({ module, name, ...resolveReference(declaration.type, types, offset) });
        break;
      }
      case "export":
        if (names.has(declaration.name)) {
          throw new MalformedComponentError(`a module type exports "${declaration.name}" twice`, offset);
        }
        names.add(declaration.name);
        exports.push({ name: declaration.name, ...resolveReference(declaration.type, types, offset) });
        break;
    }
  }
  requireImportsOnce(imports, offset);
  return { imports, exports };
}

/** Components give imports by name. @throws MalformedComponentError if a module, or its type, has two of one name */
export function requireImportsOnce(imports: CoreModule["imports"], offset: number): void {
  const names = new Set<string>();
  for (const { module, name } of imports) {
    const key = JSON.stringify([module, name]);
    if (names.has(key))
      throw new MalformedComponentError(`a core module imports "${module}" "${name}" twice`, offset);
    names.add(key);
  }
}

/** The module type is itself a scope, and 0 would be it. */
function aliasedType(
  scope: Scope,
  alias: { readonly scopes: number; readonly index: number },
  offset: number,
): CoreTypeDefinition {
  if (alias.scopes === 0) throw new MalformedComponentError("a module type aliases itself", offset);
  return scope.outer(alias.scopes - 1, offset).get("core type", alias.index, offset).type;
}

function resolveReference(
  reference: CoreExternReference,
  types: readonly CoreTypeDefinition[],
  offset: number,
): ExternType {
  if (reference.kind === "memory") requireMemory(reference.type, offset);
  if (reference.kind !== "func" && reference.kind !== "tag") return reference;
  const type = types[reference.type];
  if (type?.kind !== "func") {
    throw new MalformedComponentError(`core type ${reference.type} is not a function type`, offset);
  }
  return { kind: reference.kind, type: type.type };
}

/** Pages of 64 KiB that 32 bits can address. */
const MEMORY_PAGES_MAX = 65_536;

function requireMemory({ min, max = min, is64 }: Limits, offset: number): void {
  if (is64 || Math.max(min, max) <= MEMORY_PAGES_MAX) return;
  throw new MalformedComponentError(`a memory of more than ${MEMORY_PAGES_MAX} pages`, offset);
}

/** Whether a module that imports `expected` can be given `actual`. */
export function acceptsCore(expected: ExternType, actual: ExternType): boolean {
  switch (expected.kind) {
    case "func":
    case "tag":
      return actual.kind === expected.kind && sameCoreFunction(expected.type, actual.type);
    case "table":
      return (
        actual.kind === "table" &&
        sameCoreValue(expected.type.type, actual.type.type) &&
        acceptsLimits(expected.type.limits, actual.type.limits)
      );
    case "memory":
      return actual.kind === "memory" && acceptsLimits(expected.type, actual.type);
    case "global":
      return (
        actual.kind === "global" &&
        actual.type.mutable === expected.type.mutable &&
        sameCoreValue(expected.type.type, actual.type.type)
      );
  }
}

export function sameCoreFunction(a: FunctionType, b: FunctionType): boolean {
  return sameCoreValues(a.params, b.params) && sameCoreValues(a.results, b.results);
}

function sameCoreValues(a: readonly ValueType[], b: readonly ValueType[]): boolean {
  return a.length === b.length && a.every((type, at) => sameCoreValue(type, b[at]));
}

/** Concrete types go by index, which another module does not share. The engine compares what they stand for. */
function sameCoreValue(a: ValueType, b: ValueType | undefined): boolean {
  return a === b || isConcrete(a);
}

function isConcrete(type: ValueType): boolean {
  return /^ref (null )?\d/.test(type);
}

function acceptsLimits(expected: Limits, actual: Limits): boolean {
  if (expected.is64 !== actual.is64 || expected.shared !== actual.shared) return false;
  if (actual.min < expected.min) return false;
  return expected.max === undefined || (actual.max !== undefined && actual.max <= expected.max);
}

/** Whether a module of type `actual` can stand for one of type `expected`: it asks for no more, and gives no less. */
export function acceptsModule(expected: ModuleType, actual: ModuleType): boolean {
  const given = new Map(expected.imports.map((item) => [JSON.stringify([item.module, item.name]), item]));
  const exported = new Map(actual.exports.map((item) => [item.name, item]));
  return (
    actual.imports.every((item) => {
      const found = given.get(JSON.stringify([item.module, item.name]));
      return found !== undefined && acceptsCore(item, found);
    }) &&
    expected.exports.every((item) => {
      const found = exported.get(item.name);
      return found !== undefined && acceptsCore(item, found);
    })
  );
}
