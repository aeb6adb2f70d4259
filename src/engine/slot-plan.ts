// What a slot is made from: all that was decided when its component was pre-instantiated.

import type { CoreRef, SlotAccess } from "../component/mod.ts";
import type { FunctionType, Limits } from "../wasm/mod.ts";
import type { HostCall } from "./bind.ts";
import type { BoundComponent } from "./bound-component.ts";
import type { Share } from "./budget.ts";
import type { Caller } from "./caller.ts";
import type { CompiledModule } from "./compiled-module.ts";
import type { Engine } from "./engine.ts";
import type { GearPolicy } from "./gears.ts";
import type { MemoryImage } from "./memory-cell.ts";
import type { ShimPlan } from "./shim.ts";
import type { Turn } from "./turns.ts";

/** What the owner of the data does when a call begins anew or ends. */
export interface StoreHooks<T> {
  /** The call is replayed from its start: what it read is read again, what it wrote is dropped. */
  rewind(data: T): void;
  /** The call has ended: what was held back may be seen. */
  commit(data: T): void;
  /** Data for the initialisers that run at start-up. They reach stable imports only. */
  initialData(): T;
}

/** Core modules that are linked together: one, or those of a component. */
export interface LinkedGroup<T> {
  /** In the order of their instantiation. */
  readonly instances: readonly LinkedInstance[];
  /** The memories that the instances define; each slot has a cell for each. */
  readonly memories: readonly MemoryPlan[];
  /** Index of the memory that core host functions see; `undefined`: there is none. */
  readonly callerMemory: number | undefined;
  /** The host functions that the instances import. */
  readonly functions: readonly HostFunctionPlan<T>[];
  /** Through which those of them that may wait are called. */
  readonly shim: ShimPlan;
  /** Makes what a component keeps in a slot beside memories: its handles. Absent for a core module. */
  readonly bindComponent?: (access: SlotAccess, caller: Caller<T>) => BoundComponent;
}

export interface LinkedInstance {
  readonly module: CompiledModule;
  readonly imports: readonly LinkedImport[];
  /** For each memory of the module, imported ones first, its index in `LinkedGroup.memories`. */
  readonly memories: readonly number[];
}

export interface LinkedImport {
  readonly module: string;
  readonly name: string;
  readonly source:
    | { readonly kind: "function"; readonly index: number }
    | { readonly kind: "memory"; readonly index: number }
    /** Of an instance before this one. */
    | { readonly kind: "export"; readonly ref: CoreRef };
}

/** Index in `LinkedGroup.memories` of a memory that an instance exports; -1 if it exports none under that name. */
export function memoryIndex(instances: readonly LinkedInstance[], ref: CoreRef): number {
  const linked = instances[ref.instance];
  const { exports } = linked?.module.rewritten.original ?? { exports: [] };
  const exported = exports.find((item) => item.kind === "memory" && item.name === ref.name);
  return (exported && linked?.memories[exported.index]) ?? -1;
}

export interface MemoryPlan {
  readonly limits: Limits;
  readonly pagesMax: number;
}

export interface HostFunctionPlan<T> {
  readonly kind: "plain" | "suspending";
  readonly type: FunctionType;
  /** Whether the answer is the same in every call of this component. */
  readonly stable: boolean;
  /** Gives the function for one slot. */
  bind(caller: Caller<T>, component: BoundComponent | undefined): HostCall<T>;
}

export interface SlotPlan<T> {
  readonly engine: Engine;
  readonly name: string;
  readonly hooks: StoreHooks<T>;
  readonly group: LinkedGroup<T>;
  readonly gears: GearPolicy;
  readonly turn: Turn;
  /** Bytes of memory that the slots of the component share. */
  readonly memoryShare: Share;
  /** Most elements of all tables of an instance. */
  readonly tableElementsMax: number;
  /** Whether restoring makes an instance exactly like new; else it is instantiated again. */
  readonly isRecyclable: boolean;
  /** Thrown to abandon a call of the first gear. */
  readonly shiftTrap: object;
  /** The same at a tick. */
  readonly lateTrap: object;
  /** Thrown to abandon an initialiser that cannot be run ahead. */
  readonly unstableTrap: object;
  /** What the memories hold at the start of each call. */
  readonly images: readonly MemoryImage[];
  /** Exports to call at the start of each call, because they cannot be run ahead. */
  readonly initializers: readonly CoreRef[];
}
