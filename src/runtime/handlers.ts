// What a binary exports that an event can call, whether or not this version has a trigger for it.

import type { ComponentPlan } from "../component/mod.ts";
import type { CoreModule } from "../wasm/mod.ts";

export interface Handler {
  readonly kind: keyof typeof EXPORTS;
  /** Name of the export, with its version if it has one. */
  readonly export: string;
}

/** Without versions, those first that an executor would choose first. */
const EXPORTS = {
  "wasi-http": ["wasi:http/handler", "wasi:http/incoming-handler"],
  "inbound-http": ["fermyon:spin/inbound-http"],
  "spin-http": ["handle-http-request"],
  command: ["wasi:cli/run", "_start"],
  redis: ["spin:redis/inbound-redis", "fermyon:spin/inbound-redis", "handle-redis-message"],
} as const;

/** The handlers of a component, or of a core module that is run as one. */
export function componentHandlers({ exports }: ComponentPlan): Handler[] {
  return handlersAmong(exports.filter(({ kind }) => kind === "instance").map(({ name }) => name));
}

/** The handlers among the names of a component's exports. */
export function namedHandlers(exported: readonly string[]): Handler[] {
  return handlersAmong(exported);
}

/** The handlers of a core module. */
export function moduleHandlers({ exports }: CoreModule): Handler[] {
  const names = exports.filter(({ kind }) => kind === "func").map(({ name }) => name);
  // One that is meant to become a component exports `wasi:http/incoming-handler@0.2.0#handle`.
  return handlersAmong(names.filter((name) => !name.includes("#")));
}

function handlersAmong(exported: readonly string[]): Handler[] {
  // The keys of EXPORTS are all there are.
  const kinds = Object.keys(EXPORTS) as Handler["kind"][];
  return kinds.flatMap((kind) =>
    EXPORTS[kind]
      .flatMap((wanted) => exported.filter((name) => name.replace(/@.*$/, "") === wanted))
      .map((name) => ({ kind, export: name })),
  );
}
