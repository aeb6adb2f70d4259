// Functions that core code of a component calls: of the host, or of another component.

import type { FunctionType as CoreFunctionType } from "../../wasm/mod.ts";
import type { ComponentPlan, LoweredFunction } from "../plan.ts";
import type { CoreValue } from "../slot-access.ts";
import type { ByteLists, FunctionType, ValueType } from "../types.ts";
import { CanonicalContext } from "./canonical-context.ts";
import type { ComponentState } from "./component-state.ts";
import { type Callee, type CoreFunction, FunctionCode } from "./function-code.ts";
import { type BoundLifting, liftFunction } from "./lift-function.ts";
import { mayCall, refuseEntry } from "./reentrance.ts";

export interface LoweredCode {
  readonly coreType: CoreFunctionType;
  /**
   * Makes the core function for a slot. It returns a promise if `callee` does.
   *
   * @param callee The host's function; left out if a function of another component is called
   */
  bind(state: ComponentState, callee?: Callee): CoreFunction;
}

/** The code of a `canon lower`; functions of equal types share it. @param byteLists as the host's function has them */
export function lowerFunction(plan: ComponentPlan, index: number, byteLists?: ByteLists): LoweredCode {
  const lowered = plan.lowered[index];
  if (lowered === undefined) throw new Error(`The plan lowers no function ${index}`);
  const isHost = lowered.callee.kind === "import";
  const { coreType, bind } = FunctionCode.of(plan, byteLists).lowering(lowered.type, { isLent: !isHost });
  if (!isHost) return { coreType, bind: bindToComponent(plan, lowered, bind) };
  return {
    coreType,
    bind(state, callee) {
      if (callee === undefined) throw new Error("A function of the host is to be bound to it");
      return bind(new CanonicalContext(state, lowered.componentInstance, lowered.options), callee);
    },
  };
}

function bindToComponent(
  plan: ComponentPlan,
  lowered: LoweredFunction,
  bind: (cx: CanonicalContext, callee: Callee) => CoreFunction,
): LoweredCode["bind"] {
  const target = liftFunction(plan, lowered.callee.index);
  const lifted = plan.lifted[lowered.callee.index];
  if (lifted === undefined) throw new Error(`The plan lifts no function ${lowered.callee.index}`);
  const { core } = lifted;
  const isAllowed = mayCall(plan, { caller: lowered.componentInstance, callee: lifted.componentInstance });
  const isPlain = isPassedAsIs(lowered.type);
  return (state) => {
    const cx = new CanonicalContext(state, lowered.componentInstance, lowered.options);
    if (!isAllowed) return () => refuseCall(cx);
    const lifting = target.bind(state);
    const call = <R>(args: readonly CoreValue[], lift: (result: CoreValue | undefined) => R) => {
      const result = state.access.callSuspendable(core, args);
      return result instanceof Promise ? result.then(lift) : lift(result);
    };
    if (isPlain) return callPlain(cx, lifting, call);
    return bind(cx, (...values: unknown[]) => call(lifting.lower(values), lifting.lift));
  };
}

function refuseCall(cx: CanonicalContext): never {
  cx.instance.checkLeave();
  refuseEntry();
}

type Call = <R>(args: readonly CoreValue[], lift: (result: CoreValue | undefined) => R) => R | Promise<R>;

/** Numbers that are the same on both sides need not become values in between. */
function callPlain(cx: CanonicalContext, lifting: BoundLifting, call: Call): CoreFunction {
  const exit = (result: CoreValue | undefined) => {
    lifting.exit(result);
    return result;
  };
  return (...flat) => {
    cx.instance.checkLeave();
    lifting.enter();
    return call(flat, exit);
  };
}

const AS_IS: ReadonlySet<ValueType["kind"]> = new Set(["s32", "u32", "s64", "u64", "f32", "f64"]);
/** Beyond this, parameters are passed in memory. */
const PLAIN_PARAMS_MAX = 16;

function isPassedAsIs({ params, result }: FunctionType): boolean {
  const types = [...params.map(({ type }) => type), ...(result ? [result] : [])];
  return params.length <= PLAIN_PARAMS_MAX && types.every(({ kind }) => AS_IS.has(kind));
}
