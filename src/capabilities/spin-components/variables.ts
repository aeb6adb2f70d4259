// `fermyon:spin/variables`, `fermyon:spin/config` and `wasi:config/store`: three ways to ask for a variable.
//
// Values are looked up without a wait and without an effect, so a guest stays in first gear.

import type { ComponentCaller, HostInterface } from "../../engine/mod.ts";
import { err, ok, type Result } from "../../wasi/mod.ts";
import type { CapabilityContext } from "../capability-context.ts";
import type { VariableError } from "../guest-variables.ts";

type Call = ComponentCaller<CapabilityContext>;

const variables: HostInterface<CapabilityContext> = {
  wit: `interface fermyon:spin/variables@2.0.0 {
    variant error { invalid-name(string), undefined(string), provider(string), other(string) }
    get: func(name: string) -> result<string, error>;
  }`,
  functions: { get: ({ data }: Call, name: string) => data.variables.get(name) },
};

interface ConfigError {
  readonly tag: "provider" | "invalid-key" | "invalid-schema" | "other";
  readonly val: string;
}

const CONFIG_TAGS = {
  "invalid-name": "invalid-key",
  undefined: "provider",
  provider: "other",
  other: "other",
} as const;

const config: HostInterface<CapabilityContext> = {
  wit: `interface fermyon:spin/config {
    variant error { provider(string), invalid-key(string), invalid-schema(string), other(string) }
    get-config: func(key: string) -> result<string, error>;
  }`,
  functions: {
    "get-config"({ data }: Call, key: string): Result<string, ConfigError> {
      const found = data.variables.get(key);
      return found.tag === "ok" ? found : err(configError(found.val));
    },
  },
};

/** The same error in the words of the older interface. */
export function configError({ tag, val }: VariableError): ConfigError {
  return { tag: CONFIG_TAGS[tag], val };
}

interface StoreError {
  readonly tag: "upstream" | "io";
  readonly val: string;
}

const store: HostInterface<CapabilityContext> = {
  wit: `interface wasi:config/store@0.2.0-draft-2024-09-27 {
    variant error { upstream(string), io(string) }
    get: func(key: string) -> result<option<string>, error>;
    get-all: func() -> result<list<tuple<string, string>>, error>;
  }`,
  functions: {
    /** A name that cannot be is one that is not there. */
    get({ data }: Call, key: string): Result<string | undefined, StoreError> {
      const found = data.variables.get(key);
      if (found.tag === "ok") return found;
      const { tag } = found.val;
      return tag === "undefined" || tag === "invalid-name" ? ok(undefined) : err(storeError(found.val));
    },

    "get-all"({ data }: Call): Result<[string, string][], StoreError> {
      const entries: [string, string][] = [];
      for (const name of data.variables.names) {
        const found = data.variables.get(name);
        if (found.tag === "err") return err(storeError(found.val));
        entries.push([name, found.val]);
      }
      return ok(entries);
    },
  },
};

function storeError({ tag, val }: VariableError): StoreError {
  return { tag: tag === "provider" ? "upstream" : "io", val };
}

export const variableInterfaces: readonly HostInterface<CapabilityContext>[] = [variables, config, store];
