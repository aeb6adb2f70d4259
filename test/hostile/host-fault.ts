// Tells what a guest brought upon itself from what the host did wrong.

import { GuestMemoryFault, GuestTextFault, SlotsExhaustedError, TrapError } from "../../src/engine/mod.ts";

/** Errors by which host functions end a guest that gives them what they cannot take. */
const GUEST_FAULTS: ReadonlySet<string> = new Set([
  "GuestAllocationError",
  "GuestLimitError",
  "GuestTagError",
  "OutboundError",
]);

/** Describes an error that is no fault of a guest's; undefined if it is one. */
export function hostFault(error: unknown): string | undefined {
  if (error instanceof SlotsExhaustedError || error instanceof WebAssembly.RuntimeError) return undefined;
  if (error instanceof TrapError && error.reason !== "trap") return undefined;
  const cause = error instanceof TrapError ? error.cause : error;
  const isFault =
    cause instanceof WebAssembly.RuntimeError ||
    cause instanceof WebAssembly.Exception ||
    cause instanceof GuestMemoryFault ||
    cause instanceof GuestTextFault ||
    (cause instanceof Error && (GUEST_FAULTS.has(cause.name) || isPlain(cause)));
  if (isFault) return undefined;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** Host functions end guests with plain errors too; a TypeError or an error of the system is none. */
function isPlain(error: Error): boolean {
  return Object.getPrototypeOf(error) === Error.prototype && !("code" in error);
}
