// Links rewritten modules without the engine: memories, card tables, epoch, ticks, images.
//
// It does what rewritten.ts asks of whoever links, in the plainest way, so that the rewriter can be
// tested alone.

import {
  CARD_SHIFT,
  CONTROL,
  HEAP_STEP_BYTES,
  type Limits,
  ModuleBuilder,
  type RewriteOptions,
  type RewrittenModule,
  rewrite,
  STRADDLE_BYTES,
} from "../../src/wasm/mod.ts";

const PAGE_BYTES = 65536;
/** What a memory may grow to if its module sets no maximum; the suite's modules grow far less. */
const PAGES_MAX = 1024;

/** A memory as the guest sees it, and the card table that goes with it. */
export class HarnessMemory {
  readonly memory: WebAssembly.Memory;
  readonly cards: WebAssembly.Memory;
  readonly limits: Limits;
  /** One for each card of the largest size that the memory may have. */
  readonly marks: Uint8Array;
  #image = new Uint8Array();
  #imagePages = 0;

  constructor(limits: Limits) {
    this.limits = limits;
    const pagesMax = Math.min(limits.max ?? Number.POSITIVE_INFINITY, Math.max(PAGES_MAX, limits.min));
    this.memory = newMemory({ ...limits, max: pagesMax });
    const cardCount = pagesMax * (PAGE_BYTES >> CARD_SHIFT);
    this.cards = new WebAssembly.Memory({
      initial: Math.ceil((CONTROL.MARKS + cardCount) / PAGE_BYTES),
      maximum: 1025,
    });
    this.marks = new Uint8Array(this.cards.buffer, CONTROL.MARKS, cardCount);
    this.control[CONTROL.PAGES / 4] = limits.min;
    this.control[CONTROL.PAGES_MAX / 4] = pagesMax;
  }

  get control(): Uint32Array {
    return new Uint32Array(this.cards.buffer, 0, CONTROL.MARKS / 4);
  }

  get pages(): number {
    return this.control[CONTROL.PAGES / 4] ?? 0;
  }

  /** Whether the real memory is larger than the guest sees. */
  get hasGrown(): boolean {
    return this.memory.buffer.byteLength > this.pages * PAGE_BYTES;
  }

  /** The bytes of the logical size. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer, 0, this.pages * PAGE_BYTES);
  }

  /** Keeps the present contents as those of a fresh instance. */
  takeImage(): void {
    this.#image = this.bytes.slice();
    this.#imagePages = this.pages;
    this.marks.fill(0);
  }

  /** Puts back what is marked, and nothing else. */
  restore(): void {
    const all = new Uint8Array(this.memory.buffer);
    const { marks } = this;
    for (let card = marks.indexOf(1); card >= 0; card = marks.indexOf(1, card + 1)) {
      const start = card << CARD_SHIFT;
      const end = Math.min(start + (1 << CARD_SHIFT) + STRADDLE_BYTES, all.length);
      if (start >= end) continue; // marked by a store that trapped
      all.fill(0, start, end);
      all.set(this.#image.subarray(start, end), start);
    }
    marks.fill(0);
    this.control[CONTROL.PAGES / 4] = this.#imagePages;
  }
}

function newMemory(limits: Limits & { readonly max: number }): WebAssembly.Memory {
  const { min, max, shared, is64 } = limits;
  return is64
    ? new WebAssembly.Memory({ initial: BigInt(min), maximum: BigInt(max), shared, address: "i64" })
    : new WebAssembly.Memory({ initial: min, maximum: max, shared });
}

export interface HarnessOptions extends RewriteOptions {
  /** Memories that the guest imports, by index. */
  readonly importedMemories?: readonly HarnessMemory[];
  /** What a tick asks; returns other than 0 to have `wait` called. */
  readonly poll?: () => number;
  readonly wait?: () => void;
  /** Told that nothing is left to allocate. Default: gives more. */
  readonly spent?: () => void;
}

export class HarnessInstance {
  readonly rewritten: RewrittenModule;
  readonly instance: WebAssembly.Instance;
  readonly memories: readonly HarnessMemory[];
  readonly epoch = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

  /** Instantiates; initialisers have not run yet. */
  constructor(rewritten: RewrittenModule, imports: WebAssembly.Imports = {}, options: HarnessOptions = {}) {
    this.rewritten = rewritten;
    const imported = options.importedMemories ?? [];
    this.memories = rewritten.original.memories.map(
      (limits, index) => imported[index] ?? new HarnessMemory(limits),
    );
    const own: Record<string, unknown> = { epoch: this.epoch };
    for (const [index, { memory, cards }] of this.memories.entries()) {
      own[`memory${index}`] = memory;
      own[`cards${index}`] = cards;
    }
    const module = new WebAssembly.Module(rewritten.bytes);
    this.instance = new WebAssembly.Instance(module, { ...imports, [rewritten.importModule]: own });
    this.#fillTicks(options);
  }

  #fillTicks({ poll = () => 0, wait = () => {}, spent = () => this.allowHeap() }: HarnessOptions): void {
    const { ticks } = this.rewritten.hooks;
    const table = ticks === undefined ? undefined : this.instance.exports[ticks];
    if (!(table instanceof WebAssembly.Table)) return;
    table.set(0, wasmFunction(poll, ["i32"]));
    table.set(1, wasmFunction(wait, []));
    table.set(2, wasmFunction(spent, []));
  }

  /** Lets the guest allocate more on V8's heap. */
  allowHeap(): void {
    const { heapBytesLeft } = this.rewritten.hooks;
    const left = heapBytesLeft === undefined ? undefined : this.instance.exports[heapBytesLeft];
    if (left instanceof WebAssembly.Global) left.value = BigInt(HEAP_STEP_BYTES);
  }

  /** Lets the guest tick at every check. */
  tickAlways(): void {
    new Int32Array(this.epoch.buffer)[0] = 1;
  }

  /** Runs what instantiation runs: active data segments, then the start function. */
  initialize(): void {
    this.#call(this.rewritten.hooks.initializeData);
    this.#call(this.rewritten.hooks.start);
  }

  /** Takes the present state as that of a fresh instance. */
  takeImage(): void {
    this.#call(this.rewritten.hooks.save);
    for (const memory of this.memories) memory.takeImage();
  }

  restore(): void {
    this.#call(this.rewritten.hooks.restore);
    for (const memory of this.memories) memory.restore();
  }

  /** Calls an export. */
  call(name: string, ...args: readonly unknown[]): unknown {
    const fn = this.instance.exports[name];
    if (typeof fn !== "function") throw new Error(`"${name}" is not a function`);
    return fn(...args);
  }

  #call(hook: string | undefined): void {
    if (hook !== undefined) this.call(hook);
  }
}

/** A JavaScript function as one of WebAssembly, so that it can be in a table. */
function wasmFunction(fn: () => unknown, results: readonly "i32"[]): unknown {
  const builder = new ModuleBuilder();
  const imported = builder.importFunction("", "f", { params: [], results });
  builder.exportFunction("f", imported);
  return new WebAssembly.Instance(new WebAssembly.Module(builder.build()), { "": { f: fn } }).exports.f;
}

/** Rewrites, instantiates, initialises, and takes the image. */
export function instantiate(
  bytes: Uint8Array,
  imports: WebAssembly.Imports = {},
  options: HarnessOptions = {},
): HarnessInstance {
  const harness = new HarnessInstance(rewrite(bytes, options), imports, options);
  harness.initialize();
  harness.takeImage();
  return harness;
}
