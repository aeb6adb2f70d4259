// Files as streams: from a place of their own, which the descriptor knows nothing of.

import { Failure, failure, failureOfSystemError } from "../sandbox/errno.ts";
import type { OpenFile } from "../sandbox/filesystem.ts";
import type { GearedCaller } from "../sandbox/gears.ts";
import { type InputStream, IoError, type OutputStream } from "../sandbox/streams.ts";
import type { Wasi } from "../wasi.ts";
import type { Descriptor } from "./descriptor.ts";

/** Bytes that one write takes: as many as are written to a file in one go. */
const WRITE_BYTES_MAX = 1024 * 1024;

const NOTHING = new Uint8Array(0);

export class FileInput implements InputStream {
  readonly #descriptor: Descriptor;
  readonly #file: OpenFile;
  #position: number;
  #isOver = false;
  #failed: unknown;

  constructor(descriptor: Descriptor, file: OpenFile, position: number) {
    this.#descriptor = descriptor.retain();
    this.#file = file;
    this.#position = position;
  }

  read(_caller: GearedCaller, length: number): Uint8Array | undefined {
    if (this.#isOver) return undefined;
    try {
      if (this.#failed) throw this.#failed;
      if (length === 0 || this.#file.isCold) return NOTHING;
      const buffer = Buffer.allocUnsafe(length);
      const done = this.#file.read(buffer, this.#position);
      this.#position += done;
      return done === 0 ? undefined : buffer.subarray(0, done);
    } catch (thrown) {
      this.#isOver = true;
      throw ioErrorOf(thrown);
    }
  }

  isReady(): boolean {
    return this.#isOver || this.#failed !== undefined || !this.#file.isCold;
  }

  watch(wake: () => void): () => void {
    this.#file.warm().then(wake, (failed) => {
      this.#failed = failed;
      wake();
    });
    return () => {};
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#descriptor.release();
  }
}

export class FileOutput implements OutputStream {
  readonly #wasi: Wasi;
  readonly #descriptor: Descriptor;
  readonly #file: OpenFile;
  #position: number | "end";
  #isOver = false;

  constructor(
    wasi: Wasi,
    descriptor: Descriptor,
    to: { readonly file: OpenFile; readonly position: number | "end" },
  ) {
    this.#wasi = wasi;
    this.#descriptor = descriptor.retain();
    this.#file = to.file;
    this.#position = to.position;
  }

  room(): number | undefined {
    return this.#isOver ? undefined : WRITE_BYTES_MAX;
  }

  write(caller: GearedCaller, bytes: Uint8Array): void {
    this.#wasi.shift(caller);
    try {
      for (let left = bytes; left.length > 0; ) {
        const done = this.#writeSome(left);
        if (done === 0) throw failure("IO");
        left = left.subarray(done);
      }
    } catch (thrown) {
      this.#isOver = true;
      throw ioErrorOf(thrown);
    }
  }

  #writeSome(bytes: Uint8Array): number {
    if (this.#position === "end") return this.#file.append(bytes);
    const done = this.#file.write(bytes, this.#position);
    this.#position += done;
    return done;
  }

  /** Every write has reached the file already. */
  flush(): void {}

  isReady(): boolean {
    return true;
  }

  watch(): () => void {
    return () => {};
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#descriptor.release();
  }
}

/** What a guest may see; anything that is not its concern is thrown on. */
function ioErrorOf(thrown: unknown): IoError {
  const failed = thrown instanceof Failure ? thrown : failureOfSystemError(thrown);
  if (!failed) throw thrown;
  return new IoError(`The file answered ${failed.name}`, failed);
}
