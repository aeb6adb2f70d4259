// What a core module says about the component that it is to become: its `component-type` sections.
//
// Bindings generators write one section each, so a module may have several; it is to have all that they
// ask for. A section is itself a component, one of whose exported types is that of the world.
//
// Facts: crates/wit-component/src/metadata.rs in bytecodealliance/wasm-tools.

import { ByteReader, type CustomSection, MalformedModuleError, readModule } from "../../wasm/mod.ts";
import type { Component } from "../binary/component.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import { readComponent } from "../binary/read-component.ts";
import type { StringEncoding } from "../plan.ts";
import { anyProvider, declare, type Extern, provide } from "./declared.ts";
import { isComponentType } from "./has-component-type.ts";
import { instantiate } from "./instantiate.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { isProducers, type Producer, readProducersSection } from "./producers.ts";
import type { DeclaredType, Item } from "./scope.ts";

const ENCODING_SECTION = "wit-component-encoding";
/** The format in which the section begins with its encoding and the name of its world, before the component. */
const PREFIXED_FORMAT = 3;
/** The format in which a custom section of the component has the encoding, and the component only one world. */
const PLAIN_FORMAT = 4;
const STRING_ENCODINGS: readonly StringEncoding[] = ["utf8", "utf16", "latin1+utf16"];

interface ComponentTypeSection {
  readonly component: Component;
  /** Absent where the component has only one. */
  readonly worldName: string | undefined;
  readonly stringEncoding: StringEncoding;
}

export interface World {
  readonly type: DeclaredType;
  readonly stringEncoding: StringEncoding;
}

/**
 * The bindings generators of a core module, with their versions, as its `component-type` sections tell;
 * `undefined` if there are no such sections.
 *
 * @throws MalformedModuleError
 * @throws MalformedComponentError
 */
export function readBindingsProducers(
  bytes: Uint8Array,
): readonly Pick<Producer, "name" | "version">[] | undefined {
  const sections = readSections(readModule(bytes).customSections);
  if (sections.length === 0) return undefined;
  const producers = sections
    .flatMap(({ component }) => component.customSections)
    .filter(isProducers)
    .flatMap(({ contents }) => readProcessedBy(contents));
  const byText = new Map(producers.map((producer) => [`${producer.name} ${producer.version}`, producer]));
  return [...byText.values()];
}

/** The worlds that a module is made for, one of each section. */
export function readWorlds(plan: PlanBuilder, customSections: readonly CustomSection[]): World[] {
  return readSections(customSections).map((section) => ({
    type: worldType(plan, section),
    stringEncoding: section.stringEncoding,
  }));
}

function readSections(customSections: readonly CustomSection[]): ComponentTypeSection[] {
  return customSections.filter(isComponentType).map(readSection);
}

function readSection({ contents }: CustomSection): ComponentTypeSection {
  if (contents[0] !== PREFIXED_FORMAT) {
    const component = readComponent(contents);
    const encoding = component.customSections.find(({ name }) => name === ENCODING_SECTION)?.contents;
    if (encoding?.[0] !== PLAIN_FORMAT) {
      throw new UnsupportedComponentError(`a component type of format ${encoding?.[0] ?? "unknown"}`, 0);
    }
    return { component, worldName: undefined, stringEncoding: stringEncoding(encoding[1]) };
  }
  const reader = new ByteReader(contents, { start: 1, end: contents.length });
  return readOrFail(reader, () => {
    const encoding = stringEncoding(reader.u8());
    const worldName = reader.name();
    return {
      component: readComponent(contents.subarray(reader.offset)),
      worldName,
      stringEncoding: encoding,
    };
  });
}

function stringEncoding(code: number | undefined): StringEncoding {
  const encoding = code === undefined ? undefined : STRING_ENCODINGS[code];
  if (!encoding) throw new MalformedComponentError("a component type has an unknown string encoding", 0);
  return encoding;
}

function readOrFail<T>({ offset }: ByteReader, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedModuleError)) throw error;
    throw new MalformedComponentError(error.reason, offset, { cause: error });
  }
}

/** Worlds are types of components within exported types of components: the outer ones are packages. */
function worldType(plan: PlanBuilder, { component, worldName }: ComponentTypeSection): DeclaredType {
  const rehearsal = plan.rehearsal();
  const give = (path: { readonly name: string; readonly extern: Extern; readonly offset: number }): Item =>
    provide(rehearsal, anyProvider, path.extern, { interface: undefined, ...path });
  const exports = instantiate(rehearsal, { component, outer: undefined, give, checksNested: false });
  const worlds: [string, DeclaredType][] = [];
  for (const item of exports.values()) {
    if (item.kind !== "type" || item.type.kind !== "component") continue;
    declare(rehearsal, item.type, {
      import: give,
      export: (named) => {
        if (named.extern.kind === "component") worlds.push([named.name, named.extern]);
        return give(named);
      },
    });
  }
  const [found] = worldName === undefined ? worlds : worlds.filter(([name]) => isWorld(name, worldName));
  if (!found) throw new MalformedComponentError(`a component type has no world "${worldName ?? ""}"`, 0);
  return found[1];
}

/** A world `w` has the full name `namespace:package/w@version`. */
function isWorld(fullName: string, worldName: string): boolean {
  return fullName.replace(/@.*$/, "").endsWith(`/${worldName}`);
}

/** The bindings generators of a `producers` section. */
function readProcessedBy(contents: Uint8Array): Pick<Producer, "name" | "version">[] {
  const reader = new ByteReader(contents, { start: 0, end: contents.length });
  return readOrFail(reader, () => readProducersSection(contents))
    .filter(({ field, name }) => field === "processed-by" && name.startsWith("wit-bindgen"))
    .map(({ name, version }) => ({ name, version }));
}
