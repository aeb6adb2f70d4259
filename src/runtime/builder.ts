// Makes an Application ready to run: reads and compiles its modules, links them, makes the first slots.
//
// Everything that can be slow or can fail because of configuration happens here, before a trigger opens.
// The mistakes of all components are told together.

import { addCapabilitiesToLinker, SpinAbis } from "../capabilities/mod.ts";
import { type ComponentLinker, Engine, type EngineOptions, Linker } from "../engine/mod.ts";
import { type Diagnostic, SpindleError } from "../errors/mod.ts";
import {
  type Application,
  type Component,
  type ComponentLimits,
  componentLimits,
  DEFAULT_COMPONENT_LIMITS,
} from "../manifest/mod.ts";
import { type MountedDirectory, mountDirectory } from "../mounts/mod.ts";
import type { OutboundHttp } from "../outbound/mod.ts";
import { WholeFiles } from "../paths/mod.ts";
import {
  addWasiP1ToLinker,
  type Clock,
  type GuestNetwork,
  type RandomSource,
  type StdoutSink,
  WasiTemplate,
} from "../wasi/mod.ts";
import type { RuntimeContext } from "./context.ts";
import { ExecutionContext, newContext, type ReadyComponent, type SharedParts } from "./execution-context.ts";
import { denialsOf } from "./inherited.ts";
import { isSpinInterface, missingWarnings } from "./missing-interfaces.ts";
import { PlannedBinaries } from "./planned-binaries.ts";
import { PreparationTimes } from "./preparation.ts";
import { makeProgram, type Program } from "./program.ts";
import { isStableImport } from "./stable-imports.ts";
import { startError } from "./start-error.ts";
import { ApplicationVariables } from "./variables.ts";

const PAGE_BYTES = 65_536;

export interface ExecutionContextConfiguration<T> {
  readonly application: Application;
  /** The components to make ready. All that a trigger names by default. */
  readonly componentIds?: readonly string[];
  /** Whoever has read the modules before. */
  readonly binaries?: WholeFiles;
  readonly engine?: EngineOptions;
  /** Limits of components whose manifest does not say otherwise. */
  readonly limits?: Partial<ComponentLimits>;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Where a component's output goes. */
  output(componentId: string): { readonly stdout: StdoutSink; readonly stderr: StdoutSink };
  /** Those of the application; without providers by default. */
  readonly variables?: ApplicationVariables;
  /** What a component may ask of the network. */
  outbound(component: Component): OutboundHttp;
  /** What its sockets may reach; nothing if absent. */
  sockets?(component: Component): GuestNetwork;
  /** Told before each component is made ready: for those who watch. */
  preparing?(componentId: string, of: { readonly number: number; readonly count: number }): void;
  /** Called when a call is replayed: what the trigger's data has gathered is dropped. */
  rewind?(data: T): void;
}

export class Builder<T> {
  readonly engine: Engine;
  /** What core modules import: WASI preview 1 and what Spin adds. Add what the trigger offers before `build()`. */
  readonly linker = new Linker<RuntimeContext<T>>();
  #componentLinker: Promise<ComponentLinker<RuntimeContext<T>>> | undefined;
  readonly #configuration: ExecutionContextConfiguration<T>;
  readonly #abis: SpinAbis;
  readonly #limits: ComponentLimits;
  readonly #variables: ApplicationVariables;
  readonly #binaries: PlannedBinaries;

  /** @throws SpindleError SPIN_ABI_UNKNOWN */
  constructor(configuration: ExecutionContextConfiguration<T>) {
    this.#configuration = configuration;
    this.#binaries = new PlannedBinaries(configuration.binaries ?? new WholeFiles());
    this.engine = new Engine(configuration.engine);
    this.#limits = { ...DEFAULT_COMPONENT_LIMITS, ...configuration.limits };
    this.#variables = configuration.variables ?? new ApplicationVariables(configuration.application);
    this.#abis = new SpinAbis(configuration.application.components);
    addWasiP1ToLinker(this.linker, (context) => context.wasi);
    addCapabilitiesToLinker(this.linker, this.#abis);
  }

  /** What components import: WASI 0.2 and what Spin adds. */
  componentLinker(): Promise<ComponentLinker<RuntimeContext<T>>> {
    this.#componentLinker ??= import("./components.ts").then((components) =>
      components.createComponentLinker(),
    );
    return this.#componentLinker;
  }

  /**
   * Compiles, links and pre-instantiates every component.
   *
   * @throws SpindleError with the mistakes of all components
   */
  async build(): Promise<ExecutionContext<T>> {
    const { clock, random } = this.#configuration;
    const shared: SharedParts = { engine: this.engine, abis: this.#abis, clock, random };
    using owned = new DisposableStack();
    owned.use(this.engine);
    const ready = new Map<string, ReadyComponent<T>>();
    const warnings: Diagnostic[] = [];
    const diagnostics: Diagnostic[] = [];
    const components = this.#components();
    const times = new PreparationTimes();
    for (const [index, component] of components.entries()) {
      this.#configuration.preparing?.(component.id, { number: index + 1, count: components.length });
      const startMs = performance.now();
      try {
        const made = await this.#makeReady(component, shared, owned);
        ready.set(component.id, made);
        times.add(component.id, made.program, performance.now() - startMs);
        warnings.push(...missingWarnings(component.id, made.program));
      } catch (error) {
        if (!(error instanceof SpindleError)) throw error;
        diagnostics.push(...error.diagnostics);
      }
    }
    if (diagnostics.length > 0) throw SpindleError.collect(diagnostics);
    const { preparations } = times;
    return new ExecutionContext(shared, ready, { warnings, preparations, owned: owned.move() });
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
    const limits = componentLimits(component, this.#limits);
    const network = this.#configuration.sockets?.(component);
    const parts = {
      limits,
      wasi: WasiTemplate.create({
        environment: component.environment,
        mounts,
        limits,
        ...(network && { network }),
      }),
      outbound: this.#configuration.outbound(component),
      variables: this.#variables.ofComponent(component),
      ...this.#configuration.output(component.id),
    };
    const program = await this.#makeProgram(component, parts, shared);
    owned.use(program.pre);
    return { program, ...parts };
  }

  async #makeProgram(
    component: Component,
    parts: Omit<ReadyComponent<T>, "program">,
    shared: SharedParts,
  ): Promise<Program<RuntimeContext<T>>> {
    const { rewind } = this.#configuration;
    const { memoryBytesMax, tableElementsMax, weight } = parts.limits;
    const linkers = { modules: this.linker, components: () => this.componentLinker() };
    try {
      const binary = await this.#binaries.get(component);
      this.#abis.inspect(component.id, binary.file.bytes);
      return await makeProgram({ engine: this.engine, linkers }, binary, {
        name: component.id,
        memoryPagesMax: Math.floor(memoryBytesMax / PAGE_BYTES),
        tableElementsMax,
        weight,
        isStable: isStableImport,
        isMissing: isSpinInterface,
        isDenied: denialsOf(component),
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
    } catch (error) {
      throw startError(component, this.linker, error);
    }
  }
}
