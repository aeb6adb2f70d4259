import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "./fields.ts";
import { HeldBytes } from "./held-bytes.ts";
import { OutgoingResponse } from "./outgoing-response.ts";

const bytes = (text: string) => Buffer.from(text).toString("latin1");
const texts = (values: readonly string[]) => values.map((value) => Buffer.from(value, "latin1").toString());

test("Fields keep the order in which they were added, and compare names without case", () => {
  const fields = Fields.empty();
  for (const [name, value] of [
    ["X-A", "1"],
    ["b", "2"],
    ["x-a", "é🦀"],
  ] as const) {
    assert.equal(fields.append(name, bytes(value)).tag, "ok");
  }
  assert.deepEqual(texts(fields.get("x-A")), ["1", "é🦀"]);
  assert.deepEqual(
    fields.entries().map(([name, value]) => [name, Buffer.from(value, "latin1").toString()]),
    [
      ["x-a", "1"],
      ["b", "2"],
      ["x-a", "é🦀"],
    ],
  );
  assert.equal(fields.has("B"), true);
  assert.equal(fields.has("c"), false);
  assert.deepEqual(fields.get("not a name"), []);
});

test("Fields.set() puts values in place of those there were; none remove the field", () => {
  const fields = Fields.empty();
  fields.append("a", bytes("1"));
  fields.append("b", bytes("2"));
  fields.append("a", bytes("3"));
  fields.set("A", [bytes("4"), bytes("5")]);
  assert.deepEqual(fields.list, ["b", "2", "a", "4", "a", "5"]);
  fields.set("a", []);
  assert.deepEqual(fields.list, ["b", "2"]);
  fields.delete("B");
  assert.deepEqual(fields.list, []);
});

const REFUSED = [
  { name: "", value: "x", error: "invalid-syntax" },
  { name: "a b", value: "x", error: "invalid-syntax" },
  { name: "é", value: "x", error: "invalid-syntax" },
  { name: "a", value: "x\r\ny: z", error: "invalid-syntax" },
  { name: "a", value: "\0", error: "invalid-syntax" },
  { name: "a", value: "\x7f", error: "invalid-syntax" },
  { name: "Connection", value: "close", error: "forbidden" },
  { name: "host", value: "evil", error: "forbidden" },
  { name: "Transfer-Encoding", value: "chunked", error: "forbidden" },
  { name: "keep-alive", value: "x", error: "forbidden" },
];
for (const { name, value, error } of REFUSED) {
  test(`Fields refuse ${JSON.stringify(name)}: ${JSON.stringify(value)} as ${error}, and stay as they are`, () => {
    const fields = Fields.empty();
    for (const result of [fields.append(name, bytes(value)), fields.set(name, [bytes("ok"), bytes(value)])]) {
      assert.equal(result.tag === "err" && result.val.tag, error);
    }
    const made = Fields.fromEntries([[name, bytes(value)]]);
    assert.equal(made.tag === "err" && made.val.tag, error);
    assert.deepEqual(fields.list, []);
  });
}

test("Fields that were received show nothing of the connection, and cannot be changed, but copied", () => {
  const fields = Fields.received(["Host", "a", "X-A", "1", "Connection", "close", "TE", "trailers"]);
  assert.deepEqual(fields.list, ["x-a", "1", "te", "trailers"]);
  const refused = fields.append("b", bytes("2"));
  assert.equal(refused.tag === "err" && refused.val.tag, "immutable");
  const copy = fields.copy();
  assert.equal(copy.append("b", bytes("2")).tag, "ok");
  assert.equal(fields.has("b"), false);
});

test("Fields do not grow without end", () => {
  const fields = Fields.empty();
  const fill = () => {
    for (let i = 0; i < 200; i++) fields.append("a", "x".repeat(1000));
  };
  assert.throws(fill, /more than 131072 bytes/);
});

test("Fields have a limited number of entries, also empty ones", () => {
  const entries = Array.from({ length: 4097 }, () => ["a", bytes("")] as const);
  assert.equal(Fields.fromEntries(entries.slice(1)).tag, "ok");
  assert.throws(() => Fields.fromEntries(entries), /more than 4096 headers/);
});

test("The copies of one call are limited together, and make room for others when they are dropped", () => {
  const held = new HeldBytes();
  const entries = Array.from({ length: 4096 }, () => ["a", bytes("")] as const);
  const made = Fields.fromEntries(entries, held);
  assert.ok(made.tag === "ok");
  const { val: fields } = made;
  for (let i = 0; i < 1000; i++) fields.copy(held)[Symbol.dispose]();
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) fields.copy(held);
  }, /holds headers and messages of more than 16777216 bytes/);
});

test("Bodies that nobody reads are limited together; those of responses that are dropped are not held", () => {
  const held = new HeldBytes();
  const make = () => {
    const response = new OutgoingResponse(Fields.empty(held));
    response.body();
    return response;
  };
  for (let i = 0; i < 1000; i++) {
    const response = make();
    response.headers[Symbol.dispose]();
    response[Symbol.dispose]();
  }
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) make();
  }, /holds headers and messages/);
});
