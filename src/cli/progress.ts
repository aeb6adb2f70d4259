// Tells whoever looks at the terminal what takes so long at start-up, and nothing if it does not take long.

/** What is faster is not mentioned. */
const SLOW_MS = 1250;
const FRAME_MS = 100;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ERASE_LINE = "\r\x1b[2K";

export interface ProgressTerminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): void;
}

/**
 * Awaits `work`. If it is slow, says so: on a terminal with a line that moves and is erased in the end,
 * elsewhere with a line of text. `work` may tell what it is at.
 */
export async function withProgress<R>(
  terminal: ProgressTerminal,
  text: string,
  work: (note: (text: string) => void) => Promise<R>,
): Promise<R> {
  using line = terminal.isTTY ? new MovingLine(terminal, text) : new PlainLine(terminal, text);
  return await work((note) => line.note(note));
}

class PlainLine implements Disposable {
  readonly #terminal: ProgressTerminal;
  readonly #timer: NodeJS.Timeout;
  readonly #printed = new Set<string>();

  constructor(terminal: ProgressTerminal, text: string) {
    this.#terminal = terminal;
    this.#timer = setTimeout(() => this.note(`${text} is taking a few seconds...`), SLOW_MS);
  }

  note(text: string): void {
    if (this.#printed.has(text)) return;
    this.#printed.add(text);
    this.#terminal.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

class MovingLine implements Disposable {
  readonly #terminal: ProgressTerminal;
  #text: string;
  readonly #startedAtMs = performance.now();
  #timer: NodeJS.Timeout;
  readonly #erase = () => this.#terminal.write(ERASE_LINE);
  #frame = 0;

  constructor(terminal: ProgressTerminal, text: string) {
    this.#terminal = terminal;
    this.#text = text;
    this.#timer = setTimeout(() => {
      // The process may be ended by a signal while the line is there.
      process.once("exit", this.#erase);
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    }, SLOW_MS);
  }

  note(text: string): void {
    this.#text = text;
  }

  #draw(): void {
    const seconds = Math.round((performance.now() - this.#startedAtMs) / 1000);
    const frame = FRAMES[this.#frame++ % FRAMES.length];
    const line = `${frame} ${this.#text} (${seconds} s)`;
    // A line that wraps could not be erased.
    this.#terminal.write(ERASE_LINE + line.slice(0, (this.#terminal.columns ?? 80) - 1));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    process.off("exit", this.#erase);
    if (this.#frame > 0) this.#erase();
  }
}
