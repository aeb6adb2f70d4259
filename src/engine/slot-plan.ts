// What a slot is made from: all that was decided when its component was pre-instantiated.

import type { CompiledModule, Engine } from "./engine.ts";
import type { GearPolicy } from "./gears.ts";
import type { LinkedFunction } from "./linker.ts";
import type { MemoryImage } from "./memory-cell.ts";
import type { ShimPlan } from "./shim.ts";

/** What the owner of the data does when a call begins anew or ends. */
export interface StoreHooks<T> {
  /** The call is replayed from its start: what it read is read again, what it wrote is dropped. */
  rewind(data: T): void;
  /** The call has ended: what was held back may be seen. */
  commit(data: T): void;
  /** Data for the initialisers that run at start-up. They reach stable imports only. */
  initialData(): T;
}

export interface LinkedImport<T> {
  readonly module: string;
  readonly name: string;
  readonly linked: LinkedFunction<T>;
  readonly stable: boolean;
}

export interface SlotPlan<T> {
  readonly engine: Engine;
  readonly module: CompiledModule;
  readonly name: string;
  readonly hooks: StoreHooks<T>;
  readonly memoryPagesMax: number;
  /** Imports that never wait, and those that may. */
  readonly plain: readonly LinkedImport<T>[];
  readonly suspending: readonly LinkedImport<T>[];
  readonly shim: ShimPlan;
  readonly gears: GearPolicy;
  /** Thrown to abandon a call of the first gear. */
  readonly shiftTrap: object;
  /** Thrown to abandon an initialiser that cannot be run ahead. */
  readonly unstableTrap: object;
  /** What the memories hold at the start of each call. */
  readonly images: readonly MemoryImage[];
  /** Exports to call at the start of each call, because they cannot be run ahead. */
  readonly initializers: readonly string[];
}
