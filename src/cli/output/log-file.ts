// One log file of one component: `<log directory>/<id>_stdout.txt` or `_stderr.txt`, appended to.
//
// What a guest prints is gathered and written once per turn of the event loop, so that printing costs a copy.
// Writing blocks for as long as the disk does: that is what slows a guest down which prints without end.

import { closeSync, fstatSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeDirectory } from "../../paths/mod.ts";

/** What is written at once, so that memory does not grow within one turn. */
const BATCH_BYTES = 64 * 1024;
/** How often to look whether the file was moved or removed, as log rotation does. */
const IDENTITY_CHECK_MS = 1000;

export class LogFile {
  readonly #path: string;
  readonly #report: (message: string) => void;
  readonly #nowMs: () => number;
  #fd: number;
  #checkedAtMs: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #lostBytes = 0;

  /**
   * Opens the file, which makes it. Later trouble goes to `report`, once until it is over.
   *
   * @throws the error of the file system
   */
  constructor(path: string, report: (message: string) => void, nowMs = () => performance.now()) {
    this.#path = path;
    this.#report = report;
    this.#nowMs = nowMs;
    this.#fd = openSync(path, "a");
    this.#checkedAtMs = nowMs();
  }

  /** Takes over `bytes`: the caller must not change them afterwards. */
  write(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= BATCH_BYTES) this.flush();
    else if (this.#waiting.length === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#waitingBytes === 0) return;
    const [first] = this.#waiting;
    const batch = this.#waiting.length === 1 && first ? first : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      this.#reopenIfReplaced();
      for (let written = 0; written < batch.length; ) written += writeSync(this.#fd, batch, written);
    } catch (error) {
      this.#lose(batch.length, error);
      return;
    }
    if (this.#lostBytes > 0) {
      this.#report(
        `The log file ${this.#path} is written again; ${this.#lostBytes} bytes of output were lost`,
      );
    }
    this.#lostBytes = 0;
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
  }

  #reopenIfReplaced(): void {
    const now = this.#nowMs();
    if (now - this.#checkedAtMs < IDENTITY_CHECK_MS) return;
    this.#checkedAtMs = now;
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(this.#fd).ino) return;
    makeDirectory(dirname(this.#path));
    const fd = openSync(this.#path, "a");
    closeSync(this.#fd);
    this.#fd = fd;
  }

  #lose(bytes: number, error: unknown): void {
    if (this.#lostBytes === 0) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#report(`Cannot write the log file ${this.#path}, output of the component is lost: ${reason}`);
    }
    this.#lostBytes += bytes;
  }
}
