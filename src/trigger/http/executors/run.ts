// One call of a guest by an executor, answered at once if the guest never waited.

import type { Invocation } from "../../../engine/mod.ts";
import type { ExecutionContext, Prepared, RuntimeContext } from "../../../runtime/mod.ts";
import type { HttpRequest } from "../executor.ts";

/** The engine as executors use it: the data of each call is the request that it answers. */
export type HttpExecutionContext = Pick<ExecutionContext<HttpRequest>, "limits" | "prepare">;

/** What host functions see during a call that an HTTP request caused. */
export type HttpContext = RuntimeContext<HttpRequest>;

/** Runs the invocation, turns its result into an answer, and gives the slot back, whatever happens. */
export function run<R, A>(
  prepared: Prepared<HttpContext>,
  invocation: Invocation<HttpContext, R>,
  finish: (result: R) => A,
): A | Promise<A> {
  return whenReady(prepared, () => runNow(prepared, invocation, finish));
}

/** Acts at once, or when the slot is there that had to be waited for. If none comes, `prepared` is disposed here. */
export function whenReady<A>(prepared: Prepared<HttpContext>, act: () => A | Promise<A>): A | Promise<A> {
  const ready = prepared.ready();
  return ready ? actLater(prepared, ready, act) : act();
}

async function actLater<A>(
  prepared: Prepared<HttpContext>,
  ready: Promise<void>,
  act: () => A | Promise<A>,
): Promise<A> {
  try {
    await ready;
  } catch (error) {
    prepared[Symbol.dispose]();
    throw error;
  }
  return act();
}

function runNow<R, A>(
  prepared: Prepared<HttpContext>,
  invocation: Invocation<HttpContext, R>,
  finish: (result: R) => A,
): A | Promise<A> {
  let isPending = false;
  try {
    const result = prepared.run(invocation);
    if (!(result instanceof Promise)) return finish(result);
    isPending = true;
    return finishLater(prepared, result, finish);
  } finally {
    if (!isPending) prepared[Symbol.dispose]();
  }
}

async function finishLater<R, A>(
  prepared: Prepared<HttpContext>,
  result: Promise<R>,
  finish: (result: R) => A,
): Promise<A> {
  using _ = prepared;
  return finish(await result);
}
