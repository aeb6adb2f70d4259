// Binding a host function to a slot: the guest calls the result as its import.
//
// Whatever the function throws becomes a trap object, so that no handler of the guest sees it.

import type { Caller } from "./caller.ts";
import { endingOf, isStackOverflow, messageOf, trapObject } from "./trap.ts";

export type HostCall<T> = (caller: Caller<T>, ...args: unknown[]) => unknown;

/** A caller that may want to know of each host call before it happens. */
interface WatchedCaller<T> extends Caller<T> {
  readonly watched: boolean;
  beforeHostCall(stable: boolean): void;
}

/**
 * @param options.arity number of parameters
 * @param options.stable whether the answer is the same for every call of the component
 */
export function bindHostCall<T>(
  caller: WatchedCaller<T>,
  call: HostCall<T>,
  options: { readonly arity: number; readonly stable: boolean },
): (...args: never[]) => unknown {
  const { stable } = options;
  // One closure for each number of parameters: rest parameters would cost more than most calls do.
  switch (options.arity) {
    case 0:
      return () => {
        try {
          if (caller.watched) caller.beforeHostCall(stable);
          return call(caller);
        } catch (error) {
          throw failure(error);
        }
      };
    case 1:
      return (a: unknown) => {
        try {
          if (caller.watched) caller.beforeHostCall(stable);
          return call(caller, a);
        } catch (error) {
          throw failure(error);
        }
      };
    case 2:
      return (a: unknown, b: unknown) => {
        try {
          if (caller.watched) caller.beforeHostCall(stable);
          return call(caller, a, b);
        } catch (error) {
          throw failure(error);
        }
      };
    case 3:
      return (a: unknown, b: unknown, c: unknown) => {
        try {
          if (caller.watched) caller.beforeHostCall(stable);
          return call(caller, a, b, c);
        } catch (error) {
          throw failure(error);
        }
      };
    case 4:
      return (a: unknown, b: unknown, c: unknown, d: unknown) => {
        try {
          if (caller.watched) caller.beforeHostCall(stable);
          return call(caller, a, b, c, d);
        } catch (error) {
          throw failure(error);
        }
      };
    default:
      return (...args: unknown[]) => {
        try {
          if (caller.watched) caller.beforeHostCall(stable);
          return call(caller, ...args);
        } catch (error) {
          throw failure(error);
        }
      };
  }
}

/** What a guest cannot catch, in place of whatever was thrown. */
export function failure(error: unknown): object {
  if (typeof error === "object" && error !== null && endingOf(error)) return error;
  const reason = isStackOverflow(error) ? "stack-overflow" : "trap";
  return trapObject({ kind: "failed", reason, message: messageOf(error), cause: error });
}
