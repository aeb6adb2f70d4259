// Runs the command `spindle` in a process of its own, in an application made for the test.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
const LAUNCHER = join(ROOT, "bin", "spindle.mjs");

/** A folder with an application, and one for temporary files, so that a test sees what is left of them. */
export class Workplace implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "spindle-cli-"));
  readonly folder = join(this.#folder, "app");
  readonly temporary = join(this.#folder, "tmp");

  /** `guests` are paths below `guests/`, without extension; each comes to lie in the application by its last name. */
  constructor(manifest: string, guests: readonly string[] = []) {
    for (const folder of [this.folder, this.temporary]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(this.folder, "spin.toml"), manifest);
    for (const guest of guests) {
      copyFileSync(join(ROOT, "guests", `${guest}.wasm`), join(this.folder, `${basename(guest)}.wasm`));
    }
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** What Spindle has not removed of its temporary files. */
  get leftovers(): readonly string[] {
    return readdirSync(this.temporary);
  }

  spindle(args: readonly string[], options: SpindleOptions = {}): SpindleProcess {
    const { node = process.execPath, launcher = LAUNCHER, ...rest } = options;
    const { NODE_TEST_CONTEXT: _, SPIN_HTTP_LISTEN_ADDR: _2, SPIN_LOG_DIR: _3, ...environment } = process.env;
    const child = spawn(node, [launcher, ...args], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
      ...rest,
      env: { ...environment, TMPDIR: this.temporary, NO_COLOR: "1", ...options.env },
    });
    return new SpindleProcess(child);
  }

  /** Starts `up` on a free port, and waits until it serves. */
  async up(args: readonly string[] = [], options: SpindleOptions = {}): Promise<SpindleProcess> {
    const spindle = this.spindle(["up", "--listen", "127.0.0.1:0", ...args], options);
    await spindle.serving();
    return spindle;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface SpindleOptions extends Pick<SpawnOptions, "cwd" | "detached" | "env"> {
  /** The Node that runs the launcher; this one by default. */
  readonly node?: string;
  /** The `spindle.mjs` to run; that of the sources by default. */
  readonly launcher?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class SpindleProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #ended: Promise<Ended>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    this.#ended = once(child, "close").then(([code, signal]) => ({
      code,
      signal,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Where it serves, once it does. */
  async serving(): Promise<string> {
    await this.until(() => /Available Routes|"routes"/.test(this.stdout));
    const url = /https?:\/\/[\w.:[\]]+/.exec(this.stdout)?.[0];
    if (url === undefined) throw new Error(`No address in ${this.stdout}`);
    return url;
  }

  /** Waits until more was printed and `isTrue`; throws with what was printed if it ends before. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      const printed = Promise.race([
        once(this.child.stdout ?? this.child, "data"),
        once(this.child.stderr ?? this.child, "data"),
      ]);
      const isOver = await Promise.race([printed.then(() => false), this.#ended.then(() => true)]);
      if (isOver && !isTrue()) throw new Error(`spindle ended:\n${this.stdout}\n${this.stderr}`);
    }
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, await this.serving()), init);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for its end. */
  ended(): Promise<Ended> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill("SIGKILL");
    await this.#ended;
  }
}
