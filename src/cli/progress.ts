// Tells whoever looks at the terminal what takes so long at start-up, and nothing if it does not take long.

/** What is faster is not mentioned. */
const SLOW_MS = 1250;
const FRAME_MS = 100;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ERASE_LINE = "\r\x1b[2K";

export interface ProgressTerminal {
  readonly isTTY?: boolean;
  write(text: string): void;
}

/**
 * Awaits `work`. If it is slow, says so: on a terminal with a line that moves and is erased in the end,
 * elsewhere with one line of text. A text that is a function is asked again each time it is shown.
 */
export async function withProgress<R>(
  terminal: ProgressTerminal,
  text: string | (() => string),
  work: Promise<R>,
): Promise<R> {
  const currentText = typeof text === "string" ? () => text : text;
  using _ = terminal.isTTY ? new MovingLine(terminal, currentText) : new PlainLine(terminal, currentText);
  return await work;
}

class PlainLine implements Disposable {
  readonly #timer: NodeJS.Timeout;

  constructor(terminal: ProgressTerminal, text: () => string) {
    this.#timer = setTimeout(() => terminal.write(`${text()} is taking a few seconds...\n`), SLOW_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Keep `text` short: a line that wraps could not be erased. */
class MovingLine implements Disposable {
  readonly #terminal: ProgressTerminal;
  readonly #text: () => string;
  readonly #startedAtMs = performance.now();
  readonly #erase = () => this.#terminal.write(ERASE_LINE);
  #timer: NodeJS.Timeout;
  #frame = 0;

  constructor(terminal: ProgressTerminal, text: () => string) {
    this.#terminal = terminal;
    this.#text = text;
    this.#timer = setTimeout(() => this.#show(), SLOW_MS);
  }

  #show(): void {
    // The process may be ended by a signal while the line is there.
    process.once("exit", this.#erase);
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  #draw(): void {
    const seconds = Math.round((performance.now() - this.#startedAtMs) / 1000);
    const frame = FRAMES[this.#frame++ % FRAMES.length];
    this.#terminal.write(`${ERASE_LINE}${frame} ${this.#text()} (${seconds} s)`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    process.off("exit", this.#erase);
    if (this.#frame > 0) this.#erase();
  }
}
