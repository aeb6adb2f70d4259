import assert from "node:assert/strict";
import { test } from "node:test";
import semver from "semver";

import { formatBindleId, parseBindleId } from "../registry/mod.ts";
import { SearchError, SearchIndex } from "./search-index.ts";

const index = new SearchIndex();
const STORED = [
  "a.com/Hello/1.0.0",
  "a.com/hello/0.9.0",
  "a.com/hello/1.0.0-rc.1",
  "a.com/hello/1.2.3",
  "b.com/hello/1.2.3+q1",
];
for (const id of STORED) index.put({ ...parseBindleId(id), yanked: false });
index.put({ ...parseBindleId("a.com/hello/1.1.0"), yanked: true });

const cases = [
  { query: "", version: "", finds: STORED, because: "nothing asked finds everything, in the order of ids" },
  { query: "Hello", version: "", finds: ["a.com/Hello/1.0.0"], because: "letters count as they are" },
  {
    query: "llo b.c",
    version: "",
    finds: ["b.com/hello/1.2.3+q1"],
    because: "each word has to be found, in any order",
  },
  { query: "hello/1", version: "", finds: [], because: "versions are not part of the name" },
  { query: "", version: "1.0.0", finds: ["a.com/Hello/1.0.0"], because: "a version means itself" },
  { query: "", version: "1.2.3+q1", finds: ["b.com/hello/1.2.3+q1"], because: "with its build metadata" },
  { query: "b.", version: "=1.2.3", finds: ["b.com/hello/1.2.3+q1"], because: "which ranges do not look at" },
  {
    query: "hello",
    version: "^1.0.1",
    finds: ["a.com/hello/1.2.3", "b.com/hello/1.2.3+q1"],
    because: "a caret is a range",
  },
  {
    query: "a.com",
    version: "1.2",
    finds: ["a.com/hello/1.2.3"],
    because: "a bare part of a version is a caret too",
  },
  {
    query: "a.com",
    version: ">=0.9, <1.2",
    finds: ["a.com/Hello/1.0.0", "a.com/hello/0.9.0"],
    because: "commas join",
  },
  {
    query: "a.com",
    version: "0.1.0 - 1.0.0",
    finds: ["a.com/Hello/1.0.0", "a.com/hello/0.9.0"],
    because: "a dash makes a range",
  },
  {
    query: "a.com",
    version: ">=1.0.0-rc.0 <1.0.0",
    finds: ["a.com/hello/1.0.0-rc.1"],
    because: "pre-releases are found where one is named",
  },
  { query: "", version: "not a range", finds: [], because: "what is no range matches nothing" },
];
for (const { query, version, finds, because } of cases) {
  test(`SearchIndex.search() for "${query}" "${version}": ${because}`, () => {
    assert.deepEqual(index.search({ query, version, yanked: false }).map(formatBindleId), finds);
  });
}

const limits = [
  { what: "characters of a query", query: "a".repeat(256), version: "" },
  { what: "words of a query", query: `a${" b".repeat(15)}`, version: "" },
  { what: "characters of a version", query: "", version: "1 || ".repeat(51).padEnd(256, "1") },
];
for (const { what, query, version } of limits) {
  test(`SearchIndex.search() takes so many ${what}, and not one more`, () => {
    index.search({ query, version, yanked: false });
    const more = {
      query: query && `${query}${query.includes(" ") ? " c" : "c"}`,
      version: version && `${version}1`,
    };
    assert.throws(() => index.search({ ...more, yanked: false }), SearchError);
  });
}

test("SearchIndex.search() parses a range once, however many bindles there are", (context) => {
  const many = new SearchIndex();
  for (let patch = 0; patch < 100; patch++) many.put({ name: "a", version: `1.0.${patch}`, yanked: false });
  const parse = context.mock.method(semver.Range.prototype, "parseRange");
  assert.equal(many.search({ query: "", version: ">=1.0.50 <2", yanked: false }).length, 50);
  assert.ok(parse.mock.callCount() <= 2);
});

test("SearchIndex.search() gives yanked bindles to those who ask for them", () => {
  const found = index.search({ query: "a.com/hello", version: "^1.1", yanked: true }).map(formatBindleId);
  assert.deepEqual(found, ["a.com/hello/1.1.0", "a.com/hello/1.2.3"]);
});

test("SearchIndex.putOlder() does not undo what was said since", () => {
  const fresh = new SearchIndex();
  fresh.put({ ...parseBindleId("a/1.0.0"), yanked: true });
  fresh.putOlder({ ...parseBindleId("a/1.0.0"), yanked: false });
  assert.deepEqual(fresh.search({ query: "", version: "", yanked: false }), []);
});
