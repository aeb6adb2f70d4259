// The variables of a component, as its guests ask for them.

import type { Result } from "../wasi/mod.ts";

/** Why there is no value, with a text for people. The names are those of `fermyon:spin/variables@2.0.0`. */
export interface VariableError {
  readonly tag: "invalid-name" | "undefined" | "provider" | "other";
  readonly val: string;
}

export interface GuestVariables {
  /** Of those that the manifest gives to the component. */
  readonly names: readonly string[];
  get(name: string): Result<string, VariableError>;
}
