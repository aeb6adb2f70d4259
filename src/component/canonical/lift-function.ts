// Functions of a component, as the host and other components call them.

import type { FunctionType as CoreFunctionType } from "../../wasm/mod.ts";
import type { ComponentPlan } from "../plan.ts";
import type { CoreValue } from "../slot-access.ts";
import { CanonicalContext } from "./canonical-context.ts";
import type { ComponentState } from "./component-state.ts";
import { FunctionCode } from "./function-code.ts";

export interface LiftedCode {
  /** The type of the core function. */
  readonly coreType: CoreFunctionType;
  bind(state: ComponentState): BoundLifting;
}

/** A call is `lower`, then the core function, then `lift`; after a trap, the slot is restored. */
export interface BoundLifting {
  /** Enters the component, and makes core arguments of the values. */
  lower(values: readonly unknown[]): CoreValue[];
  /** Makes a value of the core result, lets the component clean up, and leaves it. */
  lift(result: CoreValue | undefined): unknown;
  /** The first part of `lower`, and the last of `lift`, for calls whose core values are passed as they are. */
  enter(): void;
  exit(result: CoreValue | undefined): void;
}

/** The code of a `canon lift`; functions of equal types share it. */
export function liftFunction(plan: ComponentPlan, index: number): LiftedCode {
  const lifted = plan.lifted[index];
  if (lifted === undefined) throw new Error(`The plan lifts no function ${index}`);
  const { options, componentInstance } = lifted;
  const { coreType, functions } = FunctionCode.of(plan).lifting(lifted.type);
  return {
    coreType,
    bind(state) {
      const cx = new CanonicalContext(state, componentInstance, options);
      const { instance } = cx;
      const { lower, lift } = functions();
      const enter = () => instance.enter();
      const exit = (result: CoreValue | undefined) => {
        instance.checkBorrows();
        if (options.postReturn !== undefined) {
          instance.mayLeave = false;
          if (result === undefined) state.access.call(options.postReturn);
          else state.access.call(options.postReturn, result);
          instance.mayLeave = true;
        }
        instance.exit();
      };
      return {
        enter,
        exit,
        lower(values) {
          enter();
          return lower(cx, values);
        },
        lift(result) {
          const value = lift(cx, result);
          exit(result);
          return value;
        },
      };
    },
  };
}
