// Unit tests of what a dependency is told that calls what is not shared with it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValueType } from "../component/mod.ts";
import { deniedFunction } from "./denied.ts";

const text: ValueType = { kind: "string" };
const MESSAGE =
  'A dependency may not use "use" of "test:all/all": the component does not share that permission';

function failing(error?: ValueType): ValueType {
  return { kind: "result", ok: text, ...(error && { error }) };
}

function variant(
  ...cases: readonly (string | { readonly name: string; readonly type: ValueType })[]
): ValueType {
  return { kind: "variant", cases: cases.map((each) => (typeof each === "string" ? { name: each } : each)) };
}

const answers: readonly { readonly of: string; readonly type: ValueType; readonly gets: unknown }[] = [
  { of: "a list", type: { kind: "list", element: text }, gets: [] },
  { of: "an option", type: { kind: "option", payload: text }, gets: undefined },
  { of: "a result without an error", type: failing(), gets: { tag: "err" } },
  { of: "an error in words", type: failing(text), gets: { tag: "err", val: MESSAGE } },
  {
    of: "an enum of sockets",
    type: failing({ kind: "enum", names: ["unknown", "access-denied"] }),
    gets: { tag: "err", val: "access-denied" },
  },
  {
    of: "an enum of fermyon:spin/http",
    type: failing({ kind: "enum", names: ["success", "destination-not-allowed"] }),
    gets: { tag: "err", val: "destination-not-allowed" },
  },
  {
    of: "the variant of wasi:http",
    type: failing(variant("DNS-timeout", "HTTP-request-denied", { name: "internal-error", type: text })),
    gets: { tag: "err", val: { tag: "HTTP-request-denied" } },
  },
  {
    of: "the variant of fermyon:spin/key-value, which has a case for it",
    type: failing(variant({ name: "other", type: text }, "access-denied")),
    gets: { tag: "err", val: { tag: "access-denied" } },
  },
  {
    of: "the variant of fermyon:spin/mysql",
    type: failing(variant("success", { name: "other-error", type: text })),
    gets: { tag: "err", val: { tag: "other-error", val: MESSAGE } },
  },
];
for (const { of, type, gets } of answers) {
  test(`deniedFunction() answers with ${JSON.stringify(gets) ?? "nothing"} for ${of}`, () => {
    const denied = deniedFunction({
      interface: "test:all/all",
      name: "use",
      type: { params: [], result: type },
      importer: "dependency",
    });
    assert.deepEqual(denied(), gets);
  });
}

test("deniedFunction() traps where the type leaves no way to say no", () => {
  for (const result of [undefined, text, failing(variant({ name: "other", type: { kind: "u32" } }))]) {
    const denied = deniedFunction({
      interface: "test:all/all",
      name: "use",
      type: { params: [], ...(result && { result }) },
      importer: "dependency",
    });
    assert.throws(denied, { message: MESSAGE });
  }
});
