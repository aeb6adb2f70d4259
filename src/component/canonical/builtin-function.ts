// The functions on handles that core code of a component calls.

import type { FunctionType as CoreFunctionType } from "../../wasm/mod.ts";
import type { Builtin } from "../plan.ts";
import type { ComponentState } from "./component-state.ts";
import type { CoreFunction } from "./function-code.ts";

export interface BuiltinCode {
  readonly coreType: CoreFunctionType;
  /** A resource that is dropped may have a destructor; the core function returns a promise if the guest is suspended in there. */
  readonly maySuspend: boolean;
  bind(state: ComponentState): CoreFunction;
}

export function builtinFunction(builtin: Exclude<Builtin, { readonly kind: "lower" }>): BuiltinCode {
  const { resource, componentInstance } = builtin;
  switch (builtin.kind) {
    case "resource-new":
      return {
        coreType: { params: ["i32"], results: ["i32"] },
        maySuspend: false,
        bind(state) {
          const instance = state.instance(componentInstance);
          return (rep) => {
            instance.checkLeave();
            return instance.handles.addOwn(resource, rep);
          };
        },
      };
    case "resource-rep":
      return {
        coreType: { params: ["i32"], results: ["i32"] },
        maySuspend: false,
        bind(state) {
          const { handles } = state.instance(componentInstance);
          // Only resources that the component defines have this function; they are known by numbers.
          return (index) => handles.get(Number(index), resource).rep as number;
        },
      };
    case "resource-drop":
      return {
        coreType: { params: ["i32"], results: [] },
        maySuspend: resource.kind === "defined" && resource.destructor !== undefined,
        bind(state) {
          const instance = state.instance(componentInstance);
          return (index) => {
            instance.checkLeave();
            const { own, rep } = instance.handles.remove(Number(index), resource);
            const dropped = own ? state.destroy(resource, rep, instance) : undefined;
            return dropped instanceof Promise ? dropped.then(() => undefined) : undefined;
          };
        },
      };
  }
}
