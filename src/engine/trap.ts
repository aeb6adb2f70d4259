// Trap objects: errors that a guest cannot catch.
//
// A guest with exception handling catches whatever a host function throws, except the very object
// that a real trap produced, however often it is thrown again. So every way in which the host ends a
// guest is thrown as such an object. The table remembers what each one means.

import type { ShiftCause } from "./gears.ts";
import type { EndReason } from "./invocation.ts";

/** Why a trap object was thrown. A shift is not an end: the call is replayed in second gear. */
export type Ending =
  | { readonly kind: "shift"; readonly cause: ShiftCause }
  | { readonly kind: "unstable" }
  | { readonly kind: "exit"; readonly code: number }
  | {
      readonly kind: "failed";
      readonly reason: EndReason;
      readonly message: string;
      readonly cause?: unknown;
    };

// (module (func (export "trap") unreachable))
const TRAP_MODULE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00,
  0x07, 0x08, 0x01, 0x04, 0x74, 0x72, 0x61, 0x70, 0x00, 0x00, 0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b,
]);

const endings = new WeakMap<object, Ending>();
let raise: (() => void) | undefined;

/** Makes an object which, thrown by a host function, passes through every handler of the guest. */
export function trapObject(ending: Ending): object {
  const trap = realTrap();
  endings.set(trap, ending);
  return trap;
}

/** What a thrown value means, if it is one of ours. */
export function endingOf(thrown: unknown): Ending | undefined {
  return typeof thrown === "object" && thrown !== null ? endings.get(thrown) : undefined;
}

function realTrap(): object {
  if (!raise) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(TRAP_MODULE));
    // The module above exports one function.
    raise = exports.trap as () => void;
  }
  try {
    raise();
  } catch (trap) {
    // V8 throws a RuntimeError, which is an object.
    return trap as object;
  }
  throw new Error("unreachable returned");
}

/** Says what was thrown. An exception of a guest has no message of its own. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof WebAssembly.Exception) return "uncaught exception of the guest";
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** V8 throws this where a stack ends; a guest cannot catch it either. */
export function isStackOverflow(thrown: unknown): boolean {
  return thrown instanceof RangeError && thrown.message === "Maximum call stack size exceeded";
}
