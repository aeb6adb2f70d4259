// What a component is told that calls a function which it may not use.

import type { Case, ImportedFunction, ValueType } from "../component/mod.ts";

/** Cases of errors that say so, the clearest first. */
const REFUSALS = [
  "access-denied",
  "HTTP-request-denied",
  "destination-not-allowed",
  "other",
  "other-error",
  "error",
  "runtime-error",
  "provider",
];

/** Makes a function that answers with an error or with nothing, as its type allows; if it allows neither, it traps. */
export function deniedFunction({ interface: from, name, type }: ImportedFunction): () => unknown {
  const message = `A dependency may not use "${name}" of "${from}": the component does not share that permission`;
  const answer = answerOf(type.result, message);
  return () => {
    if (answer) return answer.value;
    throw new Error(message);
  };
}

function answerOf(type: ValueType | undefined, message: string): { readonly value: unknown } | undefined {
  if (type?.kind === "list") return { value: [] };
  if (type?.kind === "option") return { value: undefined };
  if (type?.kind !== "result") return undefined;
  if (!type.error) return { value: { tag: "err" } };
  const refusal = refusalOf(type.error, message);
  return refusal && { value: { tag: "err", val: refusal.value } };
}

function refusalOf(type: ValueType, message: string): { readonly value: unknown } | undefined {
  if (type.kind === "string") return { value: message };
  if (type.kind === "enum") {
    const name = REFUSALS.find((each) => type.names.includes(each));
    return name === undefined ? undefined : { value: name };
  }
  if (type.kind !== "variant") return undefined;
  const named = REFUSALS.map((each) => type.cases.find(({ name }) => name === each)).find(isSimple);
  return named && { value: named.type ? { tag: named.name, val: message } : { tag: named.name } };
}

function isSimple(each: Case | undefined): each is Case {
  return each !== undefined && (each.type === undefined || each.type.kind === "string");
}
