// What components may import: host interfaces, described in WIT, with a function for each of theirs.
//
// Like the core linker it is filled at start-up and holds no state of a call.

import { type ImportedFunction, versionTrack } from "../component/mod.ts";
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
  /** By name of the resource; those that need no care may be left out. */
  readonly resources?: Readonly<Record<string, HostResource<T>>>;
}

/** What the linker has for an import, or why it has nothing. */
export type FoundImport<T> =
  | { readonly kind: "function"; readonly implementation: HostComponentFunction<T> | SuspendingFunction<T> }
  | {
      readonly kind: "problem";
      readonly reason: "unknown-interface" | "unknown-function" | "type";
      /** The interface or function that comes nearest. */
      readonly nearest?: string;
      /** For `type`: where the types differ. */
      readonly difference?: string;
    };

const HEADER = /^\s*interface\s+(\S+)\s*\{/;

export class ComponentLinker<T> {
  readonly #interfaces = new Map<string, HostInterface<T>>();
  /** The interface that serves each track of versions: the one with the highest version. */
  readonly #tracks = new Map<string, string>();

  /** @throws Error if the text names no interface, or one that is defined already */
  define(host: HostInterface<T>): this {
    const name = HEADER.exec(host.wit)?.[1];
    if (name === undefined) throw new Error("The text of a host interface begins with `interface NAME {`");
    if (this.#interfaces.has(name)) throw new Error(`The linker has the interface "${name}" already`);
    this.#interfaces.set(name, host);
    const track = versionTrack(name);
    const other = this.#tracks.get(track);
    if (other === undefined || isNewer(name, other)) this.#tracks.set(track, name);
    return this;
  }

  /** Full names of the interfaces, with versions. */
  names(): string[] {
    return [...this.#interfaces.keys()];
  }

  /** Whether there is an interface for imports of this name. */
  provides(interfaceName: string): boolean {
    return this.#tracks.has(versionTrack(interfaceName));
  }

  /** Finds the function for an import of a component. */
  find(item: ImportedFunction): FoundImport<T> {
    const name = item.interface ?? "";
    const host = this.#serving(name);
    if (!host) return { kind: "problem", reason: "unknown-interface", ...nearest(name, this.names()) };
    const implementation = host.functions[item.name];
    if (!implementation) {
      const names = Object.keys(host.functions);
      return { kind: "problem", reason: "unknown-function", ...nearest(item.name, names) };
    }
    return { kind: "function", implementation };
  }

  /** What is to be done when an object of this resource is let go. */
  dropOf(resource: {
    readonly interface: string;
    readonly name: string;
  }): ((caller: ComponentCaller<T>, object: never) => void) | undefined {
    return this.#serving(resource.interface)?.resources?.[resource.name]?.drop;
  }

  /** The interface that serves imports of this name: of its track of versions. */
  #serving(name: string): HostInterface<T> | undefined {
    return this.#interfaces.get(this.#tracks.get(versionTrack(name)) ?? "");
  }
}

function nearest(name: string, names: readonly string[]): { readonly nearest?: string } {
  const found = closestName(name, names);
  return found === undefined ? {} : { nearest: found };
}

/** Of two names in one track. */
function isNewer(name: string, other: string): boolean {
  return name.localeCompare(other, "en", { numeric: true }) > 0;
}
