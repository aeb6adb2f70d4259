// The variables of an application, and what its components are given of them.
//
// The first provider that has a value wins, then the default of the manifest. A component sees its own
// variables only: templates over those of the application (`crates/expressions/src/lib.rs` at v4.0.2).

import type { GuestVariables, VariableError } from "../capabilities/mod.ts";
import { SpindleError } from "../errors/mod.ts";
import {
  type Application,
  type Component,
  expandTemplate,
  parseTemplate,
  type TemplatePart,
} from "../manifest/mod.ts";

export interface VariableProvider {
  /** Asked each time that a value is wanted: values may change while the application runs. */
  get(name: string): string | undefined;
}

/** Values in the environment: `SPIN_VARIABLE_GREETING` is that of `greeting`. */
export function environmentProvider(
  environment: Readonly<Record<string, string | undefined>>,
  prefix = "SPIN_VARIABLE",
): VariableProvider {
  return { get: (name) => environment[`${prefix}_${name.toUpperCase()}`] };
}

type Found = ReturnType<GuestVariables["get"]>;

export class ApplicationVariables {
  readonly #variables: Application["variables"];
  readonly #providers: readonly VariableProvider[];

  constructor(application: Pick<Application, "variables">, providers: readonly VariableProvider[] = []) {
    this.#variables = application.variables;
    this.#providers = providers;
  }

  /** The value; undefined if nobody has one. */
  get(name: string): string | undefined {
    if (!Object.hasOwn(this.#variables, name)) return undefined;
    for (const provider of this.#providers) {
      const value = provider.get(name);
      if (value !== undefined) return value;
    }
    return this.#variables[name]?.default;
  }

  /** @throws SpindleError VARIABLE_REQUIRED with each variable that has no value */
  check(): void {
    const missing = Object.keys(this.#variables).filter((name) => this.get(name) === undefined);
    if (missing.length === 0) return;
    throw SpindleError.collect(
      missing.map((name) => ({
        code: "VARIABLE_REQUIRED",
        severity: "error",
        message: `Cannot run the application: its variable "${name}" has no value`,
        hint: `Set SPIN_VARIABLE_${name.toUpperCase()} in the environment.`,
      })),
    );
  }

  ofComponent({ id, variables }: Pick<Component, "id" | "variables">): GuestVariables {
    const templates = new Map(
      Object.entries(variables).map(([name, text]) => [name, parseTemplate(text) ?? []]),
    );
    return {
      names: [...templates.keys()],
      get: (name) => {
        const invalid = nameError(name);
        if (invalid !== undefined) return failed("invalid-name", invalid);
        const template = templates.get(name);
        if (!template) return failed("undefined", `no variable for "${id}"."${name}"`);
        return this.#expand(template);
      },
    };
  }

  #expand(template: readonly TemplatePart[]): Found {
    const value = expandTemplate(template, (name) => this.get(name));
    if (value !== undefined) return { tag: "ok", val: value };
    const unknown = template.find((part) => part.kind === "variable" && this.get(part.name) === undefined);
    const name = unknown?.kind === "variable" ? unknown.name : "";
    return failed("provider", `no provider resolved required variable "${name}"`);
  }
}

function failed(tag: VariableError["tag"], val: string): Found {
  return { tag: "err", val: { tag, val } };
}

/** What is wrong with a name; undefined if nothing is. */
function nameError(name: string): string | undefined {
  if (name === "") return "must not be empty";
  const strange = /[^a-z0-9_]/u.exec(name)?.[0];
  if (strange !== undefined) {
    return `invalid character '${strange}'. Variable names may contain only lower-case letters, numbers, and underscores.`;
  }
  if (!/^[a-z]/.test(name)) return "must start with a lowercase ASCII letter";
  if (name.endsWith("_")) return "must end with a lowercase ASCII letter or digit";
  return name.includes("__") ? "must not contain multiple consecutive underscores" : undefined;
}
