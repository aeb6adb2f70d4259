import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedComponentError } from "../binary/component-error.ts";
import { ExternItems, requireLabels } from "./names.ts";
import type { Item } from "./scope.ts";

const anything: Item = { kind: "value" };

const labels = [
  { name: "a", isLabel: true },
  { name: "content-type", isLabel: true },
  { name: "HTTP-version-2", isLabel: true },
  { name: "v-1st", isLabel: true },
  { name: "", isLabel: false },
  { name: "1st", isLabel: false },
  { name: "camelCase", isLabel: false },
  { name: "a--b", isLabel: false },
  { name: "__proto__", isLabel: false },
  { name: "a\n", isLabel: false },
  { name: "é", isLabel: false },
];

for (const { name, isLabel } of labels) {
  test(`requireLabels() ${isLabel ? "takes" : "refuses"} ${JSON.stringify(name)}`, () => {
    const check = () => requireLabels([{ name }], "field", 0);
    if (isLabel) check();
    else assert.throws(check, MalformedComponentError);
  });
}

test("requireLabels() refuses names that differ only in case", () => {
  assert.throws(() => requireLabels([{ name: "a-b" }, { name: "A-b" }], "field", 0), MalformedComponentError);
});

test("requireLabels() refuses a long name as fast as a short one", () => {
  assert.throws(
    () => requireLabels([{ name: `a${"-1".repeat(100_000)}!` }], "field", 0),
    MalformedComponentError,
  );
});

const externNames = [
  { name: "wasi:io/streams@0.2.3", isName: true },
  { name: "wasi:http/types@0.2.0-rc-2023-11-10", isName: true },
  { name: "fermyon:spin/key-value", isName: true },
  { name: "run", isName: true },
  { name: "url=<https://example.com>", isName: true },
  { name: "wasi:io", isName: false },
  { name: "wasi:io/streams@", isName: false },
  { name: "Wasi:io/streams", isName: false },
  { name: "[method]a.b", isName: false },
];

for (const { name, isName } of externNames) {
  test(`ExternItems.add() ${isName ? "takes" : "refuses"} the import "${name}" of anything`, () => {
    const add = () => new ExternItems("import").add(name, anything, 0);
    if (isName) add();
    else assert.throws(add, MalformedComponentError);
  });
}

test("ExternItems.add() takes a method only behind its resource, and with that as its self", () => {
  const items = new ExternItems("export");
  const [book, shelf] = ["book", "shelf"].map(
    (name) => ({ kind: "imported", interface: "a:b/c", name }) as const,
  );
  assert(book && shelf);
  const borrows = (resource: typeof book): Item => ({
    kind: "func",
    type: { params: [{ name: "self", type: { kind: "borrow", resource } }] },
    origin: { kind: "import", interface: undefined, name: "f", importer: undefined },
  });
  assert.throws(() => items.add("[method]book.title", borrows(book), 0), MalformedComponentError);
  items.add("book", { kind: "type", type: { kind: "resource", resource: book } }, 0);
  assert.throws(() => items.add("[method]book.title", borrows(shelf), 0), MalformedComponentError);
  items.add("[method]book.title", borrows(book), 0);
  assert.throws(() => items.add("[static]book.title", borrows(book), 0), MalformedComponentError);
});
