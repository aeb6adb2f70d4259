// Runs a command (`_start`) with the real engine, and tells what it printed and how it ended.

import { Engine, type EngineOptions, InstancePre, Linker, Store, TrapError } from "../../src/engine/mod.ts";
import type { MountSource } from "../../src/manifest/mod.ts";
import { type MountedDirectory, mountDirectory } from "../../src/mounts/mod.ts";
import {
  addWasiP1ToLinker,
  type StdoutSink,
  systemClock,
  systemRandom,
  Wasi,
  WasiTemplate,
} from "../../src/wasi/mod.ts";

export interface CommandOptions {
  readonly engine?: EngineOptions;
  readonly mounts?: readonly MountSource[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly stdin?: Uint8Array;
  /** Whether the sinks keep what is printed inside the call. */
  readonly held?: boolean;
  readonly signal?: AbortSignal;
  readonly wallTimeMs?: number;
}

export interface CommandResult {
  /** 0 for a return, undefined for a trap. */
  readonly exitCode: number | undefined;
  readonly trap: TrapError | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Collects what is printed. */
export class Printed {
  #bytes = Buffer.alloc(0);
  readonly sink: StdoutSink;

  constructor(kind: "held" | "shown") {
    const write = (bytes: Uint8Array) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
    };
    const reset = () => {
      this.#bytes = Buffer.alloc(0);
    };
    this.sink = kind === "held" ? { held: true, write, reset } : { held: false, write };
  }

  get text(): string {
    return this.#bytes.toString();
  }
}

export async function runCommand(module: Uint8Array, options: CommandOptions = {}): Promise<CommandResult> {
  using engine = new Engine(options.engine);
  using mounted = new DisposableStack();
  const mounts: MountedDirectory[] = [];
  for (const request of options.mounts ?? []) mounts.push(mounted.use(await mountDirectory(request)));
  const template = WasiTemplate.create({ environment: options.environment ?? {}, mounts });
  const kind = options.held ? "held" : "shown";
  const [stdout, stderr] = [new Printed(kind), new Printed(kind)];
  const newWasi = () =>
    new Wasi(template, {
      ...options,
      environment: [],
      stdout: stdout.sink,
      stderr: stderr.sink,
      clock: systemClock,
      random: systemRandom,
    });
  const linker = new Linker<Wasi>();
  addWasiP1ToLinker(linker, (wasi) => wasi);
  using pre = InstancePre.ofModule({ engine, linker }, await engine.compile(module), {
    name: "command",
    hooks: {
      rewind: (wasi) => wasi.rewind(),
      commit: (wasi) => wasi.commit(),
      initialData: newWasi,
    },
  });
  using wasi = newWasi();
  using instance = pre.instantiate(new Store(wasi, options));
  try {
    const exitCode = await instance.run<number>({
      exportName: "_start",
      lower: () => [],
      lift: () => 0,
      exited: (_caller, code) => code,
    });
    return { exitCode, trap: undefined, stdout: stdout.text, stderr: stderr.text };
  } catch (error) {
    if (!(error instanceof TrapError)) throw error;
    return { exitCode: undefined, trap: error, stdout: stdout.text, stderr: stderr.text };
  }
}
