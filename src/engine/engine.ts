// The engine: compiles modules once per process, and owns what all guests share: the epoch, the turns,
// the images of memories, and what slots the process may have.

import { createHash } from "node:crypto";
import { totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import type { RewrittenModule } from "../wasm/mod.ts";
import { Budget, type Share } from "./budget.ts";
import { CompiledModule } from "./compiled-module.ts";
import { EpochClock } from "./epoch.ts";
import type { Gearing } from "./gears.ts";
import { ROOM_BYTES_MIN } from "./memory-claim.ts";
import { MemoryImages } from "./memory-images.ts";
import { ModuleCache } from "./module-cache.ts";
import type { SlotPool } from "./slot-pool.ts";
import { Turns } from "./turns.ts";

/** A process can hold about 16,350 memories; a slot takes two or more. What is left is for their images, one for each module. */
export const MEMORIES_MAX = 14_000;
/**
 * V8 keeps equal types of modules once per process, for good, and aborts at the millionth. We count them module by
 * module, equal ones again: a large module of today has some hundred.
 */
const TYPES_MAX = 500_000;
/** How long a stop waits for the disk that modules are kept on. */
const WRITE_MS_MAX = 2_000;
/** How often idle slots are looked at, to let go what a peak left behind. */
const TRIM_INTERVAL_MS = 5_000;
/** Looks after which a component that nobody called is idle. */
const IDLE_TRIMS_MIN = 12;
/** While all slots together have no more memory than this, idle components keep theirs. */
const KEPT_BYTES_MAX = 256 * 1024 * 1024;

/** The modules of this engine have so many types that V8 might not survive more of them. */
export class TypesExhaustedError extends Error {
  override readonly name = "TypesExhaustedError";
}

export interface EngineOptions {
  /** What an engine in another thread of this process has compiled; see `Engine.compiledModules()`. */
  readonly compiledModules?: CompiledModules;
  /** Keeps rewritten modules for the next start. */
  readonly cacheDirectory?: string;
  /** Most memories (each slot has two or more) in this process. */
  readonly memoriesMax?: number;
  /** Most bytes of the memories of all slots together; half of the machine's memory by default. */
  readonly memoryBytesMax?: number;
  /** Most bytes that the instances of all slots take of V8's heap together, tables above all; a quarter of it by default. */
  readonly heapBytesMax?: number;
  /** Most types of all modules together. */
  readonly typesMax?: number;
  /** "first" and "second" start every call in that gear: to compare. */
  readonly gearing?: Gearing;
  /** For tests: whether to shift at the host call with this number, counted from 0 in each call. */
  readonly forcesShift?: (hostCall: number) => boolean;
}

/** What one component's slots hold of what the process has. */
export interface SlotShares {
  readonly memories: Share;
  readonly memoryBytes: Share;
  readonly heapBytes: Share;
}

/** Modules by the digest of what they were before they were rewritten. A message to another thread carries them at no cost. */
export type CompiledModules = ReadonlyMap<string, WebAssembly.Module>;

export class Engine implements Disposable {
  readonly clock = new EpochClock();
  readonly turns = new Turns();
  readonly gearing: Gearing;
  readonly images = new MemoryImages();
  /** Memories, by number. */
  readonly #memories: Budget;
  /** The same in bytes. */
  readonly #memoryBytes: Budget;
  /** What the instances of slots take of V8's heap. V8 ends the process where it is full. */
  readonly #heapBytes: Budget;
  readonly forcesShift: ((hostCall: number) => boolean) | undefined;
  readonly #cache: ModuleCache | undefined;
  readonly #digests = new WeakMap<Uint8Array, string>();
  /** Those under way. */
  readonly #writes = new Set<Promise<void>>();
  readonly #modules = new Map<string, Promise<CompiledModule>>();
  readonly #given: CompiledModules;
  readonly #pools = new Set<SlotPool>();
  readonly #typesMax: number;
  #types = 0;
  #trimmer: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions = {}) {
    if (options.cacheDirectory !== undefined) this.#cache = new ModuleCache(options.cacheDirectory);
    this.gearing = options.gearing ?? "adaptive";
    this.#memories = new Budget(options.memoriesMax ?? MEMORIES_MAX);
    this.#memoryBytes = new Budget(options.memoryBytesMax ?? machineMemoryBytes() / 2);
    this.#heapBytes = new Budget(options.heapBytesMax ?? getHeapStatistics().heap_size_limit / 4);
    this.#given = options.compiledModules ?? new Map();
    this.#typesMax = options.typesMax ?? TYPES_MAX;
    this.forcesShift = options.forcesShift;
  }

  /**
   * Rewrites and compiles a core module; equal bytes are compiled once. They must not change afterwards.
   *
   * @param digest SHA-256 of these very bytes, for whoever knows it
   * @throws MalformedModuleError, TypesExhaustedError or WebAssembly.CompileError
   */
  async compile(bytes: Uint8Array, digest?: string): Promise<CompiledModule> {
    const module = await this.begin(bytes, digest);
    await module.ready;
    return module;
  }

  /** The same, but V8 may still be at it: wait for `ready` before it is instantiated. */
  begin(bytes: Uint8Array, digest = this.#digestOf(bytes)): Promise<CompiledModule> {
    let begun = this.#modules.get(digest);
    if (!begun) {
      begun = this.#begin(bytes, digest);
      this.#modules.set(digest, begun);
      // A module that cannot be compiled is not remembered: its file may be mended.
      begun.then(({ ready }) => ready).catch(() => this.#modules.delete(digest));
    }
    return begun;
  }

  /** Modules of the same binary, which components may share, are hashed once. */
  #digestOf(bytes: Uint8Array): string {
    let digest = this.#digests.get(bytes);
    if (digest === undefined) {
      digest = createHash("sha256").update(bytes).digest("hex");
      this.#digests.set(bytes, digest);
    }
    return digest;
  }

  async #begin(bytes: Uint8Array, digest: string): Promise<CompiledModule> {
    // One module may go beyond: what it has is known when it has been read.
    if (this.#types > this.#typesMax)
      throw new TypesExhaustedError(`The modules before it have ${this.#types} types`);
    const cached = await this.#cache?.get(digest);
    const startMs = performance.now();
    const rewritten = cached ?? (await rewriteNow(bytes));
    const rewriteMs = cached ? 0 : performance.now() - startMs;
    const module = new CompiledModule({ bytes, digest }, { rewritten, rewriteMs }, this.#given.get(digest));
    this.#types += rewritten.original.typeCount;
    // A module that V8 refuses is not worth keeping; one that is kept is written while the app starts.
    if (!cached)
      module.ready.then(
        () => this.#keep(module),
        () => undefined,
      );
    return module;
  }

  #keep({ digest, rewritten }: CompiledModule): void {
    const write = this.#cache?.put(digest, rewritten);
    if (!write) return;
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
  }

  /**
   * Resolves when what is kept for the next start is on disk. Wait for it before the process exits: one that is stopped
   * soon after its start would have to rewrite all again the next time, and so on. A disk that hangs is not waited for.
   */
  async kept(): Promise<void> {
    const limit = sleep(WRITE_MS_MAX, undefined, { ref: false });
    await Promise.race([Promise.all(this.#writes), limit]);
  }

  /** All that has been compiled, for engines in other threads of this process. */
  async compiledModules(): Promise<CompiledModules> {
    const modules = await Promise.all(this.#modules.values());
    await Promise.all(modules.map(({ ready }) => ready));
    return new Map(modules.map(({ digest, compiled }) => [digest, compiled]));
  }

  /** What the slots of one component are going to share with those of others. */
  shares(weight: number): SlotShares {
    return {
      memories: this.#memories.share(weight),
      memoryBytes: this.#memoryBytes.share(weight),
      heapBytes: this.#heapBytes.share(weight),
    };
  }

  /** Memories that slots hold now. */
  get memories(): number {
    return this.#memories.used;
  }

  /** Their bytes, as far as guests have grown them. */
  get memoryBytes(): number {
    return this.#memoryBytes.used;
  }

  /** Whether a component may keep a slot that it has not been asked for yet. */
  get keepsUnused(): boolean {
    return this.#memoryBytes.used <= KEPT_BYTES_MAX;
  }

  /** Little memory is left for one component: throws idle slots away. */
  makeRoom(share: Share): void {
    this.releaseIdle(() => share.room >= ROOM_BYTES_MIN);
  }

  /** Throws idle slots away until it is enough, those first that have been idle for longest. */
  releaseIdle(isEnough: () => boolean): void {
    const pools = [...this.#pools].filter(({ free }) => free > 0).sort((a, b) => a.usedAt - b.usedAt);
    for (const pool of pools) {
      if (isEnough()) return;
      pool.releaseIdle();
    }
  }

  addPool(pool: SlotPool): void {
    this.#pools.add(pool);
    this.#trimmer ??= setInterval(() => this.#trim(), TRIM_INTERVAL_MS).unref();
  }

  removePool(pool: SlotPool): void {
    this.#pools.delete(pool);
  }

  #trim(): void {
    for (const pool of this.#pools) pool.trim();
    if (this.keepsUnused) return;
    const idle = [...this.#pools].filter(({ idleTrims }) => idleTrims >= IDLE_TRIMS_MIN);
    for (const pool of idle.sort((a, b) => a.usedAt - b.usedAt)) {
      if (this.keepsUnused) return;
      pool.releaseIdle();
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#trimmer);
    this.clock[Symbol.dispose]();
  }
}

/** Memory of the machine, or what a container leaves of it. */
export function machineMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

async function rewriteNow(bytes: Uint8Array): Promise<RewrittenModule> {
  const { rewrite } = await import("./rewriter.ts");
  return rewrite(bytes);
}
