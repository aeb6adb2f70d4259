// Runs a command with the real engine, and tells what it printed and how it ended: the `_start` of a core
// module, or the `wasi:cli/run` of a component.

import { planComponent } from "../../src/component/mod.ts";
import {
  ComponentLinker,
  ComponentPre,
  Engine,
  type EngineOptions,
  InstancePre,
  type InstancePreOptions,
  type Invocation,
  Linker,
  Store,
  TrapError,
} from "../../src/engine/mod.ts";
import type { MountSource } from "../../src/manifest/mod.ts";
import { type MountedDirectory, mountDirectory } from "../../src/mounts/mod.ts";
import {
  addWasiP1ToLinker,
  addWasiP2ToLinker,
  type GuestNetwork,
  type StdoutSink,
  systemClock,
  systemRandom,
  Wasi,
  WasiTemplate,
} from "../../src/wasi/mod.ts";
import { isComponent } from "../../src/wasm/mod.ts";

export interface CommandOptions {
  readonly engine?: EngineOptions;
  readonly mounts?: readonly MountSource[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly stdin?: Uint8Array;
  readonly network?: GuestNetwork;
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
  const { environment = {}, network } = options;
  const template = WasiTemplate.create({ environment, mounts, ...(network && { network }) });
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
  const { pre, invocation } = await linkCommand(engine, module, {
    name: "command",
    hooks: {
      rewind: (wasi) => wasi.rewind(),
      commit: (wasi) => wasi.commit(),
      initialData: newWasi,
    },
  });
  mounted.use(pre);
  using wasi = newWasi();
  using instance = pre.instantiate(new Store(wasi, options));
  try {
    const exitCode = await instance.run(invocation);
    return { exitCode, trap: undefined, stdout: stdout.text, stderr: stderr.text };
  } catch (error) {
    if (!(error instanceof TrapError)) throw error;
    return { exitCode: undefined, trap: error, stdout: stdout.text, stderr: stderr.text };
  }
}

interface Command {
  readonly pre: InstancePre<Wasi>;
  readonly invocation: Invocation<Wasi, number>;
}

async function linkCommand(
  engine: Engine,
  binary: Uint8Array,
  options: InstancePreOptions<Wasi>,
): Promise<Command> {
  const modules = new Linker<Wasi>();
  addWasiP1ToLinker(modules, (wasi) => wasi);
  const exited = (_caller: unknown, code: number) => code;
  if (!isComponent(binary)) {
    const pre = InstancePre.ofModule({ engine, linker: modules }, await engine.compile(binary), options);
    return { pre, invocation: { exportName: "_start", lower: () => [], lift: () => 0, exited } };
  }
  const components = new ComponentLinker<Wasi>();
  addWasiP2ToLinker(components, (wasi) => wasi);
  const plan = planComponent(binary);
  const component = await ComponentPre.create({ engine, linkers: { modules, components } }, plan, options);
  const run = plan.exports.find(({ name }) => name.startsWith("wasi:cli/run@"));
  if (!run) throw new Error("The component is no command");
  const invocation = component.invocation<number>([run.name, "run"], {
    lower: () => [],
    // `run` returns a result without payloads.
    lift: (_caller, result) => ((result as { readonly tag: "ok" | "err" }).tag === "ok" ? 0 : 1),
    exited,
  });
  return { pre: component.pre, invocation };
}
