// Where the output of guests goes: log files as Spin writes them, and the terminal for those that are followed.
//
// As in Spin, a guest's standard output and standard error both go to our standard error, without a prefix
// unless one is asked for; without a log directory everything does, whoever is followed.

import { readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { SpindleError } from "../../errors/mod.ts";
import { makeDirectory } from "../../paths/mod.ts";
import { LinePrefix } from "./line-prefix.ts";
import { LogFile } from "./log-file.ts";
import { logFileName } from "./log-file-name.ts";
import type { TerminalWriter } from "./terminal-writer.ts";

export interface GuestOutputOptions {
  /** Absent: no files, and all output goes to the terminal. */
  readonly logDirectory: string | undefined;
  readonly follow: (componentId: string) => boolean;
  readonly linePrefix: boolean;
  /** Tells the operator that a log file cannot be written, or can again. */
  readonly report: (message: string) => void;
}

/** Takes what a guest prints; copies what it keeps. */
export interface GuestSink {
  write(bytes: Uint8Array): void;
}

export class GuestOutput {
  readonly #terminal: TerminalWriter;
  readonly #options: GuestOutputOptions;
  readonly #files: LogFile[] = [];
  readonly #prefixes: LinePrefix[] = [];

  /** Makes the log directory. */
  constructor(terminal: TerminalWriter, options: GuestOutputOptions) {
    this.#terminal = terminal;
    this.#options = options;
    const { logDirectory } = options;
    if (logDirectory !== undefined) orExplain(logDirectory, () => makeDirectory(logDirectory));
  }

  /** Empties all logs in the log directory, of whatever components. */
  truncate(): void {
    const { logDirectory } = this.#options;
    if (logDirectory !== undefined) orExplain(logDirectory, () => truncateLogFiles(logDirectory));
  }

  /** Opens the two log files of a component. Call it once for each. */
  sinksOf(componentId: string): { readonly stdout: GuestSink; readonly stderr: GuestSink } {
    return { stdout: this.#sink(componentId, "stdout"), stderr: this.#sink(componentId, "stderr") };
  }

  /** Writes what has been printed so far, as far as that is possible at once. */
  flush(): void {
    for (const file of this.#files) file.flush();
    for (const prefix of this.#prefixes) prefix.flush();
    this.#terminal.flush();
  }

  #sink(componentId: string, stream: "stdout" | "stderr"): GuestSink {
    const { logDirectory, follow } = this.#options;
    const outlets: GuestSink[] = [];
    if (logDirectory !== undefined)
      outlets.push(this.#openLog(logDirectory, logFileName(componentId, stream)));
    if (logDirectory === undefined || follow(componentId)) outlets.push(this.#terminalOutlet(componentId));
    const [only, second] = outlets;
    // The outlets keep what they are given and never change it, so that one copy serves both.
    const write = (bytes: Uint8Array) => {
      const copy = new Uint8Array(bytes);
      only?.write(copy);
      second?.write(copy);
    };
    return { write };
  }

  #openLog(directory: string, name: string): LogFile {
    const open = () => new LogFile(join(directory, name), this.#options.report);
    const file = orExplain(directory, open);
    this.#files.push(file);
    return file;
  }

  #terminalOutlet(componentId: string): GuestSink {
    if (!this.#options.linePrefix) return this.#terminal;
    const prefix = new LinePrefix(componentId, (line) => this.#terminal.write(line));
    this.#prefixes.push(prefix);
    return prefix;
  }
}

/** The log directory as it is announced, with its final slash: `.spin/logs/`. */
export function announceLogDirectory(directory: string): string {
  return `Logging component stdio to ${JSON.stringify(join(directory, "/"))}`;
}

function truncateLogFiles(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/(stdout|stderr)\.txt$/.test(name)) truncateSync(join(directory, name));
  }
}

function orExplain<R>(directory: string, step: () => R): R {
  try {
    return step();
  } catch (cause) {
    throw new SpindleError("LOG_DIRECTORY_UNUSABLE", `Cannot log to "${directory}"`, {
      hint: 'Choose another directory with `--log-dir`, or none with `--log-dir ""`.',
      cause,
    });
  }
}
