import assert from "node:assert/strict";
import { test } from "node:test";

import { GlobSyntaxError, looksLikeGlob, parseGlob, parseGlobSegments } from "./glob.ts";

const wholePaths = [
  { pattern: "a.txt", path: "a.txt", matches: true, because: "text matches itself" },
  { pattern: "a.txt", path: "dir/a.txt", matches: false, because: "the whole path must match" },
  { pattern: "*.txt", path: "a.txt", matches: true, because: "a star matches a name" },
  { pattern: "*.txt", path: "dir/sub/a.txt", matches: true, because: "a star crosses slashes" },
  { pattern: "*", path: ".hidden", matches: true, because: "a leading dot is like any character" },
  { pattern: "dir/*", path: "dir/sub/.a", matches: true, because: "a star crosses slashes" },
  { pattern: "a*b*c", path: "aXbYbZc", matches: true, because: "a star can match more than at first" },
  { pattern: "a*b*c", path: "aXbYbZ", matches: false, because: "the end must match" },
  { pattern: "?", path: "🦀", matches: true, because: "a question mark is one character" },
  { pattern: "?", path: "/", matches: true, because: "a question mark matches a slash too" },
  { pattern: "?", path: "", matches: false, because: "a question mark is not none" },
  { pattern: "[a-c]x", path: "bx", matches: true, because: "a range has what is between" },
  { pattern: "[a-c]x", path: "dx", matches: false, because: "a range has nothing else" },
  { pattern: "[!a-c]x", path: "dx", matches: true, because: "a set can be turned round" },
  { pattern: "[!a-c]x", path: "ax", matches: false, because: "a set can be turned round" },
  { pattern: "[]]", path: "]", matches: true, because: "a bracket can come first in a set" },
  { pattern: "[!]]", path: "x", matches: true, because: "a bracket can come first in a set" },
  { pattern: "[-a]", path: "-", matches: true, because: "a dash can come first in a set" },
  { pattern: "[a-]", path: "-", matches: true, because: "a dash can come last in a set" },
  { pattern: "[c-a]", path: "b", matches: false, because: "a range the wrong way round is empty" },
  { pattern: "[é-🦀]", path: "ü", matches: true, because: "a range is of code points" },
  { pattern: "{a,b}", path: "a", matches: false, because: "there are no braces" },
  { pattern: "{a,b}", path: "{a,b}", matches: true, because: "there are no braces" },
  { pattern: "a\\*", path: "a\\x", matches: true, because: "there is no escape" },
  { pattern: "**", path: "a/b", matches: true, because: "two stars match everything" },
  { pattern: "**/*", path: "a", matches: true, because: "two stars match no directory" },
  { pattern: "**/a.txt", path: "x/y/a.txt", matches: true, because: "two stars match directories" },
  { pattern: "**/a.txt", path: "xa.txt", matches: false, because: "two stars end at a slash" },
  { pattern: "a/**/b", path: "a/b", matches: true, because: "two stars match no directory" },
  { pattern: "a/**/b", path: "a/x/b/y/b", matches: true, because: "two stars match several directories" },
  { pattern: "a/**/**/b", path: "a/x/b", matches: true, because: "stars beside stars are the same" },
  { pattern: "a/**", path: "a/x/y", matches: true, because: "two stars match the rest" },
  { pattern: "a/**", path: "a", matches: false, because: "the slash is needed" },
  { pattern: "**/x*/**/c", path: "a/xb/c", matches: true, because: "both kinds of stars work together" },
  { pattern: "", path: "", matches: true, because: "nothing matches nothing" },
];

for (const { pattern, path, matches, because } of wholePaths) {
  test(`parseGlob("${pattern}") ${matches ? "matches" : "does not match"} "${path}": ${because}`, () => {
    assert.equal(parseGlob(pattern).matchesPath(path), matches);
  });
}

for (const pattern of ["[", "a[b", "[]", "[!]", "[!", "***", "a**", "**a", "a/**b/c", "a**/b"]) {
  test(`parseGlob() refuses "${pattern}"`, () => {
    assert.throws(() => parseGlob(pattern), GlobSyntaxError);
    assert.throws(() => parseGlobSegments(pattern), GlobSyntaxError);
  });
}

test("parseGlob() matches in time that grows with the product of the lengths", () => {
  // Trying all ways would take longer than the universe has been there.
  const path = `${"a".repeat(4000)}b`;
  assert.equal(parseGlob("*a".repeat(200)).matchesPath(path), false);
  assert.equal(parseGlob(`${"**/".repeat(50)}${"*a".repeat(100)}/**/c`).matchesPath(path), false);
});

test("parseGlobSegments() keeps stars in their segment", () => {
  const [first, second, third, fourth] = parseGlobSegments("a/*.t?t/**/[x]");
  assert.deepEqual(first, { kind: "name", name: "a" });
  assert.ok(second?.kind === "pattern" && second.matches(".t.txt") && !second.matches("a.tx"));
  assert.deepEqual(third, { kind: "directories" });
  assert.ok(fourth?.kind === "pattern" && fourth.matches("x"));
});

test("looksLikeGlob() knows a wildcard by its characters", () => {
  for (const text of ["a*", "a?", "[a]", "a]"]) assert.ok(looksLikeGlob(text), text);
  for (const text of ["a", "a/b.txt", "{a,b}", "!a", ""]) assert.ok(!looksLikeGlob(text), text);
});
