// The engine: compiles modules once per process, and owns what all guests share: the epoch, the turns,
// and the number of slots that the process may have.

import { createHash } from "node:crypto";
import { OffsetMap, type RewrittenModule, rewrite } from "../wasm/mod.ts";
import { EpochClock } from "./epoch.ts";
import { freeLater } from "./free-memory.ts";
import type { Gearing } from "./gears.ts";
import { ModuleCache } from "./module-cache.ts";
import type { SlotPool } from "./slot-pool.ts";
import { Turns } from "./turns.ts";

/** A process can hold about 16,350 memories; a slot takes two or more. */
export const MEMORIES_MAX = 15_000;
/** How often idle slots are looked at, to let go what a peak left behind. */
const TRIM_INTERVAL_MS = 5_000;

export interface EngineOptions {
  /** What an engine in another thread of this process has compiled; see `Engine.compiledModules()`. */
  readonly compiledModules?: CompiledModules;
  /** Keeps rewritten modules for the next start. */
  readonly cacheDirectory?: string;
  /** Most memories (each slot has two or more) in this process. */
  readonly memoriesMax?: number;
  /** "first" and "second" start every call in that gear: to compare. */
  readonly gearing?: Gearing;
  /** For tests: whether to shift at the host call with this number, counted from 0 in each call. */
  readonly forcesShift?: (hostCall: number) => boolean;
}

/** Modules by the digest of what they were before they were rewritten. A message to another thread carries them at no cost. */
export type CompiledModules = ReadonlyMap<string, WebAssembly.Module>;

export class Engine implements Disposable {
  readonly clock = new EpochClock();
  readonly turns = new Turns();
  readonly gearing: Gearing;
  readonly #memoriesMax: number;
  readonly forcesShift: ((hostCall: number) => boolean) | undefined;
  readonly #cache: ModuleCache | undefined;
  readonly #modules = new Map<string, Promise<CompiledModule>>();
  readonly #given: CompiledModules;
  readonly #pools = new Set<SlotPool>();
  #memories = 0;
  #trimmer: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions = {}) {
    if (options.cacheDirectory !== undefined) this.#cache = new ModuleCache(options.cacheDirectory);
    this.gearing = options.gearing ?? "adaptive";
    this.#memoriesMax = options.memoriesMax ?? MEMORIES_MAX;
    this.#given = options.compiledModules ?? new Map();
    this.forcesShift = options.forcesShift;
  }

  /**
   * Rewrites and compiles a core module; equal bytes are compiled once.
   *
   * @throws MalformedModuleError or WebAssembly.CompileError
   */
  compile(bytes: Uint8Array): Promise<CompiledModule> {
    const digest = createHash("sha256").update(bytes).digest("hex");
    let compiled = this.#modules.get(digest);
    if (!compiled) {
      compiled = compileModule(bytes, digest, { cache: this.#cache, given: this.#given.get(digest) });
      this.#modules.set(digest, compiled);
      // A module that cannot be compiled is not remembered: its file may be mended.
      compiled.catch(() => this.#modules.delete(digest));
    }
    return compiled;
  }

  /** All that has been compiled, for engines in other threads of this process. */
  async compiledModules(): Promise<CompiledModules> {
    const modules = await Promise.all(this.#modules.values());
    return new Map(modules.map(({ digest, compiled }) => [digest, compiled]));
  }

  /** Reserves memories for a slot; where there are too many, idle slots are thrown away first. */
  reserve(memories: number): boolean {
    if (this.#memories + memories > this.#memoriesMax) {
      for (const pool of this.#pools) pool.releaseIdle();
    }
    if (this.#memories + memories > this.#memoriesMax) return false;
    this.#memories += memories;
    return true;
  }

  /** Gives back what a slot had; V8 frees it once it knows that nobody holds it. */
  release(memories: number, grownBytes: number): void {
    this.#memories -= memories;
    freeLater(grownBytes);
  }

  /** Memories that slots hold now. */
  get memories(): number {
    return this.#memories;
  }

  addPool(pool: SlotPool): void {
    this.#pools.add(pool);
    this.#trimmer ??= setInterval(() => {
      for (const each of this.#pools) each.trim();
    }, TRIM_INTERVAL_MS).unref();
  }

  removePool(pool: SlotPool): void {
    this.#pools.delete(pool);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#trimmer);
    this.clock[Symbol.dispose]();
  }
}

export interface CompiledModule {
  readonly digest: string;
  readonly rewritten: RewrittenModule;
  readonly compiled: WebAssembly.Module;
  /** Maps an offset of a backtrace to the module as it was before it was rewritten. */
  originalOffset(offset: number): number | undefined;
}

async function compileModule(
  bytes: Uint8Array,
  digest: string,
  {
    cache,
    given,
  }: { readonly cache: ModuleCache | undefined; readonly given: WebAssembly.Module | undefined },
): Promise<CompiledModule> {
  const cached = await cache?.get(digest);
  const rewritten = cached ?? rewrite(bytes);
  const compiled = given ?? (await WebAssembly.compile(rewritten.bytes));
  // A module that V8 refuses is not worth keeping; one that is kept is written while the app starts.
  if (!cached) void cache?.put(digest, rewritten);
  // Made by the first trap, and kept: a guest that traps for each request must not have it made for each.
  let offsets: OffsetMap | undefined;
  return {
    digest,
    rewritten,
    compiled,
    originalOffset(offset) {
      offsets ??= new OffsetMap(bytes);
      return offsets.original(offset);
    },
  };
}
