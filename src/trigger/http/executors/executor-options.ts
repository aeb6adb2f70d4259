// The `executor` of an HTTP trigger, as the manifest has it.
//
//     executor = { type = "http" }        also "spin", and the default
//     executor = { type = "wagi", argv = "${SCRIPT_NAME} ${ARGS}", entrypoint = "_start" }

import { didYouMean, SpindleError } from "../../../errors/mod.ts";
import type { Json, Trigger } from "../../../manifest/mod.ts";

export type ExecutorOptions =
  | { readonly type: "http" }
  | { readonly type: "wagi"; readonly argv: string; readonly entrypoint: string };

// biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pattern's own syntax.
const ARGV_DEFAULT = "${SCRIPT_NAME} ${ARGS}";
const ENTRYPOINT_DEFAULT = "_start";

const TYPES = ["http", "spin", "wagi"] as const;
const KEYS = { http: ["type"], wagi: ["type", "argv", "entrypoint"] } as const;

/** @throws SpindleError EXECUTOR_INVALID */
export function parseExecutorOptions(trigger: Pick<Trigger, "id" | "options">): ExecutorOptions {
  const { executor } = trigger.options;
  if (executor === undefined) return { type: "http" };
  if (!isTable(executor)) throw invalid(trigger.id, "it is not a table", 'Write it as { type = "wagi" }.');
  const type = TYPES.find((known) => known === executor.type);
  if (type === undefined) throw unknownType(trigger.id, executor.type);
  const kind = type === "wagi" ? "wagi" : "http";
  for (const key of Object.keys(executor)) {
    if (KEYS[kind].some((known) => known === key)) continue;
    throw invalid(trigger.id, `it has the unknown key "${key}"`, didYouMean(key, KEYS[kind]));
  }
  if (kind === "http") return { type: "http" };
  return {
    type: "wagi",
    argv: stringOf(trigger.id, executor, { key: "argv", absent: ARGV_DEFAULT }),
    entrypoint: stringOf(trigger.id, executor, { key: "entrypoint", absent: ENTRYPOINT_DEFAULT }),
  };
}

type Table = { readonly [key: string]: Json };

function isTable(value: Json): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stringOf(
  triggerId: string,
  table: Table,
  { key, absent }: { readonly key: string; readonly absent: string },
): string {
  const value = table[key] ?? absent;
  if (typeof value === "string") return value;
  throw invalid(triggerId, `its "${key}" is not a string`);
}

function unknownType(triggerId: string, type: Json | undefined): SpindleError {
  if (type === undefined) return invalid(triggerId, "it has no type", 'Write it as { type = "wagi" }.');
  const known = TYPES.map((name) => `"${name}"`).join(", ");
  const suggestion = typeof type === "string" ? didYouMean(type, TYPES) : undefined;
  return invalid(
    triggerId,
    `its type is ${JSON.stringify(type)}, and this version has ${known}`,
    suggestion ?? "Leave `executor` out for a module that exports `handle-http-request`.",
  );
}

function invalid(triggerId: string, found: string, hint?: string): SpindleError {
  return new SpindleError(
    "EXECUTOR_INVALID",
    `Cannot use the executor of trigger "${triggerId}": ${found}`,
    hint === undefined ? {} : { hint },
  );
}
