// What components may import: host interfaces, described in WIT, with a function for each of theirs.
//
// Like the core linker it is filled at start-up and holds no state of a call.

import {
  type ByteLists,
  findOnTrack,
  functionDifference,
  type HostInterfaceType,
  type ImportedFunction,
  isOnTrack,
  parseInterface,
  type ResourceType,
} from "../component/mod.ts";
import { closestName } from "../errors/mod.ts";

/** What a host function sees of the component that called it. */
export interface ComponentCaller<T> {
  /** The state of the present call. */
  readonly data: T;
  /** To be called before a wait, and before an effect outside of the slot; see `Caller.shift`. */
  shift(): void;
  /** Whether the guest may be suspended here: a host function may return a promise only then. */
  readonly canSuspend: boolean;
  /** Aborted when the call ends early. Pass it to whatever waits. */
  readonly signal: AbortSignal;
  /** Ends the guest. It cannot be caught by the guest. */
  exit(code: number): never;
}

/**
 * Takes and returns values as `ValueType` says. What it throws ends the guest as a trap; errors that the
 * guest is to see are returned.
 */
export type HostComponentFunction<T> = (caller: ComponentCaller<T>, ...args: never[]) => unknown;

/** A function that may return a promise: it calls `caller.shift()` before. */
export interface SuspendingFunction<T> {
  readonly kind: "suspending";
  readonly fn: HostComponentFunction<T>;
}

/** Marks a host function that may wait. */
export function suspending<T>(fn: HostComponentFunction<T>): SuspendingFunction<T> {
  return { kind: "suspending", fn };
}

export interface HostResource<T> {
  /** The guest let go of an own handle, or the call has ended with one left (then `caller` can do nothing but give its data). */
  drop?(caller: ComponentCaller<T>, object: never): void;
}

export interface HostInterface<T> {
  /** One interface in WIT with its full name: `interface wasi:random/random@0.2.12 { ... }`. */
  readonly wit: string;
  /** By WIT name: `get-random-u64`, `[method]input-stream.read`, `[constructor]fields`. One for each function of `wit`. */
  readonly functions: Readonly<Record<string, HostComponentFunction<T> | SuspendingFunction<T>>>;
  /** How its functions take and give lists of u8: as arrays by default. */
  readonly byteLists?: ByteLists;
  /** By name of the resource; those that need no care may be left out. */
  readonly resources?: Readonly<Record<string, HostResource<T>>>;
}

/** What the linker has for an import, or why it has nothing. */
export type FoundImport<T> =
  | {
      readonly kind: "function";
      readonly implementation: HostComponentFunction<T> | SuspendingFunction<T>;
      readonly byteLists?: ByteLists | undefined;
    }
  | {
      readonly kind: "problem";
      readonly reason: "unknown-interface" | "unknown-function" | "type";
      /** The interface or function that comes nearest. */
      readonly nearest?: string;
      /** For `type`: where the types differ. */
      readonly difference?: string;
    };

const HEADER = /^\s*interface\s+(\S+)\s*\{/;

/** An interface with its types, which are read from its text when a component first imports it. */
interface Offered<T> {
  readonly name: string;
  readonly host: HostInterface<T>;
  type: HostInterfaceType | undefined;
}

export class ComponentLinker<T> {
  readonly #offered = new Map<string, Offered<T>>();
  /** Which interface serves imports of a name: comparing versions takes time, and many imports ask. */
  readonly #serves = new Map<string, string | undefined>();

  /** @throws Error if the text names no interface, or one that is defined already */
  define(host: HostInterface<T>): this {
    const name = HEADER.exec(host.wit)?.[1];
    if (name === undefined) throw new Error("The text of a host interface begins with `interface NAME {`");
    if (this.#offered.has(name)) throw new Error(`The linker has the interface "${name}" already`);
    this.#offered.set(name, { name, host, type: undefined });
    this.#serves.clear();
    return this;
  }

  /** Full names of the interfaces, with versions. */
  names(): string[] {
    return [...this.#offered.keys()];
  }

  /** Whether there is an interface for imports of this name. */
  provides(interfaceName: string): boolean {
    return this.#serving(interfaceName) !== undefined;
  }

  /**
   * Finds the function for an import of a component.
   *
   * @throws WitError or Error if the text of the interface is wrong
   */
  find(item: ImportedFunction): FoundImport<T> {
    const name = item.interface ?? "";
    const offered = this.#serving(name);
    if (!offered) return { kind: "problem", reason: "unknown-interface", ...nearest(name, this.names()) };
    const { functions } = this.#typeOf(offered);
    const type = functions.get(item.name);
    const implementation = offered.host.functions[item.name];
    if (!type || !implementation)
      return { kind: "problem", reason: "unknown-function", ...nearest(item.name, functions.keys()) };
    const difference = functionDifference(item.type, type, isSameResource);
    if (difference !== undefined) return { kind: "problem", reason: "type", difference };
    return { kind: "function", implementation, byteLists: offered.host.byteLists };
  }

  /** What is to be done when an object of this resource is let go. */
  dropOf(resource: {
    readonly interface: string;
    readonly name: string;
  }): ((caller: ComponentCaller<T>, object: never) => void) | undefined {
    return this.#serving(resource.interface)?.host.resources?.[resource.name]?.drop;
  }

  /** The interface that serves imports of this name: the highest version of its track. */
  #serving(name: string): Offered<T> | undefined {
    if (!this.#serves.has(name)) this.#serves.set(name, findOnTrack(name, this.#offered.keys()));
    return this.#offered.get(this.#serves.get(name) ?? "");
  }

  #typeOf(offered: Offered<T>): HostInterfaceType {
    if (offered.type) return offered.type;
    const type = parseInterface(offered.host.wit, (name) => {
      const used = this.#offered.get(name);
      return used && this.#typeOf(used);
    });
    checkFunctions(offered, type);
    offered.type = type;
    return type;
  }
}

function checkFunctions<T>({ name, host }: Offered<T>, { functions }: HostInterfaceType): void {
  const missing = [...functions.keys()].filter((each) => !Object.hasOwn(host.functions, each));
  const extra = Object.keys(host.functions).filter((each) => !functions.has(each));
  if (missing.length > 0) throw new Error(`"${name}" has no function for ${missing.join(", ")}`);
  if (extra.length > 0) throw new Error(`The text of "${name}" does not declare ${extra.join(", ")}`);
}

/** Versions of one track share their resources. */
function isSameResource(guest: ResourceType, host: ResourceType): boolean {
  return (
    guest.kind === "imported" &&
    host.kind === "imported" &&
    guest.name === host.name &&
    isOnTrack(guest.interface, host.interface)
  );
}

function nearest(name: string, names: Iterable<string>): { readonly nearest?: string } {
  const found = closestName(name, names);
  return found === undefined ? {} : { nearest: found };
}
