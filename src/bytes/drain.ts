// Empties a pipe into something that takes bytes until it is full, such as a socket.

import type { BytePipe } from "./byte-pipe.ts";

/** Most bytes of one write. */
const PIECE_BYTES_MAX = 64 * 1024;

export interface DrainTarget {
  /** Takes bytes. False: it takes no more until `resume()`. */
  write(bytes: Uint8Array): boolean;
  /** All has been written. */
  ended(): void;
  /** The pipe has failed; what was written before has been passed on. */
  failed(error: Error): void;
}

export interface Drain {
  /** Goes on after `write` has said false. */
  resume(): void;
  /** Passes nothing on any more, and cancels the pipe. */
  stop(): void;
}

/** Passes on what is in the pipe, and what comes, until it ends. Begins at once. */
export function drain(pipe: BytePipe, target: DrainTarget): Drain {
  let isFull = false;
  let isOver = false;
  const end = () => {
    isOver = true;
    leave();
  };
  const pass = () => {
    while (!isFull && !isOver) {
      const bytes = pipe.read(PIECE_BYTES_MAX);
      if (!bytes) break;
      isFull = !target.write(bytes);
    }
    if (isOver || pipe.state === "flowing") return;
    end();
    if (pipe.error) target.failed(pipe.error);
    else target.ended();
  };
  const leave = pipe.onReadable(pass);
  pass();
  return {
    resume() {
      isFull = false;
      pass();
    },
    stop() {
      if (!isOver) end();
      pipe.cancel();
    },
  };
}
