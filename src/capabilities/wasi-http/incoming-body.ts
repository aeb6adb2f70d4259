// `incoming-body`: what a client sends to a guest, or a server that it asked.
//
// A body that is all there is read from memory, without a wait: then the guest stays in first gear. All
// else shifts before it is touched, because a replay could not read it again.

import type { BytePipe } from "../../bytes/mod.ts";
import {
  err,
  type GearedCaller,
  type InputStream,
  IoError,
  ok,
  type Pollable,
  type Result,
} from "../../wasi/mod.ts";
import { codeOf, type ErrorCode, HttpFailure } from "./error-code.ts";
import { Fields } from "./fields.ts";

const NOTHING = new Uint8Array(0);

export class IncomingBody implements Disposable {
  readonly #source: BytePipe;
  readonly #leave: () => void;
  #stream: IncomingBodyStream | undefined;

  /** @param leave called when the guest has let go of the body, without having waited for its end */
  constructor(source: BytePipe, leave: () => void) {
    this.#source = source;
    this.#leave = leave;
  }

  /** Undefined: it was taken before. */
  stream(): InputStream | undefined {
    if (this.#stream) return undefined;
    this.#stream = new IncomingBodyStream(this.#source);
    return this.#stream;
  }

  /** The end of the body: what is left of it is thrown away. It is a trap while the stream is open. */
  finish(): FutureTrailers {
    if (this.#stream?.isOpen) throw new Error("The guest finishes a body whose stream it still has");
    return new FutureTrailers(this.#source);
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}

class IncomingBodyStream implements InputStream {
  readonly #source: BytePipe;
  #memory: Uint8Array | undefined;
  #position = 0;
  #isStreaming = false;
  isOpen = true;

  constructor(source: BytePipe) {
    this.#source = source;
  }

  read(caller: GearedCaller, length: number): Uint8Array | undefined {
    const memory = this.#fromMemory(caller);
    if (memory) {
      if (this.#position === memory.length) return undefined;
      const bytes = memory.subarray(this.#position, this.#position + length);
      this.#position += bytes.length;
      return bytes;
    }
    if (length === 0) return NOTHING;
    const bytes = this.#source.read(length);
    if (bytes) return bytes;
    if (this.#source.state === "flowing" && !this.#source.isCancelled) return NOTHING;
    const { error } = this.#source;
    if (error) throw new IoError(error.message, new HttpFailure(codeOf(error)));
    return undefined;
  }

  isReady(caller: GearedCaller): boolean {
    if (!this.isOpen || this.#fromMemory(caller)) return true;
    return this.#source.held > 0 || this.#source.state !== "flowing" || this.#source.isCancelled;
  }

  watch(wake: () => void): () => void {
    return this.#source.onReadable(wake);
  }

  /** The body, if it is to be read from memory. Shifts if not. */
  #fromMemory(caller: GearedCaller): Uint8Array | undefined {
    if (this.#memory || this.#isStreaming) return this.#memory;
    this.#memory = this.#source.whole;
    if (this.#memory) return this.#memory;
    caller.shift();
    this.#isStreaming = true;
    return undefined;
  }

  [Symbol.dispose](): void {
    this.isOpen = false;
  }
}

/** Undefined: not yet. `err` without a value: they were taken before. */
type Trailers = Result<Result<Fields | undefined, ErrorCode>, undefined> | undefined;

export class FutureTrailers implements Pollable {
  readonly #source: BytePipe;
  #isTaken = false;

  constructor(source: BytePipe) {
    this.#source = source;
  }

  get(caller: GearedCaller): Trailers {
    if (this.#isTaken) return err(undefined);
    if (!this.isReady(caller)) return undefined;
    this.#isTaken = true;
    const { error, trailers } = this.#source;
    if (error) return ok(err(codeOf(error)));
    return ok(ok(trailers && Fields.received(trailers)));
  }

  isReady(caller: GearedCaller): boolean {
    if (this.#source.whole) return true;
    caller.shift();
    return this.#isAtEnd();
  }

  watch(wake: () => void): () => void {
    return this.#source.onReadable(() => {
      if (this.#isAtEnd()) wake();
    });
  }

  #isAtEnd(): boolean {
    while (this.#source.read());
    return this.#source.state !== "flowing" || this.#source.isCancelled;
  }
}
