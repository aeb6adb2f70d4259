import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionType } from "../types.ts";
import { functionDifference } from "./function-difference.ts";
import { parseInterface } from "./parse-interface.ts";

const COMMON = `resource r; resource s; record pair { a: u8, b: string }
  variant v { none, some(u32), more(pair) } flags f { x, y }`;

function typeOf(signature: string): FunctionType {
  const parsed = parseInterface(`interface a:b/c { ${COMMON} f1: func${signature}; }`, () => undefined);
  const type = parsed.functions.get("f1");
  assert.ok(type);
  return type;
}

function difference(guest: string, host: string): string | undefined {
  return functionDifference(typeOf(guest), typeOf(host), (a, b) => a.name === b.name);
}

const equal = [
  ["(a: u8)", "(b: u8)"],
  [
    "(a: r, b: borrow<s>, c: v, d: f) -> result<pair, string>",
    "(a: own<r>, b: borrow<s>, c: v, d: f) -> result<pair, string>",
  ],
  ["() -> result", "() -> result"],
] as const;

for (const [guest, host] of equal) {
  test(`functionDifference() finds none between ${guest} and ${host}`, () => {
    assert.equal(difference(guest, host), undefined);
  });
}

const different = [
  ["(a: u8)", "()", "the component has func(a: u8), the host func()"],
  ["()", "() -> u8", "result: the component has nothing, the host u8"],
  ["(a: u8)", "(a: s8)", "parameter 1: the component has u8, the host s8"],
  ["(a: r)", "(a: s)", "parameter 1: the component has r, the host s"],
  ["(a: r)", "(a: borrow<r>)", "parameter 1: the component has r, the host borrow<r>"],
  [
    "() -> list<tuple<u8, u8>>",
    "() -> list<tuple<u8, u16>>",
    "result, element, element 2: the component has u8, the host u16",
  ],
  ["() -> list<u8, 3>", "() -> list<u8, 4>", "result: the component has list<u8, 3>, the host list<u8, 4>"],
  [
    "() -> result<u8>",
    "() -> result<u8, string>",
    "result, error: the component has nothing, the host string",
  ],
  [
    "() -> option<pair>",
    "() -> option<f>",
    "result, payload: the component has record { a: u8, b: string }, the host flags { x, y }",
  ],
] as const;

for (const [guest, host, expected] of different) {
  test(`functionDifference() tells ${guest} from ${host}`, () => {
    assert.equal(difference(guest, host), expected);
  });
}

test("functionDifference() minds the names of cases, and their order", () => {
  const guest: FunctionType = { params: [], result: { kind: "enum", names: ["a", "b"] } };
  const host: FunctionType = { params: [], result: { kind: "enum", names: ["b", "a"] } };
  assert.equal(
    functionDifference(guest, host, () => true),
    "result: the component has enum { a, b }, the host enum { b, a }",
  );
});
