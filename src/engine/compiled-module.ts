// A core module that was rewritten, and that V8 compiles: in the background, while others look at what it imports.

import { OffsetMap, type RewrittenModule } from "../wasm/mod.ts";

export class CompiledModule {
  /** Of what it was before it was rewritten. */
  readonly digest: string;
  readonly rewritten: RewrittenModule;
  /** Resolves when V8 is done. @throws WebAssembly.CompileError (rejected) */
  readonly ready: Promise<void>;
  readonly #original: Uint8Array;
  readonly #rewriteMs: number;
  #compileMs = 0;
  #compiled: WebAssembly.Module | undefined;
  #offsets: OffsetMap | undefined;

  /** @param given what V8 made of it in another thread */
  constructor(
    { bytes, digest }: { readonly bytes: Uint8Array; readonly digest: string },
    { rewritten, rewriteMs }: { readonly rewritten: RewrittenModule; readonly rewriteMs: number },
    given: WebAssembly.Module | undefined,
  ) {
    this.digest = digest;
    this.rewritten = rewritten;
    this.#original = bytes;
    this.#rewriteMs = rewriteMs;
    this.#compiled = given;
    this.ready = given ? Promise.resolve() : this.#compile();
    // It is waited for later, or not at all if something else went wrong.
    this.ready.catch(() => undefined);
  }

  get compiled(): WebAssembly.Module {
    if (!this.#compiled) throw new Error("The module was used before it was compiled");
    return this.#compiled;
  }

  /** What took how long; nothing where it was done before. */
  get madeIn(): { readonly rewriteMs: number; readonly compileMs: number } {
    return { rewriteMs: this.#rewriteMs, compileMs: this.#compileMs };
  }

  /** Maps an offset of a backtrace to the module as it was before it was rewritten. */
  originalOffset(offset: number): number | undefined {
    // Made by the first trap, and kept: a guest that traps for each request must not have it made for each.
    this.#offsets ??= new OffsetMap({ original: this.#original, rewritten: this.rewritten.bytes });
    return this.#offsets.original(offset);
  }

  async #compile(): Promise<void> {
    const startMs = performance.now();
    this.#compiled = await WebAssembly.compile(this.rewritten.bytes);
    this.#compileMs = performance.now() - startMs;
  }
}
