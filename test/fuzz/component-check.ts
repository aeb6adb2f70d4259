// What must hold for any bytes that claim to be a component, whoever made them.
//
// They are refused, with the reason and an offset within the bytes, or planned. What is planned is linked
// with a host that answers anything, and its functions are called: it runs or traps like any guest.

import { randomValue, Random as ValueRandom } from "../../src/component/canonical/random-value.ts";
import {
  CanonicalError,
  type ComponentPlan,
  type ExportedItem,
  type FunctionType,
  MalformedComponentError,
  planComponent,
  UnsupportedComponentError,
  type ValueType,
  WitError,
} from "../../src/component/mod.ts";
import {
  ComponentLinkError,
  ComponentLinker,
  ComponentPre,
  Engine,
  Linker,
  MemoryLimitError,
  Store,
  TrapError,
} from "../../src/engine/mod.ts";
import { MalformedModuleError } from "../../src/wasm/mod.ts";
import { FORWARDED } from "../component/forwarder.ts";
import { interfaceText } from "../component/interface-text.ts";
import { hostFault } from "../hostile/host-fault.ts";

/** A damaged guest may compute without end. */
const WALL_TIME_MS = 60;
const CALLS_MAX = 6;
const PAGES_MAX = 64;
const ELEMENTS_MAX = 64;
/** Components whose modules an engine compiles before it is thrown away: it never forgets one. */
const COMPONENTS_MAX = 200;

export class ComponentCheck implements Disposable {
  #engine: Engine | undefined;
  #linked = 0;

  /** What is wrong; undefined if nothing is. */
  async check(bytes: Uint8Array, seed: number): Promise<string | undefined> {
    let plan: ComponentPlan;
    try {
      plan = planComponent(bytes);
    } catch (error) {
      return refusalFault(error, bytes);
    }
    try {
      const random = new ValueRandom(seed);
      const component = await this.#link(plan, random);
      using _pre = component.pre;
      return await callExports(component, random);
    } catch (error) {
      return isRefusal(error) ? undefined : hostFault(error);
    }
  }

  async #link(plan: ComponentPlan, random: ValueRandom): Promise<ComponentPre<undefined>> {
    if (this.#linked++ > COMPONENTS_MAX) this[Symbol.dispose]();
    this.#engine ??= new Engine();
    const components = new ComponentLinker<undefined>();
    const functions = plan.imports.filter((item) => item.interface === FORWARDED);
    components.define({
      wit: interfaceText(FORWARDED, functions),
      functions: Object.fromEntries(functions.map(({ name, type }) => [name, answering(type, random)])),
    });
    const linkers = { components, modules: new Linker<undefined>() };
    return ComponentPre.create({ engine: this.#engine, linkers }, plan, {
      name: "damaged",
      memoryPagesMax: PAGES_MAX,
      isMissing: () => true,
      hooks: { rewind() {}, commit() {}, initialData: () => undefined },
    });
  }

  [Symbol.dispose](): void {
    this.#engine?.[Symbol.dispose]();
    this.#engine = undefined;
    this.#linked = 0;
  }
}

function answering({ result }: FunctionType, random: ValueRandom): () => unknown {
  return () => (result && hasValues(result) ? randomValue(random, result) : undefined);
}

async function callExports(
  component: ComponentPre<undefined>,
  random: ValueRandom,
): Promise<string | undefined> {
  const { plan } = component;
  const callable = functionsOf(plan.exports).filter(({ index }) => hasArguments(plan.lifted[index]?.type));
  for (const { path, index } of callable.slice(0, CALLS_MAX)) {
    const params = plan.lifted[index]?.type.params ?? [];
    const args = params.map(({ type }) => randomValue(random, type));
    const wrong = await callExport(component, path, args);
    if (wrong !== undefined) return `${path.join("#")}: ${wrong}`;
  }
  return undefined;
}

async function callExport(
  component: ComponentPre<undefined>,
  path: readonly string[],
  args: readonly unknown[],
): Promise<string | undefined> {
  using instance = component.pre.instantiate(new Store(undefined, { wallTimeMs: WALL_TIME_MS }));
  try {
    await instance.run(component.invocation(path, { lower: () => args, lift: () => undefined }));
    return undefined;
  } catch (error) {
    const cause = error instanceof TrapError ? error.cause : error;
    return cause instanceof CanonicalError ? undefined : hostFault(error);
  }
}

interface ExportedFunction {
  readonly path: readonly string[];
  readonly index: number;
}

function functionsOf(items: readonly ExportedItem[], outer: readonly string[] = []): ExportedFunction[] {
  return items.flatMap((item) => {
    const path = [...outer, item.name];
    if (item.kind === "instance") return functionsOf(item.items, path);
    return item.kind === "function" ? [{ path, index: item.index }] : [];
  });
}

function hasArguments(type: FunctionType | undefined): boolean {
  return type?.params.every((param) => hasValues(param.type)) ?? false;
}

/** Whether values of the type can be made up: resources of a component cannot, and long arrays are too much. */
function hasValues(type: ValueType): boolean {
  switch (type.kind) {
    case "own":
    case "borrow":
      return type.resource.kind === "imported";
    case "list":
      return (type.length ?? 0) <= ELEMENTS_MAX && hasValues(type.element);
    case "record":
      return type.fields.every((field) => hasValues(field.type));
    case "tuple":
      return type.elements.every(hasValues);
    case "variant":
      return type.cases.every((each) => each.type === undefined || hasValues(each.type));
    case "option":
      return hasValues(type.payload);
    case "result":
      return [type.ok, type.error].every((each) => each === undefined || hasValues(each));
    default:
      return true;
  }
}

/** Whether a component may be refused with it when it is linked. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof ComponentLinkError ||
    error instanceof MalformedModuleError ||
    error instanceof MemoryLimitError ||
    // The text of the host is made of the component's own names, which may be words of WIT.
    error instanceof WitError ||
    error instanceof WebAssembly.CompileError
  );
}

/** What is wrong with how a component is refused; undefined if nothing is. */
function refusalFault(error: unknown, bytes: Uint8Array): string | undefined {
  const isExpected =
    error instanceof MalformedComponentError ||
    error instanceof UnsupportedComponentError ||
    error instanceof MalformedModuleError;
  if (!isExpected) return `planComponent throws ${error instanceof Error ? error.stack : error}`;
  const { offset } = error;
  if (Number.isInteger(offset) && offset >= 0 && offset <= bytes.length) return undefined;
  return `planComponent gives the offset ${offset} in ${bytes.length} bytes: ${error.message}`;
}
