// Streams of bytes and the wait for them, whatever is at their other end: a file, a socket, a body.
//
// Nothing here waits by itself. A stream says what can be done at once, and is a Pollable that becomes
// ready when that changes. Bytes that have been passed in or out are never changed afterwards by either
// side, so nobody has to copy them.

import type { GearedCaller } from "./gears.ts";

export interface Pollable {
  /** Whether a wait would be over at once. May shift. */
  isReady(caller: GearedCaller): boolean;
  /**
   * Calls `wake` when it may have become ready, at least once if it does; later, never from within.
   * Returns what ends that. Called in second gear only, and only if it is not ready.
   */
  watch(wake: () => void): () => void;
}

/** Ready: there are bytes, the end, or an error. A stream that was disposed is ready. */
export interface InputStream extends Pollable, Disposable {
  /**
   * Up to `length` bytes that are there now: none if that would be a wait. Undefined: the stream has ended.
   *
   * @throws IoError what went wrong, once; from then on the stream has ended
   */
  read(caller: GearedCaller, length: number): Uint8Array | undefined;
}

/** Ready: write() takes something, or the stream is closed. A stream that was disposed is ready. */
export interface OutputStream extends Pollable, Disposable {
  /**
   * How many bytes write() takes now; 0 if that would be a wait, as it is while a flush is under way. It
   * gets less by writing and flushing only. Undefined: nobody will ever read them.
   *
   * @throws IoError what went wrong with bytes taken before, once; from then on the stream is closed
   */
  room(caller: GearedCaller): number | undefined;
  /**
   * Takes bytes, not more than there is room for. May shift.
   *
   * @throws IoError as room()
   */
  write(caller: GearedCaller, bytes: Uint8Array): void;
  /** Passes on what was taken. There is no room until that is done. */
  flush(caller: GearedCaller): void;
}

/** What went wrong with a stream, for the guest to look at. */
export class IoError {
  readonly message: string;
  /** What it was, for those who know more of the stream, such as a `Failure` of the file system. */
  readonly detail: unknown;

  constructor(message: string, detail?: unknown) {
    this.message = message;
    this.detail = detail;
  }
}

/** Something for which nobody ever waits. */
export const ALWAYS_READY: Pollable = {
  isReady: () => true,
  watch: () => () => {},
};

/** Those who wait for something, to be told by whoever changes it. */
export class Watchers {
  #wakes: Set<() => void> | undefined;

  add(wake: () => void): () => void {
    this.#wakes ??= new Set();
    // An entry of its own, even if somebody waits for the same thing twice with one function.
    const entry = () => wake();
    this.#wakes.add(entry);
    return () => this.#wakes?.delete(entry);
  }

  notify(): void {
    if (this.#wakes) for (const wake of this.#wakes) wake();
  }
}
