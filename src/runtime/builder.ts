// Makes an Application ready to run: reads and compiles its modules, links them, makes the first slots.
//
// Everything that can be slow or can fail because of configuration happens here, before a trigger opens.
// The mistakes of all components are told together.

import { readFile } from "node:fs/promises";
import { addCapabilitiesToLinker, SpinAbis } from "../capabilities/mod.ts";
import {
  Engine,
  type EngineOptions,
  InstancePre,
  LinkError,
  Linker,
  WALL_TIME_MS_DEFAULT,
} from "../engine/mod.ts";
import { type Diagnostic, type ErrorCode, SpindleError } from "../errors/mod.ts";
import type { Application, Component } from "../manifest/mod.ts";
import { type MountedDirectory, mountDirectory } from "../mounts/mod.ts";
import type { OutboundHttp } from "../outbound/mod.ts";
import {
  addWasiP1ToLinker,
  type Clock,
  type RandomSource,
  type StdoutSink,
  WasiTemplate,
} from "../wasi/mod.ts";
import { type CoreModule, isComponent, MalformedModuleError } from "../wasm/mod.ts";
import type { RuntimeContext } from "./context.ts";
import { ExecutionContext, newContext, type ReadyComponent, type SharedParts } from "./execution-context.ts";
import { linkDiagnostics } from "./link-diagnostics.ts";

const PAGE_BYTES = 65_536;
/** Spin's flag `--max-instance-memory` has no default; this protects the host. */
const MEMORY_BYTES_MAX_DEFAULT = 512 * 1024 * 1024;

export interface ExecutionContextConfiguration<T> {
  readonly application: Application;
  /** The components to make ready. All that a trigger names by default. */
  readonly componentIds?: readonly string[];
  readonly engine?: EngineOptions;
  /** Most bytes of each memory of a guest. */
  readonly memoryBytesMax?: number;
  /** Most time of a call that does not say otherwise. */
  readonly wallTimeMs?: number;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Where a component's output goes. */
  output(componentId: string): { readonly stdout: StdoutSink; readonly stderr: StdoutSink };
  /** What a component may ask of the network. */
  outbound(component: Component): OutboundHttp;
  /** Called when a call is replayed: what the trigger's data has gathered is dropped. */
  rewind?(data: T): void;
}

export class Builder<T> {
  readonly engine: Engine;
  /** Holds WASI preview 1 and what Spin adds; add what the trigger offers before `build()`. */
  readonly linker = new Linker<RuntimeContext<T>>();
  readonly #configuration: ExecutionContextConfiguration<T>;
  readonly #abis: SpinAbis;

  /** @throws SpindleError SPIN_ABI_UNKNOWN */
  constructor(configuration: ExecutionContextConfiguration<T>) {
    this.#configuration = configuration;
    this.engine = new Engine(configuration.engine);
    this.#abis = new SpinAbis(configuration.application.components);
    addWasiP1ToLinker(this.linker, (context) => context.wasi);
    addCapabilitiesToLinker(this.linker, this.#abis);
  }

  /**
   * Compiles, links and pre-instantiates every component.
   *
   * @throws SpindleError with the mistakes of all components
   */
  async build(): Promise<ExecutionContext<T>> {
    const { clock, random, wallTimeMs = WALL_TIME_MS_DEFAULT } = this.#configuration;
    const shared: SharedParts = { engine: this.engine, abis: this.#abis, clock, random, wallTimeMs };
    using owned = new DisposableStack();
    owned.use(this.engine);
    const ready = new Map<string, ReadyComponent<T>>();
    const diagnostics: Diagnostic[] = [];
    for (const component of this.#components()) {
      try {
        ready.set(component.id, await this.#makeReady(component, shared, owned));
      } catch (error) {
        if (!(error instanceof SpindleError)) throw error;
        diagnostics.push(...error.diagnostics);
      }
    }
    if (diagnostics.length > 0) throw SpindleError.collect(diagnostics);
    return new ExecutionContext(shared, ready, owned.move());
  }

  #components(): readonly Component[] {
    const { application, componentIds } = this.#configuration;
    const wanted = new Set(componentIds ?? application.triggers.map((trigger) => trigger.componentId));
    return application.components.filter((component) => wanted.has(component.id));
  }

  async #makeReady(
    component: Component,
    shared: SharedParts,
    owned: DisposableStack,
  ): Promise<ReadyComponent<T>> {
    const mounts: MountedDirectory[] = [];
    for (const source of component.mounts) mounts.push(owned.use(await mountDirectory(source)));
    const parts = {
      wasi: WasiTemplate.create({ environment: component.environment, mounts }),
      outbound: this.#configuration.outbound(component),
      ...this.#configuration.output(component.id),
    };
    const { pre, module } = await this.#preInstantiate(component, parts, shared);
    return { pre: owned.use(pre), module, ...parts };
  }

  async #preInstantiate(
    component: Component,
    parts: Omit<ReadyComponent<T>, "pre" | "module">,
    shared: SharedParts,
  ): Promise<Pick<ReadyComponent<T>, "pre" | "module">> {
    const { memoryBytesMax = MEMORY_BYTES_MAX_DEFAULT, rewind } = this.#configuration;
    try {
      const binary = await readModule(component);
      this.#abis.inspect(component.id, binary);
      const module = await this.engine.compile(binary);
      const memoryPagesMax = Math.floor(memoryBytesMax / PAGE_BYTES);
      checkMemories(component, module.rewritten.original, memoryPagesMax);
      const pre = InstancePre.ofModule({ engine: this.engine, linker: this.linker }, module, {
        name: component.id,
        memoryPagesMax,
        isStable: (moduleName, name) => WASI_MODULES.has(moduleName) && STABLE_FUNCTIONS.has(name),
        hooks: {
          rewind(context) {
            context.wasi.rewind();
            rewind?.(context.data);
          },
          commit: (context) => context.wasi.commit(),
          initialData: () =>
            newContext(component.id, parts, shared, {
              // Initialisers that run ahead reach stable functions of WASI only, none of which read it.
              data: undefined as T,
              options: {},
            }),
        },
      });
      return { pre, module: module.rewritten.original };
    } catch (error) {
      throw explained(component, this.linker, error);
    }
  }
}

const WASI_MODULES: ReadonlySet<string> = new Set(["wasi_snapshot_preview1", "wasi_unstable"]);

/**
 * What answers the same in every call of a handler, so that an initialiser which asks it need run only
 * once. Handlers get no arguments, and the environment of their component.
 */
const STABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  "args_get",
  "args_sizes_get",
  "environ_get",
  "environ_sizes_get",
  "fd_fdstat_get",
  "fd_prestat_dir_name",
  "fd_prestat_get",
]);

/** A memory is never smaller than its module declares, so one that begins too large can only be refused. */
function checkMemories({ id, source }: Component, module: CoreModule, pagesMax: number): void {
  const pages = Math.max(0, ...module.memories.map(({ min }) => min));
  if (pages <= pagesMax) return;
  throw new SpindleError(
    "COMPONENT_MEMORY_TOO_LARGE",
    `Component "${id}" cannot run: the memory of ${source.described} begins with ${pages * PAGE_BYTES} bytes, and it may have ${pagesMax * PAGE_BYTES}`,
    { hint: "Build it with less initial memory, or allow more: `--max-instance-memory SIZE`." },
  );
}

async function readModule(component: Component): Promise<Buffer> {
  const bytes = await readFile(component.source.path);
  if (!isComponent(bytes)) return bytes;
  throw new SpindleError(
    "COMPONENT_MODEL_UNSUPPORTED",
    `Component "${component.id}" cannot run: ${component.source.described} is a WebAssembly component, and this version runs core modules`,
    { hint: "Build it as a core module for WASI preview 1, with the Spin ABI or as a Wagi command." },
  );
}

function explained<T>(component: Component, linker: Linker<T>, error: unknown): unknown {
  if (error instanceof LinkError) {
    return SpindleError.collect(linkDiagnostics(component.id, error.problems, linker));
  }
  const code = moduleErrorCode(error);
  if (!code || !(error instanceof Error)) return error;
  return new SpindleError(
    code,
    `Cannot load component "${component.id}" from ${component.source.described}: ${error.message}`,
    { cause: error, hint: "Build the component again, or correct `source` in the manifest." },
  );
}

function moduleErrorCode(error: unknown): ErrorCode | undefined {
  if (error instanceof MalformedModuleError || error instanceof WebAssembly.CompileError)
    return "MODULE_INVALID";
  if (error instanceof WebAssembly.RuntimeError || error instanceof WebAssembly.LinkError)
    return "MODULE_TRAPS_AT_START";
  return undefined;
}
