// Bytes on their way from one writer to one reader, such as the body of a message.
//
// Nothing waits in here. Each side sees what can be done at once, and is called when that changes. What
// a pipe holds is bounded if its writer looks at `room` first. Bytes that are passed in belong to the
// pipe: neither side changes them afterwards, so nobody copies them.

import { countPassing } from "./garbage.ts";

/**
 * - flowing: more may come
 * - ended: all has been read, and there will be no more
 * - failed: `error` says why there will be no more; what was written before is still to be read first
 */
export type PipeState = "flowing" | "ended" | "failed";

/** What a pipe holds unless its maker says otherwise: as much as a socket of Node before it is full. */
const CAPACITY_BYTES = 64 * 1024;

/** Pieces that have been read are let go at least this often. */
const READ_PIECES_MAX = 32;

const NOTHING = new Uint8Array(0);

type End = { readonly kind: "end" } | { readonly kind: "failure"; readonly error: Error };

export class BytePipe implements AsyncIterable<Uint8Array> {
  readonly capacity: number;
  #pieces: Uint8Array[] = [];
  /** Of `#pieces`, how many have been read. */
  #next = 0;
  #held = 0;
  #isTouched = false;
  #end: End | undefined;
  #trailers: readonly string[] | undefined;
  #isCancelled = false;
  readonly #readers = new Listeners();
  readonly #writers = new Listeners();

  constructor(capacity = CAPACITY_BYTES) {
    this.capacity = capacity;
  }

  /** A pipe that holds all there will be. */
  static of(bytes: Uint8Array): BytePipe {
    const pipe = new BytePipe();
    pipe.write(bytes);
    pipe.end();
    return pipe;
  }

  // --- The writer's side.

  /** How many bytes the writer should write at most; 0 asks it to wait. */
  get room(): number {
    return Math.max(0, this.capacity - this.#held);
  }

  /** The reader has left: what is written is thrown away. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** The writer has said that no more will come. */
  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  write(bytes: Uint8Array): void {
    if (this.#end) throw new Error("A pipe was written to after its end");
    if (this.#isCancelled || bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    this.#readers.notify();
  }

  /** @param trailers name, value, name, value, ...; fields that follow the body */
  end(trailers?: readonly string[]): void {
    if (this.#end) return;
    this.#trailers = trailers;
    this.#close({ kind: "end" });
  }

  fail(error: Error): void {
    if (!this.#end) this.#close({ kind: "failure", error });
  }

  #close(end: End): void {
    this.#end = end;
    this.#readers.notify();
  }

  /** Calls `wake` when there may be room again, or nobody who reads. Returns what ends that. */
  onRoom(wake: () => void): () => void {
    return this.#writers.add(wake);
  }

  // --- The reader's side.

  get state(): PipeState {
    if (this.#held > 0 || !this.#end) return "flowing";
    return this.#end.kind === "end" ? "ended" : "failed";
  }

  /** Why it failed. */
  get error(): Error | undefined {
    return this.#end?.kind === "failure" ? this.#end.error : undefined;
  }

  /** Name, value, name, value, ...; absent if there are none, or not yet. */
  get trailers(): readonly string[] | undefined {
    return this.#trailers;
  }

  /** Bytes that can be read now. */
  get held(): number {
    return this.#held;
  }

  /** All bytes, if the writer has ended and nothing has been read. Asking is not reading. */
  get whole(): Uint8Array | undefined {
    if (this.#end?.kind !== "end" || this.#isTouched) return undefined;
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? NOTHING;
  }

  /** The next bytes that are there, `max` at most; undefined if there are none: `state` says why. */
  read(max = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const piece = this.#pieces[this.#next];
    if (!piece) return undefined;
    this.#isTouched = true;
    if (piece.length > max) {
      this.#pieces[this.#next] = piece.subarray(max);
      return this.#taken(piece.subarray(0, max));
    }
    this.#next++;
    if (this.#next === this.#pieces.length || this.#next === READ_PIECES_MAX) {
      this.#pieces.splice(0, this.#next);
      this.#next = 0;
    }
    return this.#taken(piece);
  }

  #taken(bytes: Uint8Array): Uint8Array {
    const wasFull = this.#held >= this.capacity;
    this.#held -= bytes.length;
    countPassing(bytes.length);
    if (wasFull) this.#writers.notify();
    return bytes;
  }

  /** The reader leaves: all is thrown away, and the writer is told. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#isTouched = true;
    this.#pieces.length = 0;
    this.#next = 0;
    this.#held = 0;
    this.#writers.notify();
    this.#readers.notify();
  }

  /** Calls `wake` when there may be something to read, or the end. Returns what ends that. */
  onReadable(wake: () => void): () => void {
    return this.#readers.add(wake);
  }

  /** Called with true when a reader begins to wait, and with false when none waits any more. */
  watchReaders(listener: (areWaiting: boolean) => void): void {
    this.#readers.watch(listener);
  }

  /** Gives piece by piece. Leaving the loop cancels the pipe. @throws `error` */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const piece = this.read();
        if (piece) yield piece;
        else if (this.state === "failed") throw this.error;
        else if (this.state === "ended" || this.#isCancelled) return;
        else await this.#readable();
      }
    } finally {
      this.cancel();
    }
  }

  async #readable(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = this.onReadable(resolve);
    await promise;
    leave();
  }
}

/** Those who wait on one side of a pipe. Mostly there is one, or none. */
class Listeners {
  #wakes: Set<() => void> | undefined;
  #watch: ((areWaiting: boolean) => void) | undefined;

  add(wake: () => void): () => void {
    this.#wakes ??= new Set();
    // An entry of its own, even if one function waits twice.
    const entry = () => wake();
    this.#wakes.add(entry);
    if (this.#wakes.size === 1) this.#watch?.(true);
    return () => {
      if (this.#wakes?.delete(entry) && this.#wakes.size === 0) this.#watch?.(false);
    };
  }

  watch(listener: (areWaiting: boolean) => void): void {
    this.#watch = listener;
  }

  notify(): void {
    if (this.#wakes) for (const wake of this.#wakes) wake();
  }
}
