// Takes what guests of this thread print to the thread that writes it.
//
// Several threads share each log, so only whole lines are sent, together once per turn of the event loop. Who prints
// faster than can be written waits, as one does who writes to a slow disk.

import type { OutputSink } from "../../host/mod.ts";
import type { PrintedOutput } from "./messages.ts";

/** A longer line is sent in pieces, so that a guest that never ends a line does not fill the memory. */
const LINE_BYTES_MAX = 16 * 1024;
/** What is sent at once, so that memory does not grow within one turn. */
const BATCH_BYTES = 64 * 1024;
/** How long an unfinished line may wait for its end, as a prompt does. */
const UNFINISHED_MS_MAX = 200;
/** Bytes of one thread that may be under way. */
const UNDER_WAY_BYTES_MAX = 1024 * 1024;

const NEWLINE = 0x0a;

type Send = (message: PrintedOutput) => void;

/** Bytes under way from one thread to the supervisor, as both see them. */
export class OutputGauge {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Called by the sender; waits while too much is under way. The supervisor never waits for a thread. */
  add(bytes: number): void {
    let before = Atomics.add(this.#words, 0, bytes);
    while (before > UNDER_WAY_BYTES_MAX) {
      Atomics.wait(this.#words, 0, before + bytes);
      before = Atomics.load(this.#words, 0) - bytes;
    }
  }

  /** Called by the supervisor when it has written them. */
  remove(bytes: number): void {
    Atomics.sub(this.#words, 0, bytes);
    Atomics.notify(this.#words, 0);
  }
}

export class ThreadOutput {
  readonly #gauge: OutputGauge;
  readonly #send: Send;
  readonly #lines: WholeLines[] = [];

  constructor(gauge: OutputGauge, send: Send) {
    this.#gauge = gauge;
    this.#send = send;
  }

  sinksOf(componentId: string): { readonly stdout: OutputSink; readonly stderr: OutputSink } {
    return { stdout: this.#sink(componentId, "stdout"), stderr: this.#sink(componentId, "stderr") };
  }

  /** Sends everything, unfinished lines too. */
  flush(): void {
    for (const lines of this.#lines) lines.flush();
  }

  #sink(componentId: string, stream: "stdout" | "stderr"): OutputSink {
    const lines = new WholeLines((bytes) => {
      this.#gauge.add(bytes.length);
      this.#send({ kind: "output", componentId, stream, bytes });
    });
    this.#lines.push(lines);
    return lines;
  }
}

class WholeLines implements OutputSink {
  readonly #next: (bytes: Uint8Array<ArrayBuffer>) => void;
  #held: Uint8Array<ArrayBuffer>[] = [];
  #heldBytes = 0;
  /** Bytes up to the end of the last whole line. */
  #wholeBytes = 0;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(next: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#next = next;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const lineEnd = bytes.lastIndexOf(NEWLINE) + 1;
    if (lineEnd > 0) this.#wholeBytes = this.#heldBytes + lineEnd;
    this.#held.push(new Uint8Array(bytes));
    this.#heldBytes += bytes.length;
    if (this.#heldBytes - this.#wholeBytes > LINE_BYTES_MAX) this.#pass(this.#heldBytes);
    else if (this.#wholeBytes >= BATCH_BYTES) this.#pass(this.#wholeBytes);
    else if (!this.#isScheduled) this.#schedule();
  }

  flush(): void {
    this.#pass(this.#heldBytes);
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#pass(this.#wholeBytes);
      if (this.#heldBytes > 0) this.#timer ??= setTimeout(() => this.flush(), UNFINISHED_MS_MAX).unref();
    });
  }

  #pass(count: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (count === 0) return;
    const all = new Uint8Array(this.#heldBytes);
    let position = 0;
    for (const piece of this.#held) {
      all.set(piece, position);
      position += piece.length;
    }
    const rest = all.slice(count);
    this.#held = rest.length > 0 ? [rest] : [];
    this.#heldBytes = rest.length;
    this.#wholeBytes = 0;
    this.#next(rest.length > 0 ? all.slice(0, count) : all);
  }
}
