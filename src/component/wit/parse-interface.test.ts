import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionType } from "../types.ts";
import { describeFunction, describeType } from "./describe.ts";
import { type HostInterfaceType, parseInterface } from "./parse-interface.ts";
import { WitError } from "./tokens.ts";

const STREAMS = `
/// What bytes come out of, and go into.
interface wasi:io/streams@0.2.12 {
  use wasi:io/error@0.2.12.{error};
  use poll.{pollable as ready};
  variant stream-error { last-operation-failed(error), closed, }
  @since(version = 0.2.0)
  resource input-stream {
    read: func(len: u64) -> result<list<u8>, stream-error>;
    subscribe: func() -> own<ready>; /* the same as ready */
  }
  resource output-stream {
    constructor(size: u32);
    splice: func(src: borrow<input-stream>, len: u64) -> result<u64, stream-error>;
    open: static func(%type: kind, how: access) -> tuple<output-stream, option<later>>;
  }
  enum kind { file, pipe }
  flags access { read, write-all }
  record later { at: u64, name: string, key: list<u8, 4> }
  type bytes = list<u8>;
  resource nothing;
  copy: func(bytes: bytes) -> result;
  list: func(bytes: bytes) -> result<u8>;
  stop: func(why: result<_, string>);
}`;

const ERRORS = "interface wasi:io/error@0.2.12 { resource error { to-debug-string: func() -> string; } }";
const POLL = "interface wasi:io/poll@0.2.12 { resource pollable; }";

function parseAll(...texts: readonly string[]): Map<string, HostInterfaceType> {
  const all = new Map<string, HostInterfaceType>();
  for (const text of texts) {
    const one = parseInterface(text, (name) => all.get(name));
    all.set(one.name, one);
  }
  return all;
}

function streams(): HostInterfaceType {
  const found = parseAll(ERRORS, POLL, STREAMS).get("wasi:io/streams@0.2.12");
  assert.ok(found);
  return found;
}

test("parseInterface() names functions as components import them, with their types", () => {
  const functions = [...streams().functions].map(([name, type]) => `${name}: ${describeFunction(type)}`);
  const error = "variant { last-operation-failed(error), closed }";
  assert.deepEqual(functions, [
    `[method]input-stream.read: func(self: borrow<input-stream>, len: u64) -> result<list<u8>, ${error}>`,
    "[method]input-stream.subscribe: func(self: borrow<input-stream>) -> pollable",
    "[constructor]output-stream: func(size: u32) -> output-stream",
    `[method]output-stream.splice: func(self: borrow<output-stream>, src: borrow<input-stream>, len: u64) -> result<u64, ${error}>`,
    "[static]output-stream.open: func(type: enum { file, pipe }, how: flags { read, write-all }) -> tuple<output-stream, option<record { at: u64, name: string, key: list<u8, 4> }>>",
    "copy: func(bytes: list<u8>) -> result",
    "list: func(bytes: list<u8>) -> result<u8>",
    "stop: func(why: result<_, string>)",
  ]);
});

test("parseInterface() keeps the interface where a resource is defined, also when another uses it", () => {
  const { types, resources } = streams();
  assert.deepEqual([...resources.keys()], ["input-stream", "output-stream", "nothing"]);
  assert.deepEqual(types.get("ready"), {
    kind: "own",
    resource: { kind: "imported", interface: "wasi:io/poll@0.2.12", name: "pollable" },
  });
});

test("parseInterface() gives one object for a resource, however it is named", () => {
  const all = parseAll(ERRORS, POLL, STREAMS);
  const used = all.get("wasi:io/streams@0.2.12")?.types.get("error");
  assert.ok(used?.kind === "own");
  assert.equal(used.resource, all.get("wasi:io/error@0.2.12")?.resources.get("error"));
});

test("parseInterface() takes names of pre-releases, and names without a version", () => {
  const all = parseAll(
    "interface wasi:io/poll@0.2.0-rc-2023-11-10 { resource pollable; }",
    "interface a:b/c { use wasi:io/poll@0.2.0-rc-2023-11-10.{pollable}; wait: func(on: borrow<pollable>); }",
  );
  assert.deepEqual([...all.keys()], ["wasi:io/poll@0.2.0-rc-2023-11-10", "a:b/c"]);
});

const mistakes = [
  { text: "interface nothing {}", at: "1:11", reason: "expected the full name of an interface" },
  { text: "interface a:b/c {\n  f: func(x u8);\n}", at: "2:13", reason: 'expected ":", found "u8"' },
  { text: "interface a:b/c {\n  f: func() -> what;\n}", at: "2:16", reason: 'there is no type "what"' },
  { text: "interface a:b/c { type t = list<t>; }", at: "1:24", reason: '"t" contains itself' },
  { text: "interface a:b/c { f: func(); f: func(); }", at: "1:30", reason: '"f" is defined twice' },
  { text: "interface a:b/c { use d:e/f.{g}; }", at: "1:23", reason: 'there is no interface "d:e/f"' },
  { text: "interface a:b/c { world x; }", at: "1:19", reason: '"world" begins no item' },
  { text: "interface a:b/c { f: func(x: borrow<u8>); }", at: "1:36", reason: "borrow<...> is of a resource" },
  { text: "interface a:b/c { § }", at: "1:19", reason: 'unexpected "§"' },
  { text: "interface a:b/c {", at: "1:18", reason: "expected a name, found end of text" },
  { text: "interface a:b/c {} x", at: "1:20", reason: "expected the end of the text" },
];

for (const { text, at, reason } of mistakes) {
  test(`parseInterface() tells that ${reason} at ${at}`, () => {
    assert.throws(
      () => parseInterface(text, () => undefined),
      (error) => error instanceof WitError && error.message.startsWith(`${at}: ${reason}`),
    );
  });
}

test("describeType() says no more of a large type than anybody reads", () => {
  let type: FunctionType["result"] = { kind: "string" };
  for (let depth = 0; depth < 60; depth++) type = { kind: "tuple", elements: [type, type] };
  assert.ok(describeType(type).length < 200);
  assert.match(describeType({ kind: "enum", names: Array.from({ length: 99 }, () => "x") }), /x, \.\.\. \}$/);
});
