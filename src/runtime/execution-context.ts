// The running engine of an application: gives a prepared instance for a component, and takes it back.

import { type GuestVariables, HeldBytes, type SpinAbis } from "../capabilities/mod.ts";
import { type Engine, type Instance, type Invocation, Store, type StoreOptions } from "../engine/mod.ts";
import type { Diagnostic } from "../errors/mod.ts";
import type { ComponentLimits } from "../manifest/mod.ts";
import type { OutboundHttp } from "../outbound/mod.ts";
import {
  type Clock,
  type RandomSource,
  type StdoutSink,
  Wasi,
  type WasiCall,
  type WasiTemplate,
} from "../wasi/mod.ts";
import type { CallOptions, Prepared, RuntimeContext } from "./context.ts";
import type { Preparation } from "./preparation.ts";
import type { Program } from "./program.ts";

/** What the Builder made for one component. */
export interface ReadyComponent<T> {
  readonly program: Program<RuntimeContext<T>>;
  readonly limits: ComponentLimits;
  readonly wasi: WasiTemplate;
  readonly outbound: OutboundHttp;
  readonly variables: GuestVariables;
  readonly stdout: StdoutSink;
  readonly stderr: StdoutSink;
}

/** What all components share. */
export interface SharedParts {
  readonly engine: Engine;
  readonly abis: SpinAbis;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export class ExecutionContext<T> implements Disposable {
  readonly #shared: SharedParts;
  readonly #components: ReadonlyMap<string, ReadyComponent<T>>;
  /** What was noticed when the components were made ready. */
  readonly warnings: readonly Diagnostic[];
  /** How long each component took to be made ready. */
  readonly preparations: readonly Preparation[];
  readonly #owned: DisposableStack;

  constructor(
    shared: SharedParts,
    components: ReadonlyMap<string, ReadyComponent<T>>,
    {
      warnings,
      preparations,
      owned,
    }: {
      readonly warnings: readonly Diagnostic[];
      readonly preparations: readonly Preparation[];
      readonly owned: DisposableStack;
    },
  ) {
    this.#shared = shared;
    this.#components = components;
    this.warnings = warnings;
    this.preparations = preparations;
    this.#owned = owned;
  }

  get engine(): Engine {
    return this.#shared.engine;
  }

  /** Which generation of the legacy Spin ABI each component speaks, as far as it is known. */
  get abis(): SpinAbis {
    return this.#shared.abis;
  }

  /** Ids of the components that are ready. */
  get componentIds(): readonly string[] {
    return [...this.#components.keys()];
  }

  /** What the binary of a component is, and how its functions are called. */
  program(componentId: string): Program<RuntimeContext<T>> {
    return this.#component(componentId).program;
  }

  limits(componentId: string): ComponentLimits {
    return this.#component(componentId).limits;
  }

  /** Slots of a component: `live` of them exist, `free` wait for a call. */
  slots(componentId: string): { readonly live: number; readonly free: number } {
    const { live, free } = this.#component(componentId).program.pre.pool;
    return { live, free };
  }

  /**
   * Takes a slot for one call. Dispose what it returns when the call is over.
   *
   * @throws SlotsExhaustedError if the process has as many slots as it may
   */
  prepare(componentId: string, data: T, options: CallOptions = {}): Prepared<RuntimeContext<T>> {
    const component = this.#component(componentId);
    const context = newContext(componentId, component, this.#shared, { data, options });
    const store = new Store(context, new CallLimits(options, component.limits));
    return new PreparedInstance(component.program.pre.instantiate(store), context.wasi);
  }

  #component(id: string): ReadyComponent<T> {
    const component = this.#components.get(id);
    if (!component) throw new Error(`There is no component "${id}" in this execution context`);
    return component;
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** An instance together with the files that its guest opens. */
class PreparedInstance<T> implements Prepared<RuntimeContext<T>> {
  readonly #instance: Instance<RuntimeContext<T>>;
  readonly #wasi: Wasi;

  constructor(instance: Instance<RuntimeContext<T>>, wasi: Wasi) {
    this.#instance = instance;
    this.#wasi = wasi;
  }

  ready(): Promise<void> | undefined {
    return this.#instance.ready();
  }

  run<R>(invocation: Invocation<RuntimeContext<T>, R>): R | Promise<R> {
    return this.#instance.run(invocation);
  }

  [Symbol.dispose](): void {
    this.#instance[Symbol.dispose]();
    this.#wasi[Symbol.dispose]();
  }
}

/** The limits of a call. Its signal is read late, because it may be made on first use. */
class CallLimits implements StoreOptions {
  readonly #options: CallOptions;
  readonly #limits: ComponentLimits;

  constructor(options: CallOptions, limits: ComponentLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  get wallTimeMs(): number {
    return this.#options.wallTimeMs ?? this.#limits.wallTimeMs;
  }

  get cpuTimeMs(): number {
    return this.#limits.cpuTimeMs;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }
}

/** What a guest finds around it. Arguments and environment are read late: few guests ask for them. */
class GuestSurroundings implements WasiCall {
  readonly #options: CallOptions;
  readonly stdout: StdoutSink;
  readonly stderr: StdoutSink;
  readonly clock: Clock;
  readonly random: RandomSource;

  constructor(
    options: CallOptions,
    component: Pick<ReadyComponent<unknown>, "stdout" | "stderr">,
    shared: Pick<SharedParts, "clock" | "random">,
  ) {
    this.#options = options;
    this.stdout = options.stdout ?? component.stdout;
    this.stderr = component.stderr;
    this.clock = shared.clock;
    this.random = shared.random;
  }

  get args(): readonly string[] {
    return this.#options.args ?? [];
  }

  get environment(): readonly (readonly [name: string, value: string])[] {
    return this.#options.environment ?? [];
  }

  get stdin(): Uint8Array {
    return this.#options.stdin ?? NOTHING;
  }
}

const NOTHING = new Uint8Array(0);

/** What host functions see of one call. Few guests send requests, so what counts them is made late; the same goes for headers. */
class CallContext<T> implements RuntimeContext<T> {
  readonly componentId: string;
  readonly wasi: Wasi;
  readonly data: T;
  readonly #component: Pick<ReadyComponent<T>, "outbound" | "variables" | "limits">;
  #outbound: OutboundHttp | undefined;
  #heldBytes: HeldBytes | undefined;

  constructor(
    componentId: string,
    component: Pick<ReadyComponent<T>, "outbound" | "variables" | "limits">,
    call: { readonly wasi: Wasi; readonly data: T },
  ) {
    this.componentId = componentId;
    this.#component = component;
    this.wasi = call.wasi;
    this.data = call.data;
  }

  get variables(): GuestVariables {
    return this.#component.variables;
  }

  get outbound(): OutboundHttp {
    this.#outbound ??= this.#component.outbound.forCall(this.#component.limits);
    return this.#outbound;
  }

  get heldBytes(): HeldBytes {
    this.#heldBytes ??= new HeldBytes();
    return this.#heldBytes;
  }
}

/** The data of one store, also for the initialisers at start-up. */
export function newContext<T>(
  componentId: string,
  component: Pick<ReadyComponent<T>, "limits" | "wasi" | "outbound" | "variables" | "stdout" | "stderr">,
  shared: Pick<SharedParts, "clock" | "random">,
  call: { readonly data: T; readonly options: CallOptions },
): RuntimeContext<T> {
  const wasi = new Wasi(component.wasi, new GuestSurroundings(call.options, component, shared));
  return new CallContext(componentId, component, { wasi, data: call.data });
}
