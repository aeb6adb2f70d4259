// Fills a pipe from a stream of Node, no faster than the pipe is read.

import type { Readable } from "node:stream";
import type { BytePipe } from "./byte-pipe.ts";

export interface FillOptions {
  /** Called when the reader has left; what the stream still has is not read. */
  readonly cancelled: () => void;
  /** What the stream has behind its bytes, once it has ended: name, value, ... */
  readonly trailers?: () => readonly string[];
  /** What the pipe is to fail with, in place of what the stream says. */
  readonly describe?: (error: Error) => Error;
  /** Counts the bytes that arrive. What it throws breaks the stream off. */
  readonly count?: (bytes: number) => void;
  /** Called as bytes arrive, and when the stream is held back or let go on. */
  readonly progress?: (state: "flowing" | "paused") => void;
}

/** Reads a stream that nobody else reads, until its end. What goes wrong with it fails the pipe. */
export function fill(pipe: BytePipe, source: Readable, options: FillOptions): void {
  const { cancelled, trailers, describe = (error) => error, count, progress } = options;
  const leave = pipe.onRoom(() => {
    if (pipe.isCancelled) {
      leave();
      source.off("data", take);
      cancelled();
    } else if (source.isPaused()) {
      source.resume();
      progress?.("flowing");
    }
  });
  const take = (bytes: Uint8Array) => {
    // Somebody else has ended it.
    if (pipe.isClosed) return;
    try {
      count?.(bytes.length);
    } catch (error) {
      source.destroy(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    pipe.write(bytes);
    const isFull = pipe.room === 0 && !pipe.isCancelled;
    if (isFull) source.pause();
    progress?.(isFull ? "paused" : "flowing");
  };
  const close = (end: () => void) => {
    leave();
    end();
  };
  source.on("data", take);
  source.once("end", () => {
    const fields = trailers?.();
    close(() => pipe.end(fields && fields.length > 0 ? fields : undefined));
  });
  source.on("error", (error) => close(() => pipe.fail(describe(error))));
  source.once("close", () => {
    if (!pipe.isClosed) close(() => pipe.fail(describe(new Error("The stream was closed before its end"))));
  });
}
