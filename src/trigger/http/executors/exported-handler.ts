// A function that a component exports for its trigger, found once at start-up.

import {
  type Caller,
  type ComponentPre,
  exportedFunction,
  type Invocation,
  type WasmValue,
} from "../../../engine/mod.ts";
import type { HttpContext } from "./run.ts";

export class ExportedHandler {
  /** For messages: `wasi:http/incoming-handler@0.2.0#handle`. */
  readonly exportName: string;
  readonly entry: NonNullable<Invocation<HttpContext, unknown>["entry"]>;
  readonly #index: number;

  private constructor(exportName: string, entry: ExportedHandler["entry"], index: number) {
    this.exportName = exportName;
    this.entry = entry;
    this.#index = index;
  }

  /** Undefined if the component has no such function. @param path interface and function, or the function alone */
  static find<C>({ plan }: ComponentPre<C>, path: readonly string[]): ExportedHandler | undefined {
    const index = exportedFunction(plan, path);
    const lifted = index === undefined ? undefined : plan.lifted[index];
    if (index === undefined || !lifted) return undefined;
    return new ExportedHandler(path.join("#"), lifted.core, index);
  }

  /** Makes the arguments of the core function, in the guest's memory where they do not fit. */
  lower(caller: Caller<HttpContext>, values: readonly unknown[]): readonly WasmValue[] {
    return componentOf(caller).lower(this.#index, values);
  }

  /** Takes the result, and lets the guest free what it needs no more. */
  lift(caller: Caller<HttpContext>, result: WasmValue): unknown {
    // A lifted function returns one number or nothing: its type was checked when it was planned.
    return componentOf(caller).lift(this.#index, result as number | bigint | undefined);
  }
}

function componentOf(caller: Caller<HttpContext>): NonNullable<Caller<HttpContext>["component"]> {
  if (!caller.component) throw new Error("A function of a component was called in a core module");
  return caller.component;
}
