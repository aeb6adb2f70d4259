// A component with nothing of its own: it imports every function that there is for components, and offers each
// as the core function that its canonical ABI makes of it, so that a test can call them with any numbers.

import { addCapabilitiesToComponentLinker } from "../../src/capabilities/mod.ts";
import {
  type ComponentPlan,
  type FunctionType,
  type HostInterfaceType,
  lowerFunction,
  parseInterface,
} from "../../src/component/mod.ts";
import {
  ComponentLinker,
  ComponentPre,
  type Engine,
  type HostInterface,
  Linker,
} from "../../src/engine/mod.ts";
import type { RuntimeContext } from "../../src/runtime/mod.ts";
import { addWasiP2ToLinker } from "../../src/wasi/mod.ts";
import { type FunctionType as CoreType, ModuleBuilder, OP } from "../../src/wasm/mod.ts";
import { addAllocator, PAGES } from "./import-driver.ts";

export type Context = RuntimeContext<undefined>;

/** The instance of the plan that has a function for each import; the one before it has memory and allocator. */
export const DRIVER_INSTANCE = 1;

export interface DrivenFunction {
  /** `interface#name`, under which it is exported. */
  readonly name: string;
  readonly type: CoreType;
}

export interface ComponentDriver {
  readonly pre: ComponentPre<Context>;
  readonly functions: readonly DrivenFunction[];
}

/** @param initialData of calls that run at start-up */
export async function createDriver(engine: Engine, initialData: () => Context): Promise<ComponentDriver> {
  const hosts = hostInterfaces();
  const components = new ComponentLinker<Context>();
  for (const host of hosts) components.define(host);
  const { plan, functions } = planOf(hosts);
  const linkers = { components, modules: new Linker<Context>() };
  const pre = await ComponentPre.create({ engine, linkers }, plan, {
    name: "driver",
    memoryPagesMax: PAGES.max,
    hooks: {
      rewind: ({ wasi }) => wasi.rewind(),
      commit: ({ wasi }) => wasi.commit(),
      initialData,
    },
  });
  return { pre, functions };
}

/** Every interface that a component may import. */
export function hostInterfaces(): readonly HostInterface<Context>[] {
  const hosts: HostInterface<Context>[] = [];
  const linker = new ComponentLinker<Context>();
  const define = linker.define.bind(linker);
  linker.define = (host) => {
    hosts.push(host);
    return define(host);
  };
  addWasiP2ToLinker<Context>(linker, ({ wasi }) => wasi);
  addCapabilitiesToComponentLinker(linker);
  return hosts;
}

interface Imported {
  readonly interface: string;
  readonly name: string;
  readonly type: FunctionType;
}

function planOf(hosts: readonly HostInterface<Context>[]): {
  readonly plan: ComponentPlan;
  readonly functions: readonly DrivenFunction[];
} {
  const types = typesOf(hosts);
  const imports: Imported[] = types.flatMap(({ name, functions }) =>
    [...functions].map(([field, type]) => ({ interface: name, name: field, type })),
  );
  const resources = types.flatMap(({ name, resources }) =>
    [...resources.keys()].map((field) => ({ kind: "imported", interface: name, name: field }) as const),
  );
  const options = {
    stringEncoding: "utf8",
    memory: { instance: 0, name: "memory" },
    realloc: { instance: 0, name: "canonical_abi_realloc" },
  } as const;
  const plan: Omit<ComponentPlan, "modules" | "instances"> = {
    imports: imports.map((item) => ({ ...item, importer: undefined })),
    importNames: types.map(({ name }) => name),
    importedResources: resources,
    lifted: [],
    lowered: imports.map(({ type }, index) => ({
      callee: { kind: "import", index },
      type,
      options,
      componentInstance: 0,
    })),
    exports: [],
    componentInstances: 1,
    parents: [undefined],
  };
  const lowered = imports.map((item, index) => ({
    name: `${item.interface}#${item.name}`,
    type: lowerFunction({ ...plan, modules: [], instances: [] }, index).coreType,
    source: { kind: "builtin", builtin: { kind: "lower", index } } as const,
  }));
  const drops = resources.map((resource) => ({
    name: `${resource.interface}#[resource-drop]${resource.name}`,
    type: { params: ["i32"], results: [] } as CoreType,
    source: {
      kind: "builtin",
      builtin: { kind: "resource-drop", resource, componentInstance: 0 },
    } as const,
  }));
  const functions = [...lowered, ...drops];
  return {
    functions,
    plan: {
      ...plan,
      modules: [libraryModule(), driverModule(functions)],
      instances: [
        { module: 0, imports: [] },
        { module: 1, imports: functions.map(({ name, source }) => ({ module: "", name, source })) },
      ],
    },
  };
}

/** What they declare, in their order. */
export function typesOf(hosts: readonly HostInterface<Context>[]): HostInterfaceType[] {
  const known = new Map<string, HostInterfaceType>();
  const texts = new Map(hosts.map(({ wit }) => [/interface\s+(\S+)/.exec(wit)?.[1] ?? "", wit]));
  const typeOf = (name: string): HostInterfaceType | undefined => {
    const wit = texts.get(name);
    if (wit === undefined) return undefined;
    const type = known.get(name) ?? parseInterface(wit, typeOf);
    known.set(name, type);
    return type;
  };
  return [...texts.keys()].flatMap((name) => typeOf(name) ?? []);
}

function libraryModule(): Uint8Array {
  const builder = new ModuleBuilder();
  builder.exportMemory("memory", builder.memory({ ...PAGES, is64: false, shared: false }));
  addAllocator(builder);
  return builder.build();
}

function driverModule(functions: readonly DrivenFunction[]): Uint8Array {
  const builder = new ModuleBuilder();
  const imported = functions.map(({ name, type }) => builder.importFunction("", name, type));
  for (const [position, { name, type }] of functions.entries()) {
    const trampoline = builder.func(type, [], (code) => {
      for (let param = 0; param < type.params.length; param++) code.u8(OP.LOCAL_GET).u32(param);
      code.u8(OP.CALL).u32(imported[position] ?? 0);
    });
    builder.exportFunction(name, trampoline);
  }
  return builder.build();
}
