// Writes to standard error without ever making the server wait for whoever reads it.
//
// A terminal that was stopped with Ctrl-S, or a pipe whose reader sleeps, takes nothing for minutes. Guests go on
// printing, so what waits is bounded; beyond the bound it is dropped, and a line says how much was.
// Their log files have everything.

import { constants, fstatSync, openSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";

/** Most bytes that wait: a screenful a thousand times over. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** What is passed on at once, so that a burst does not wait for the end of the turn. */
const BATCH_BYTES = 64 * 1024;
/** When to ask again a terminal that took nothing. */
const BUSY_RETRY_MS = 50;
/** How long the end of the process is held up for a terminal that takes nothing. */
const CLOSE_WAIT_MS_MAX = 250;
const CLOSE_POLL_MS = 5;

const NEWLINE = 0x0a;

/** Takes as many bytes as it can without waiting, and says how many. */
export type TakesBytes = (bytes: Uint8Array) => number;

export class TerminalWriter {
  readonly #take: TakesBytes;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #droppedBytes = 0;
  #scheduled = false;
  /** Whether the last byte, of a guest perhaps, ended a line. */
  #isAtLineStart = true;

  constructor(take: TakesBytes) {
    this.#take = take;
  }

  /** Takes over `bytes`: the caller must not change them afterwards. */
  write(bytes: Uint8Array): void {
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.#droppedBytes += bytes.length;
      return;
    }
    if (bytes.length > 0) this.#isAtLineStart = bytes.at(-1) === NEWLINE;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#scheduled) this.#schedule(0);
    if (this.#waitingBytes >= BATCH_BYTES) this.#pass();
  }

  /** Writes a line of its own: what a guest has left unfinished is ended before it. */
  writeLine(line: string): void {
    this.write(Buffer.from(`${this.#isAtLineStart ? "" : "\n"}${line}\n`));
  }

  /** Passes on what can be passed on at once. */
  flush(): void {
    this.#pass();
  }

  /** Passes on all, unless that takes too long; what is then left is lost. */
  async close(): Promise<void> {
    const giveUpAt = performance.now() + CLOSE_WAIT_MS_MAX;
    while (!this.#pass() && performance.now() < giveUpAt) await setTimeout(CLOSE_POLL_MS);
  }

  #schedule(delayMs: number): void {
    this.#scheduled = true;
    const run = () => {
      this.#scheduled = false;
      if (!this.#pass()) this.#schedule(BUSY_RETRY_MS);
    };
    // Once per turn of the event loop: many requests, one system call.
    if (delayMs === 0) setImmediate(run);
    else globalThis.setTimeout(run, delayMs).unref();
  }

  /** Returns whether nothing is left. */
  #pass(): boolean {
    while (this.#waitingBytes > 0) {
      const batch = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
      if (!batch) break;
      const taken = this.#take(batch);
      this.#waitingBytes -= taken;
      this.#waiting = taken === batch.length ? [] : [batch.subarray(taken)];
      if (taken === 0) return false;
    }
    if (this.#droppedBytes > 0) {
      const note = `\n[${this.#droppedBytes} bytes of output were dropped here, as nobody read them in time]\n`;
      this.#droppedBytes = 0;
      this.write(Buffer.from(note));
      return this.#pass();
    }
    return true;
  }
}

/** Makes the best of a stream that is there: `fd` is its descriptor, `stream` what Node made of it. */
export function nonBlocking(fd: number, stream: Writable): TakesBytes {
  const own = reopen(fd);
  return own === undefined ? (bytes) => takeByStream(stream, bytes) : (bytes) => takeByDescriptor(own, bytes);
}

/**
 * Opens the terminal or pipe behind `fd` once more, in a mode where a write never waits. Changing the mode of `fd`
 * itself would change it for all processes that share it. Sockets and other systems than Linux: undefined.
 */
function reopen(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    // A file never makes a writer wait; opened again it would be written from another position.
    if (stat.isFile()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

function takeByDescriptor(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return 0;
    // The reader has gone, or the disk is full: there is nobody left to tell.
    return bytes.length;
  }
}

function takeByStream(stream: Writable, bytes: Uint8Array): number {
  if (stream.writableLength > 0) return 0;
  if (!stream.destroyed) stream.write(bytes);
  return bytes.length;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
