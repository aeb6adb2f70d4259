import assert from "node:assert/strict";
import { test } from "node:test";

import { parseGlobSegments } from "../paths/mod.ts";
import { findFiles, type Search } from "./find-files.ts";
import { temporaryApplication } from "./temporary-application.ts";

function find(root: string, pattern: string, entriesMax: number): Promise<Search> {
  const signal = new AbortController().signal;
  const segments = parseGlobSegments(pattern);
  return findFiles(
    { realPath: root, skipped: "/", signal },
    { segments, isExcluded: () => false, entriesMax },
  );
}

test("findFiles() looks at as many entries as it may, and at no more", async () => {
  using app = temporaryApplication({ a: "", "b/c": "", "b/d": "" });
  const enough = await find(app.path, "b/*", 2);
  assert.deepEqual(enough.problems, []);
  assert.deepEqual(
    enough.files.map(({ path }) => path),
    ["b/c", "b/d"],
  );
  const tooFew = await find(app.path, "b/*", 1);
  assert.deepEqual(
    tooFew.problems.map(({ code }) => code),
    ["FILES_TOO_MANY"],
  );
});

test("findFiles() ends soon where links double the ways at every level", async () => {
  const levels = Array.from({ length: 40 }, (_, level) => level);
  const links = levels.flatMap((level) =>
    ["x", "y"].map((name) => [`${level}/${name}`, { link: `../${level + 1}` }] as const),
  );
  using app = temporaryApplication({ ...Object.fromEntries(links), "40/file": "" });
  const { problems } = await find(app.path, "0/**/nothing", 1000);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["FILES_TOO_MANY"],
  );
});

test("findFiles() goes once through a link to a directory above, if the pattern says so", async () => {
  using app = temporaryApplication({ "a/b.txt": "", "a/up": { link: ".." } });
  const { files, problems } = await find(app.path, "a/*/a/*.txt", 100);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    files.map(({ path }) => path),
    ["a/up/a/b.txt"],
  );
});
