// Writes a component that hands on values: each of its exported functions calls a function of the host of
// the same type, with what it was given, and returns what that returns.
//
// So a value is lifted and lowered twice on its way in, and twice on its way out. Parameters and results
// lie in the memory of the component, which an allocator gives out and never takes back.

import { LayoutTable } from "../../src/component/canonical/layout.ts";
import { coreSignature, type Direction } from "../../src/component/link/core-signature.ts";
import type { FunctionType, StringEncoding, ValueType } from "../../src/component/mod.ts";
import type { PrimitiveKind } from "../../src/component/types.ts";
import { assembleText, ByteWriter } from "../../src/wasm/mod.ts";

/** The interface that it imports; its functions are `f0`, `f1` and so on, like those that the component exports. */
export const FORWARDED = "test:forward/host";
/** A resource of that interface. */
export const THING = { kind: "imported", interface: FORWARDED, name: "thing" } as const;

const SECTION = { CORE_MODULE: 1, CORE_INSTANCE: 2, ALIAS: 6, TYPE: 7, CANON: 8, IMPORT: 10, EXPORT: 11 };
const SORT = { FUNC: [0x01], TYPE: [0x03], CORE_FUNC: [0x00, 0x00], CORE_MEMORY: [0x00, 0x02] };
const ENCODINGS: Readonly<Record<StringEncoding, number>> = { utf8: 0, utf16: 1, "latin1+utf16": 2 };
const PRIMITIVES: Readonly<Record<PrimitiveKind, number>> = {
  bool: 0x7f,
  s8: 0x7e,
  u8: 0x7d,
  s16: 0x7c,
  u16: 0x7b,
  s32: 0x7a,
  u32: 0x79,
  s64: 0x78,
  u64: 0x77,
  f32: 0x76,
  f64: 0x75,
  char: 0x74,
  string: 0x73,
};
/** Results of different functions may overlap: one call is made at a time. */
const RESULT_AREA = 64;

export interface ForwarderOptions {
  readonly stringEncoding?: StringEncoding;
}

/** A function that takes the value and returns it; a borrowed handle is only taken. */
export function forwardedFunction(type: ValueType): FunctionType {
  const params = [{ name: "value", type }];
  return type.kind === "borrow" ? { params } : { params, result: type };
}

/** A component with a function for each of the types. */
export async function writeForwarder(
  types: readonly ValueType[],
  { stringEncoding = "utf8" }: ForwarderOptions = {},
): Promise<Uint8Array> {
  const functions = types.map(forwardedFunction);
  const imported = new TypeWriter(0);
  const outer = new TypeWriter(1);
  const writer = new ComponentWriter();
  writer.section(SECTION.TYPE, [instanceType(functions, imported)]);
  writer.section(SECTION.IMPORT, [entry((out) => out.u8(0x00).name(FORWARDED).u8(0x05).u32(0))]);
  for (const [type, name] of imported.named) outer.alias(type, name);
  const names = functions.map((_, index) => `f${index}`);
  const aliases = [...[...imported.named.values()].map((name) => aliasOf(SORT.TYPE, name))];
  writer.section(SECTION.ALIAS, [...aliases, ...names.map((name) => aliasOf(SORT.FUNC, name))]);
  const texts = [libraryText(functions), mainText(functions)];
  for (const bytes of await Promise.all(texts.map(assembleText))) writer.coreModule(bytes);
  writer.section(SECTION.CORE_INSTANCE, [entry((out) => out.u8(0x00).u32(0).u32(0))]);
  writer.section(SECTION.ALIAS, [
    coreAlias(SORT.CORE_MEMORY, 0, "memory"),
    coreAlias(SORT.CORE_FUNC, 0, "realloc"),
  ]);
  const options = [0x03, ENCODINGS[stringEncoding], 0x03, 0x00, 0x04, 0x00];
  const thing = outer.resource;
  const drop = thing === undefined ? [] : [entry((out) => out.u8(0x03).u32(thing))];
  writer.section(SECTION.CANON, [
    ...names.map((_, index) =>
      entry((out) =>
        out
          .u8(0x01, 0x00)
          .u32(index)
          .u8(...options),
      ),
    ),
    ...drop,
  ]);
  writer.section(SECTION.CORE_INSTANCE, [
    entry((out) => {
      const given = [...names, ...drop.map(() => "drop")];
      out.u8(0x01).u32(given.length);
      for (const [index, name] of given.entries())
        out
          .name(name)
          .u8(0x00)
          .u32(index + 1);
    }),
    entry((out) => out.u8(0x00).u32(1).u32(1).name("").u8(0x12).u32(1)),
  ]);
  writer.section(
    SECTION.ALIAS,
    names.map((name) => coreAlias(SORT.CORE_FUNC, 2, name)),
  );
  const functionTypes = functions.map((type) => outer.function(type));
  writer.section(SECTION.TYPE, outer.entries);
  const firstCore = 1 + names.length + drop.length;
  const lifts = functionTypes.map((type, index) =>
    entry((out) =>
      out
        .u8(0x00, 0x00)
        .u32(firstCore + index)
        .u8(...options)
        .u32(type),
    ),
  );
  writer.section(SECTION.CANON, lifts);
  writer.section(
    SECTION.EXPORT,
    names.map((name, index) =>
      entry((out) =>
        out
          .u8(0x00)
          .name(name)
          .u8(0x01)
          .u32(names.length + index)
          .u8(0x00),
      ),
    ),
  );
  return writer.take();
}

type Entry = Uint8Array;

function entry(write: (out: ByteWriter) => void): Entry {
  const out = new ByteWriter();
  write(out);
  return out.take();
}

class ComponentWriter {
  readonly #out = new ByteWriter().u8(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);

  section(id: number, entries: readonly Entry[]): void {
    const contents = new ByteWriter().u32(entries.length);
    for (const each of entries) contents.append(each);
    this.#out.u8(id).sized(contents.take());
  }

  coreModule(bytes: Uint8Array): void {
    this.#out.u8(SECTION.CORE_MODULE).sized(bytes);
  }

  take(): Uint8Array {
    return this.#out.take();
  }
}

function aliasOf(sort: readonly number[], name: string): Entry {
  return entry((out) =>
    out
      .u8(...sort)
      .u8(0x00)
      .u32(0)
      .name(name),
  );
}

function coreAlias(sort: readonly number[], instance: number, name: string): Entry {
  return entry((out) =>
    out
      .u8(...sort)
      .u8(0x01)
      .u32(instance)
      .name(name),
  );
}

/** The type of the imported instance: its types, under names, and its functions. */
function instanceType(functions: readonly FunctionType[], types: TypeWriter): Entry {
  types.exportsNamed = true;
  const indices = functions.map((type) => types.function(type));
  const exported = indices.map((index, number) =>
    entry((out) => out.u8(0x04, 0x00).name(`f${number}`).u8(0x01).u32(index)),
  );
  const declarations = [...types.entries, ...exported];
  return entry((out) => {
    out.u8(0x42).u32(declarations.length);
    for (const each of declarations) out.append(each);
  });
}

/** Writes definitions of types, each once, with those that it consists of before it. */
class TypeWriter {
  readonly entries: Entry[] = [];
  /** Types that have a name in the instance, in the order of their indices. */
  readonly named = new Map<ValueType | typeof THING, string>();
  /** Whether they are declarations of an instance type, which exports the types that have names. */
  exportsNamed = false;
  readonly #indices = new Map<unknown, number>();
  #next: number;

  constructor(firstIndex: number) {
    this.#next = firstIndex;
  }

  alias(type: ValueType | typeof THING, name: string): void {
    this.named.set(type, name);
    this.#indices.set(type, this.#next++);
  }

  /** Index of the resource, if it is used. */
  get resource(): number | undefined {
    return this.#indices.get(THING);
  }

  function({ params, result }: FunctionType): number {
    const given = params.map(({ name, type }) => ({ name, reference: this.#reference(type) }));
    const returned = result && this.#reference(result);
    return this.#define((out) => {
      out.u8(0x40).u32(given.length);
      for (const { name, reference } of given) out.name(name).append(reference);
      if (returned) out.u8(0x00).append(returned);
      else out.u8(0x01, 0x00);
    });
  }

  #reference(type: ValueType): Entry {
    if (type.kind in PRIMITIVES) return Uint8Array.of(PRIMITIVES[type.kind as PrimitiveKind]);
    const index = this.#indices.get(type) ?? this.#add(type);
    return entry((out) => out.signed(index));
  }

  #add(type: ValueType): number {
    const write = this.#writer(type);
    let index = this.#define(write);
    const needsName =
      type.kind === "record" || type.kind === "variant" || type.kind === "enum" || type.kind === "flags";
    if (this.exportsNamed && needsName)
      index = this.#export(type, Uint8Array.of(0x00, ...entry((out) => out.u32(index))));
    this.#indices.set(type, index);
    return index;
  }

  #export(type: ValueType | typeof THING, bound: Entry): number {
    const name = type === THING ? THING.name : `t${this.named.size}`;
    this.named.set(type, name);
    this.entries.push(entry((out) => out.u8(0x04, 0x00).name(name).u8(0x03).append(bound)));
    return this.#next++;
  }

  #define(write: (out: ByteWriter) => void): number {
    this.entries.push(entry((out) => write(this.exportsNamed ? out.u8(0x01) : out)));
    return this.#next++;
  }

  #handle(): number {
    const index = this.#indices.get(THING) ?? this.#export(THING, Uint8Array.of(0x01));
    this.#indices.set(THING, index);
    return index;
  }

  #writer(type: ValueType): (out: ByteWriter) => void {
    switch (type.kind) {
      case "record": {
        const fields = type.fields.map(({ name, type: each }) => ({
          name,
          reference: this.#reference(each),
        }));
        return (out) => {
          out.u8(0x72).u32(fields.length);
          for (const { name, reference } of fields) out.name(name).append(reference);
        };
      }
      case "variant": {
        const cases = type.cases.map(({ name, type: each }) => ({
          name,
          reference: each && this.#reference(each),
        }));
        return (out) => {
          out.u8(0x71).u32(cases.length);
          for (const { name, reference } of cases) optional(out.name(name), reference).u8(0x00);
        };
      }
      case "list": {
        const element = this.#reference(type.element);
        const { length } = type;
        return (out) =>
          length === undefined ? out.u8(0x70).append(element) : out.u8(0x67).append(element).u32(length);
      }
      case "tuple": {
        const elements = type.elements.map((each) => this.#reference(each));
        return (out) => {
          out.u8(0x6f).u32(elements.length);
          for (const each of elements) out.append(each);
        };
      }
      case "flags":
      case "enum": {
        const { kind, names } = type;
        return (out) => {
          out.u8(kind === "flags" ? 0x6e : 0x6d).u32(names.length);
          for (const name of names) out.name(name);
        };
      }
      case "option": {
        const payload = this.#reference(type.payload);
        return (out) => out.u8(0x6b).append(payload);
      }
      case "result": {
        const [ok, error] = [type.ok && this.#reference(type.ok), type.error && this.#reference(type.error)];
        return (out) => optional(optional(out.u8(0x6a), ok), error);
      }
      case "own":
      case "borrow": {
        const index = this.#handle();
        return (out) => out.u8(type.kind === "own" ? 0x69 : 0x68).u32(index);
      }
      default:
        throw new Error(`A ${type.kind} is not defined`);
    }
  }
}

function optional(out: ByteWriter, reference: Entry | undefined): ByteWriter {
  return reference ? out.u8(0x01).append(reference) : out.u8(0x00);
}

/** The memory, and an allocator that begins where the largest result ends. */
function libraryText(functions: readonly FunctionType[]): string {
  const layouts = new LayoutTable();
  const sizes = functions.map(({ result }) => (result ? layouts.of(result).size : 0));
  const start = Math.ceil((RESULT_AREA + Math.max(0, ...sizes)) / 16) * 16;
  return `(module
    (memory (export "memory") ${Math.ceil((start + 1) / 65_536)})
    (global $next (mut i32) (i32.const ${start}))
    (func (export "realloc") (param $old i32) (param $had i32) (param $alignment i32) (param $size i32) (result i32)
      (local $start i32)
      (local.set $start
        (i32.and
          (i32.add (global.get $next) (i32.sub (local.get $alignment) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $alignment))))
      (global.set $next (i32.add (local.get $start) (local.get $size)))
      (block $fits
        (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $fits (i32.ne (i32.const -1) (memory.grow
          (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
        unreachable)
      (local.get $start)))`;
}

function mainText(functions: readonly FunctionType[]): string {
  const layouts = new LayoutTable();
  const signature = (type: FunctionType, direction: Direction) => {
    const { params, results } = coreSignature(layouts, type, direction).type;
    const list = (what: string, types: readonly string[]) =>
      types.length === 0 ? "" : `(${what} ${types.join(" ")})`;
    return { text: `${list("param", params)} ${list("result", results)}`, params, results };
  };
  const drops = functions.some(({ params: [value] }) => usesThing(value?.type));
  const imports = functions.map(
    (type, index) => `(import "" "f${index}" (func $f${index} ${signature(type, "lower").text}))`,
  );
  const bodies = functions.map((type, index) => {
    const inner = signature(type, "lower");
    const outer = signature(type, "lift");
    const given = outer.params.map((_, at) => `(local.get ${at})`);
    const isPointed = inner.params.length > outer.params.length;
    const area = isPointed ? `(i32.const ${RESULT_AREA})` : "";
    const drop = type.params[0]?.type.kind === "borrow" ? "(call $drop (local.get 0))" : "";
    return `(func (export "f${index}") ${outer.text} (call $f${index} ${given.join(" ")} ${area}) ${area} ${drop})`;
  });
  const importedDrop = drops ? `(import "" "drop" (func $drop (param i32)))` : "";
  return `(module ${imports.join("\n")} ${importedDrop} ${bodies.join("\n")})`;
}

/** Whether there is a handle anywhere in a value. */
export function usesThing(type: ValueType | undefined): boolean {
  switch (type?.kind) {
    case "own":
    case "borrow":
      return true;
    case "record":
      return type.fields.some((field) => usesThing(field.type));
    case "variant":
      return type.cases.some((each) => usesThing(each.type));
    case "list":
      return usesThing(type.element);
    case "tuple":
      return type.elements.some(usesThing);
    case "option":
      return usesThing(type.payload);
    case "result":
      return usesThing(type.ok) || usesThing(type.error);
    default:
      return false;
  }
}
