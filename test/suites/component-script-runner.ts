// Runs the commands of one script in slots of the engine.
//
// Scripts mean one instance that lives on, slots begin anew with each call. So each call runs in a slot
// that was recycled; if it does not end as the script says, all calls of the instance so far are run one
// after another in one slot, which is not restored in between, and then this one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  CanonicalError,
  type ComponentPlan,
  MalformedComponentError,
  UnsupportedComponentError,
} from "../../src/component/mod.ts";
import {
  ComponentLinkError,
  ComponentLinker,
  ComponentPre,
  type Engine,
  exportedFunction,
  type Instance,
  Linker,
  Store,
  TrapError,
} from "../../src/engine/mod.ts";
import { isComponent, MalformedModuleError } from "../../src/wasm/mod.ts";
import { planScript, validateComponent } from "./component-composition.ts";
import { type Action, type Command, toValue } from "./component-script.ts";

/** Features of asynchronous components and of those to come, whose tests are passed over. */
const LATER = /async|stream|future|error-context|task|subtask|waitable|backpressure|context\.|thread|map/;

export type Outcome =
  | { readonly kind: "passed"; readonly how: "read" | "recycled" | "replayed" }
  /** It needs a feature of 0.3, by its name. */
  | { readonly kind: "skipped"; readonly feature: string }
  | { readonly kind: "failed"; readonly said: string };

interface Definition {
  readonly bytes: Uint8Array;
}

/** An instance of a script. */
interface ScriptInstance extends Definition {
  readonly pre: ComponentPre<undefined>;
  /** What was called so far. */
  readonly actions: Action[];
}

/** Which ends a call has. */
type Ending =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

/** All that 32 bits can address. */
const MEMORY_PAGES_MAX = 65_536;

const READ: Outcome = { kind: "passed", how: "read" };

export class ScriptRunner implements Disposable {
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #definitions = new Map<string | undefined, Definition>();
  readonly #instances = new Map<string | undefined, ScriptInstance | UnsupportedComponentError>();
  /** Named instances, which components may import. */
  readonly #offers = new Map<string, Uint8Array>();
  readonly #owned = new DisposableStack();

  constructor(engine: Engine, folder: string) {
    this.#engine = engine;
    this.#folder = folder;
  }

  async run(command: Command): Promise<Outcome> {
    try {
      return await this.#run(command);
    } catch (error) {
      if (error instanceof UnsupportedComponentError && LATER.test(error.feature))
        return { kind: "skipped", feature: error.feature };
      return { kind: "failed", said: describe(error) };
    }
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  async #run(command: Command): Promise<Outcome> {
    switch (command.type) {
      case "module": {
        const bytes = this.#read(command.filename);
        if (command.name !== undefined) this.#definitions.set(command.name, { bytes });
        return this.#instantiate(bytes, command.name);
      }
      case "module_definition": {
        const bytes = this.#read(command.filename);
        this.#definitions.set(command.name, { bytes });
        this.#definitions.set(undefined, { bytes });
        validateComponent(bytes);
        return READ;
      }
      case "module_instance": {
        const definition = this.#definitions.get(command.module);
        if (!definition) throw new Error(`There is no definition ${command.module}`);
        return this.#instantiate(definition.bytes, command.instance);
      }
      case "register":
        throw new Error("Nothing is registered in scripts of components");
      case "action":
        return this.#invoke(command.action, (ending) => ending.kind === "value");
      case "assert_return":
        return this.#invoke(command.action, (ending, plan) => returns(ending, { plan, command }));
      case "assert_trap":
        return this.#invoke(command.action, (ending) => traps(ending, command.text));
      case "assert_invalid":
      case "assert_malformed":
        return this.#refuse(command, (bytes) => validateComponent(bytes), isInvalid);
      case "assert_unlinkable":
        return this.#refuse(command, (bytes) => this.#create(bytes), isUnlinkable);
      case "assert_uninstantiable":
        return this.#refuse(command, (bytes) => this.#create(bytes), isTrap);
    }
  }

  #read(filename: string): Uint8Array {
    return readFileSync(join(this.#folder, filename));
  }

  /** Makes an instance, and runs its start functions. */
  async #instantiate(bytes: Uint8Array, name?: string): Promise<Outcome> {
    if (!isComponent(bytes)) return { kind: "skipped", feature: "a core module" };
    try {
      const instance = await this.#create(bytes);
      this.#instances.set(undefined, instance);
      if (name === undefined) return READ;
      this.#instances.set(name, instance);
      this.#offers.set(name, bytes);
      return READ;
    } catch (error) {
      if (error instanceof UnsupportedComponentError)
        for (const each of [undefined, name]) this.#instances.set(each, error);
      else for (const each of [undefined, name]) this.#instances.delete(each);
      throw error;
    }
  }

  async #create(bytes: Uint8Array): Promise<ScriptInstance> {
    const plan = planScript(bytes, this.#offers);
    const linkers = { components: new ComponentLinker<undefined>(), modules: new Linker<undefined>() };
    const pre = await ComponentPre.create({ engine: this.#engine, linkers }, plan, {
      name: "script",
      isStable: () => true,
      memoryPagesMax: MEMORY_PAGES_MAX,
      hooks: { rewind() {}, commit() {}, initialData: () => undefined },
    });
    this.#owned.use(pre.pre);
    await start(pre);
    return { bytes, pre, actions: [] };
  }

  async #refuse(
    { filename, text }: { readonly filename: string; readonly text: string },
    accept: (bytes: Uint8Array) => unknown,
    isExpected: (error: unknown, text: string) => boolean,
  ): Promise<Outcome> {
    try {
      await accept(this.#read(filename));
    } catch (error) {
      if (isExpected(error, text)) return READ;
      throw error;
    }
    return { kind: "failed", said: `it is accepted: ${text}` };
  }

  async #invoke(
    action: Action,
    isExpected: (ending: Ending, plan: ComponentPlan) => boolean,
  ): Promise<Outcome> {
    const instance = this.#instances.get(action.module);
    if (!instance) throw new Error("The instance could not be made");
    if (instance instanceof UnsupportedComponentError) throw instance;
    const { pre, actions } = instance;
    const before = [...actions];
    actions.push(action);
    const first = await callInOneSlot(pre, [action]);
    if (isExpected(first, pre.plan)) return { kind: "passed", how: "recycled" };
    const again = before.length > 0 ? await callInOneSlot(pre, [...before, action]) : first;
    if (isExpected(again, pre.plan)) return { kind: "passed", how: "replayed" };
    return { kind: "failed", said: again.kind === "value" ? show(again.value) : describe(again.error) };
  }
}

/** Runs the start functions. @throws TrapError if one fails */
async function start(pre: ComponentPre<undefined>): Promise<void> {
  using instance = pre.pre.instantiate(new Store(undefined));
  const started = new Error("All have run");
  try {
    await instance.run({
      exportName: "",
      lower() {
        throw started;
      },
      lift() {},
    });
  } catch (error) {
    if (!(error instanceof TrapError && error.cause === started)) throw error;
  }
}

/** Calls functions one after another in one slot. Returns how the last one ended. */
async function callInOneSlot(pre: ComponentPre<undefined>, actions: readonly Action[]): Promise<Ending> {
  let ending: Ending = { kind: "error", error: new Error("Nothing was called") };
  using instance = pre.pre.instantiate(new Store(undefined));
  for (const action of actions) ending = await call(instance, pre, action);
  return ending;
}

async function call(
  instance: Instance<undefined>,
  pre: ComponentPre<undefined>,
  action: Action,
): Promise<Ending> {
  try {
    const path = action.field.split("#");
    const lifted = pre.plan.lifted[exportedFunction(pre.plan, path) ?? -1];
    if (!lifted) throw new Error(`There is no function "${action.field}"`);
    const args = (action.args ?? []).map((arg, index) => {
      const type = lifted.type.params[index]?.type;
      if (!type) throw new Error("There are too many arguments");
      return toValue(arg, type);
    });
    const invocation = pre.invocation(path, { lower: () => args, lift: (_caller, result) => result });
    return { kind: "value", value: await instance.run(invocation) };
  } catch (error) {
    return { kind: "error", error };
  }
}

function returns(
  ending: Ending,
  {
    plan,
    command,
  }: { readonly plan: ComponentPlan; readonly command: Extract<Command, { type: "assert_return" }> },
): boolean {
  if (ending.kind !== "value") return false;
  const [expected] = command.expected;
  const lifted = plan.lifted[exportedFunction(plan, command.action.field.split("#")) ?? -1];
  const type = lifted?.type.result;
  return isDeepStrictEqual(ending.value, expected && type ? toValue(expected, type) : undefined);
}

/** Reasons that are the same in other words, which the scripts themselves use side by side. */
const SYNONYMS: readonly RegExp[] = [
  /string content out-of-bounds|string pointer\/length out of bounds of memory/,
  /(list|string) content out-of-bounds|realloc return: beyond end of memory/,
  /unaligned pointer|not aligned/,
  /`char`/,
  /utf-8/,
  /discriminant/,
  /uncaught exception/,
];

function traps(ending: Ending, text: string): boolean {
  if (ending.kind !== "error" || !(ending.error instanceof TrapError)) return false;
  const { message } = ending.error;
  const expected = text.replace(/^wasm trap: /, "").replace(/^wasm `(.*)` instruction executed$/, "$1");
  return message.includes(expected) || SYNONYMS.some((words) => words.test(expected) && words.test(message));
}

function isInvalid(error: unknown, text: string): boolean {
  if (error instanceof UnsupportedComponentError) return text.includes("not supported");
  return error instanceof MalformedComponentError || error instanceof MalformedModuleError;
}

function isUnlinkable(error: unknown): boolean {
  return (
    error instanceof MalformedComponentError ||
    error instanceof UnsupportedComponentError ||
    error instanceof ComponentLinkError
  );
}

function isTrap(error: unknown, text: string): boolean {
  return traps({ kind: "error", error }, text);
}

function describe(error: unknown): string {
  if (error instanceof TrapError) {
    const { cause } = error;
    const isOurs = !(cause instanceof CanonicalError || cause instanceof WebAssembly.RuntimeError);
    return `trap: ${error.message}${isOurs && cause instanceof Error ? ` (${cause.stack?.split("\n", 3).join(" ")})` : ""}`;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, each) => (typeof each === "bigint" ? `${each}n` : each)) ?? "nothing";
}
