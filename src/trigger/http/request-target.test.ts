import assert from "node:assert/strict";
import { test } from "node:test";
import { isAuthority, parseTarget } from "./request-target.ts";

const accepted = [
  { raw: "/", path: "/", query: undefined },
  { raw: "/a/b?x=1&y", path: "/a/b", query: "x=1&y" },
  { raw: "/a?", path: "/a", query: "" },
  { raw: "/a?b?c", path: "/a", query: "b?c" },
  { raw: "/a#frag?x", path: "/a", query: undefined },
  { raw: "/a?x#frag", path: "/a", query: "x" },
  { raw: '/{"json":[1]}', path: '/{"json":[1]}', query: undefined },
  { raw: "*", path: "*", query: undefined },
  { raw: "http://a.example/x?y", path: "/x", query: "y", authority: "a.example" },
  { raw: "HTTPS://a.example:1", path: "/", query: undefined, authority: "a.example:1" },
  { raw: "http://a.example?y", path: "/", query: "y", authority: "a.example" },
];

for (const { raw, path, query, authority } of accepted) {
  test(`parseTarget() reads ${JSON.stringify(raw)}`, () => {
    const target = parseTarget(raw);
    assert.equal(target?.path, path);
    assert.equal(target.query, query);
    assert.equal(target.authority, authority);
    assert.equal(target.target, path + (query === undefined ? "" : `?${query}`));
  });
}

const refused = [
  "",
  "a",
  "/<",
  "/a b",
  "/`",
  '/?"',
  "/\t",
  "/\x7f",
  "/\xff",
  "/?\xc3\xa9",
  "ftp://a/",
  "http:///a",
  "http://a b/",
];

for (const raw of refused) {
  test(`parseTarget() refuses ${JSON.stringify(raw)}`, () => {
    assert.equal(parseTarget(raw), undefined);
  });
}

const authorities = [
  { text: "example.com", is: true },
  { text: "example.com:8080", is: true },
  { text: "example.com:", is: true },
  { text: "[::1]:80", is: true },
  { text: "user:pass@example.com", is: true },
  { text: "my_host", is: true },
  { text: "", is: false },
  { text: "a b", is: false },
  { text: "a/b", is: false },
  { text: "a:b", is: false },
  { text: "[::1", is: false },
  { text: "a,b", is: true },
  { text: "\xc3\xa9", is: false },
  { text: "user@", is: false },
];

for (const { text, is } of authorities) {
  test(`isAuthority() says ${is} to ${JSON.stringify(text)}`, () => {
    assert.equal(isAuthority(text), is);
  });
}

test("isAuthority() takes no longer for a text made to confuse it", () => {
  assert.equal(isAuthority(`${"a".repeat(60_000)}@${"%".repeat(1000)}`), false);
});
