// What can be seen of one call of a generated module, in a form that can be compared.

import { TrapError } from "../../src/engine/mod.ts";

export interface Outcome {
  /** Results bit by bit, or why there are none. */
  readonly ending: string;
  /** What the host was told, in order. */
  readonly notes: readonly number[];
  /** What the observers saw before the call, and after it if it returned. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The stacks of two builds of one function differ: nothing follows from an overflow. */
export const OVERFLOW = "stack overflow";
export const OUT_OF_BOUNDS = "trap: memory access out of bounds";

export function returned(result: unknown): string {
  const values = Array.isArray(result) ? result : [result];
  return `returned ${values.map((value) => (Object.is(value, -0) ? "-0" : String(value)))}`;
}

/**
 * How a call ended that threw.
 *
 * @throws what no guest can cause
 */
export function thrown(error: unknown): string {
  const cause = error instanceof TrapError ? error.cause : error;
  if (cause instanceof WebAssembly.Exception) return "exception";
  if (error instanceof TrapError && error.reason === "stack-overflow") return OVERFLOW;
  if (cause instanceof RangeError && /call stack/.test(cause.message)) return OVERFLOW;
  if (cause instanceof WebAssembly.RuntimeError) return `trap: ${cause.message}`;
  throw error;
}

/** The first thing in which two outcomes differ; undefined if they agree. */
export function difference(expected: Outcome, found: Outcome): string | undefined {
  if (expected.ending === OVERFLOW || found.ending === OVERFLOW) return undefined;
  for (const aspect of ["before", "ending", "notes", "after"] as const) {
    const [a, b] = [String(expected[aspect]), String(found[aspect])];
    if (a !== b) return `${aspect}: ${a} is expected, found ${b}`;
  }
  return undefined;
}
