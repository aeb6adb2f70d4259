// Puts `[id] ` in front of each line that a component prints, for `--log-prefix`.
//
// Lines of several components must not run into each other, so an unfinished line is held until it ends,
// is too long, or has waited long enough; then it is ended for the guest.

/** A longer line is cut here, so that a guest that never ends a line does not fill the memory. */
const LINE_BYTES_MAX = 16 * 1024;
/** How long an unfinished line may wait for its end, as a prompt does. */
const UNFINISHED_MS_MAX = 200;

const NEWLINE = 0x0a;

export class LinePrefix {
  readonly #prefix: Uint8Array;
  readonly #next: (bytes: Uint8Array) => void;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(componentId: string, next: (bytes: Uint8Array) => void) {
    this.#prefix = Buffer.from(`[${componentId}] `);
    this.#next = next;
  }

  /** Takes over `bytes`: the caller must not change them afterwards. */
  write(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#hold(bytes.subarray(start, end));
      this.flush({ evenIfEmpty: true });
      start = end + 1;
    }
    this.#hold(bytes.subarray(start));
    if (this.#heldBytes > LINE_BYTES_MAX) this.flush();
    if (this.#heldBytes > 0) this.#timer ??= setTimeout(() => this.flush(), UNFINISHED_MS_MAX).unref();
  }

  /** Ends the line that is held, if there is one. */
  flush({ evenIfEmpty = false } = {}): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#heldBytes === 0 && !evenIfEmpty) return;
    this.#next(Buffer.concat([this.#prefix, ...this.#held, Uint8Array.of(NEWLINE)]));
    this.#held = [];
    this.#heldBytes = 0;
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }
}
