// Runs the commands of one script in one world.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { matches, type Result } from "./wasm-invoke.ts";
import type { Action, Command, Constant } from "./wasm-script.ts";
import { isRejection, type World, type WorldInstance } from "./wasm-world.ts";

/** How a command ended. */
export interface Outcome {
  readonly passed: boolean;
  /** The results, or the error: for traps it must be the same in both worlds. */
  readonly said: string;
}

const PASSED: Outcome = { passed: true, said: "" };

export class ScriptRunner {
  readonly #world: World;
  readonly #directory: string;
  readonly #definitions = new Map<string | undefined, Uint8Array>();
  readonly #named = new Map<string, WorldInstance>();
  #current: WorldInstance | undefined;
  /** What each instance was asked, in order, and whether it passed. */
  readonly asked = new Map<WorldInstance, Map<Command, boolean>>();
  /** Instances that others may import from. */
  readonly registered = new Set<WorldInstance>();

  constructor(world: World, directory: string) {
    this.#world = world;
    this.#directory = directory;
  }

  run(command: Command): Outcome {
    const outcome = this.#attempt(command);
    if (!("action" in command)) return outcome;
    const instance = this.#find(command.action.module);
    if (!instance) return outcome;
    const asked = this.asked.get(instance) ?? new Map<Command, boolean>();
    this.asked.set(instance, asked.set(command, outcome.passed));
    return outcome;
  }

  /** Asks an instance all that it was asked before; returns the commands that end otherwise now. */
  askAgain(instance: WorldInstance): Command[] {
    return [...(this.asked.get(instance) ?? [])].flatMap(([command, passed]) => {
      this.#current = instance;
      return this.#attempt(command).passed === passed ? [] : [command];
    });
  }

  #attempt(command: Command): Outcome {
    try {
      return this.#run(command);
    } catch (error) {
      return { passed: false, said: describe(error) };
    }
  }

  #run(command: Command): Outcome {
    switch (command.type) {
      case "module":
        this.#current = undefined;
        return this.#define(command.name, this.#world.instantiate(this.#read(command.filename)));
      case "module_definition":
        this.#definitions.set(command.name, this.#read(command.filename));
        return PASSED;
      case "module_instance":
        return this.#define(command.instance, this.#world.instantiate(this.#definition(command.module)));
      case "register": {
        const instance = this.#instance(command.name);
        this.#world.register(command.as, instance);
        this.registered.add(instance);
        return PASSED;
      }
      case "action":
        this.#act(command.action);
        return PASSED;
      case "assert_return": {
        const results = this.#act(command.action);
        return { passed: asExpected(results, command.expected), said: show(results) };
      }
      case "assert_trap":
        return expectError(() => this.#act(command.action), isTrap);
      case "assert_exhaustion":
        return expectError(() => this.#act(command.action), isExhaustion);
      case "assert_exception":
        return expectError(() => this.#act(command.action), isException);
      case "assert_invalid":
      case "assert_malformed":
        return withoutText(expectError(() => this.#world.compile(this.#read(command.filename)), isRejection));
      case "assert_unlinkable":
        return withoutText(
          expectError(() => this.#world.instantiate(this.#read(command.filename)), isLinkError),
        );
      case "assert_uninstantiable":
        return withoutText(expectError(() => this.#world.instantiate(this.#read(command.filename)), isTrap));
    }
  }

  #read(filename: string): Uint8Array {
    return readFileSync(join(this.#directory, filename));
  }

  #define(name: string | undefined, instance: WorldInstance): Outcome {
    if (name !== undefined) this.#named.set(name, instance);
    this.#current = instance;
    return PASSED;
  }

  #definition(name: string | undefined): Uint8Array {
    const bytes = this.#definitions.get(name);
    if (!bytes) throw new Error(`No module "${name}"`);
    return bytes;
  }

  #find(name: string | undefined): WorldInstance | undefined {
    return name === undefined ? this.#current : this.#named.get(name);
  }

  #instance(name: string | undefined): WorldInstance {
    const instance = this.#find(name);
    if (!instance) throw new Error(`No instance "${name ?? "current"}"`);
    return instance;
  }

  #act(action: Action): Result[] {
    const instance = this.#instance(action.module);
    return action.type === "get"
      ? instance.get(action.field)
      : instance.invoke(action.field, action.args ?? []);
  }
}

function expectError(act: () => unknown, isExpected: (error: unknown) => boolean): Outcome {
  try {
    act();
  } catch (error) {
    return { passed: isExpected(error), said: describe(error) };
  }
  return { passed: false, said: "nothing was thrown" };
}

/** Messages about a module differ between V8 and us. */
function withoutText({ passed }: Outcome): Outcome {
  return { passed, said: "" };
}

const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError;
const isExhaustion = (error: unknown): boolean => error instanceof RangeError;
const isException = (error: unknown): boolean => error instanceof WebAssembly.Exception;
/** V8 throws a TypeError if there is no such module name. */
const isLinkError = (error: unknown): boolean =>
  error instanceof WebAssembly.LinkError || error instanceof TypeError;

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function asExpected(results: readonly Result[], expected: readonly Constant[]): boolean {
  return (
    results.length === expected.length && expected.every((value, index) => matches(results[index], value))
  );
}

function show(results: readonly Result[]): string {
  return results
    .map((result) => (result.type === "ref" ? `ref ${typeof result.value}` : `${result.type} ${result.bits}`))
    .join(", ");
}
