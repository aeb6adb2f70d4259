// `outgoing-body`: what a guest sends, in an answer or in a request of its own.
//
// Until somebody reads the pipe, it holds what the guest writes; in first gear that is the whole answer.

import { BytePipe } from "../../bytes/mod.ts";
import { type GearedCaller, IoError, type OutputStream } from "../../wasi/mod.ts";
import { bodySizeError, type ErrorCode, HttpFailure, PROTOCOL_ERROR } from "./error-code.ts";
import type { Fields } from "./fields.ts";

/** What a guest can write before anybody reads. A guest that has more to say in first gear shifts. */
export const HELD_BYTES_MAX = 64 * 1024;

/** The `content-length` among the headers: undefined if there is none, "invalid" if it is no number. */
export function statedLength(fields: Fields): number | undefined | "invalid" {
  const value = fields.first("content-length");
  if (value === undefined) return undefined;
  const length = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(length) ? length : "invalid";
}

export class OutgoingBody implements Disposable {
  readonly pipe = new BytePipe(HELD_BYTES_MAX);
  readonly #kind: "request" | "response";
  readonly #length: number | undefined;
  #stream: OutgoingBodyStream | undefined;
  #limit: { readonly bytesMax: number; readonly overrun: () => Error } | undefined;

  /** @param length what the headers promise */
  constructor(kind: "request" | "response", length: number | undefined) {
    this.#kind = kind;
    this.#length = length;
  }

  /** Undefined: it was taken before. */
  write(): OutputStream | undefined {
    if (this.#stream) return undefined;
    this.#stream = new OutgoingBodyStream(this.pipe, (written) => this.#excess(written));
    return this.#stream;
  }

  /** Breaks the body off, with an error, as soon as it is longer than that. False: it is so already. */
  limit(bytesMax: number, overrun: () => Error): boolean {
    this.#limit = { bytesMax, overrun };
    return (this.#stream?.written ?? 0) <= bytesMax;
  }

  /**
   * Ends the body. A length that was promised and not kept is an error, and the body is broken off. It
   * is a trap while the stream is open.
   */
  finish(trailers: Fields | undefined): ErrorCode | undefined {
    if (this.#stream?.isOpen) throw new Error("The guest finishes a body whose stream it still has");
    return this.#end(trailers);
  }

  /** Ends the body of a guest that has returned and has it still: as in Spin, what there is of it counts as all. */
  close(): void {
    if (!this.pipe.isClosed) this.#end(undefined);
  }

  /** A body that is let go without its end is broken off. */
  [Symbol.dispose](): void {
    this.pipe.fail(new HttpFailure(PROTOCOL_ERROR));
  }

  /** What is wrong with a body of that length. */
  #excess(written: number): IoError | undefined {
    if (this.#length !== undefined && written > this.#length) {
      const failure = new HttpFailure(bodySizeError(this.#kind, written));
      return new IoError(`The body is longer than its content-length of ${this.#length}`, failure);
    }
    if (this.#limit === undefined || written <= this.#limit.bytesMax) return undefined;
    this.pipe.fail(this.#limit.overrun());
    const failure = new HttpFailure(bodySizeError(this.#kind, written));
    return new IoError(`The body is longer than the ${this.#limit.bytesMax} bytes that it may have`, failure);
  }

  #end(trailers: Fields | undefined): ErrorCode | undefined {
    const written = this.#stream?.written ?? 0;
    if (this.#length !== undefined && written !== this.#length) {
      const code = bodySizeError(this.#kind, written);
      this.pipe.fail(new HttpFailure(code));
      return code;
    }
    this.pipe.end(trailers?.list);
    return undefined;
  }
}

class OutgoingBodyStream implements OutputStream {
  readonly #pipe: BytePipe;
  readonly #excess: (written: number) => IoError | undefined;
  #isBroken = false;
  isOpen = true;
  written = 0;

  constructor(pipe: BytePipe, excess: (written: number) => IoError | undefined) {
    this.#pipe = pipe;
    this.#excess = excess;
  }

  room(): number | undefined {
    return this.#isBroken || this.#pipe.isCancelled || this.#pipe.isClosed ? undefined : this.#pipe.room;
  }

  /** @throws IoError if it is more than was promised, or than it may be; nothing of it is sent then */
  write(_caller: GearedCaller, bytes: Uint8Array): void {
    this.written += bytes.length;
    const excess = this.#excess(this.written);
    if (excess) {
      this.#isBroken = true;
      throw excess;
    }
    this.#pipe.write(bytes);
  }

  /** What is written is on its way already. */
  flush(): void {}

  isReady(): boolean {
    return !this.isOpen || this.room() !== 0;
  }

  watch(wake: () => void): () => void {
    return this.#pipe.onRoom(wake);
  }

  [Symbol.dispose](): void {
    this.isOpen = false;
  }
}
