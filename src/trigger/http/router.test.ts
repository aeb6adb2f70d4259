import assert from "node:assert/strict";
import { test } from "node:test";
import { SpindleError } from "../../errors/mod.ts";
import { Router } from "./router.ts";

function routerOf(routes: readonly string[], base = "/"): Router {
  return new Router(routes.map((text, i) => ({ triggerId: `t${i}`, componentId: `c${i}`, text, base })));
}

function ordered(routes: readonly string[]): string[] {
  return routerOf(routes).routes.map((route) => route.text);
}

const MIXED = [
  "/...",
  "/a",
  "/a/b",
  "/a/:x",
  "/:x/b",
  "/a/...",
  "/:x/:y/...",
  "/files/:name.:ext",
  "/v1.2/x",
];

const matches = [
  { path: "/", route: "/...", because: "a wildcard also matches nothing" },
  { path: "/a", route: "/a", because: "an exact route goes first" },
  { path: "/a/", route: "/a", because: "trailing slashes do not count" },
  { path: "///a//", route: "/a", because: "nor do leading ones, however many" },
  { path: "/a/b", route: "/a/b", because: "exact beats parameter and wildcard" },
  { path: "/a/c", route: "/a/:x", because: "parameter beats wildcard" },
  { path: "/a/c/d", route: "/a/...", because: "an exact first segment beats a parameter" },
  { path: "/z/b", route: "/:x/b", because: "text behind a parameter must match" },
  { path: "/z/c", route: "/:x/:y/...", because: "a wildcard takes nothing too" },
  { path: "/z", route: "/...", because: "a parameter does not match what is missing" },
  { path: "/A", route: "/...", because: "case counts" },
  { path: "/%61", route: "/...", because: "paths are not decoded" },
  { path: "/files/a.txt", route: "/files/:name.:ext", because: "a dot separates" },
  { path: "/files/a.tar.gz", route: "/files/:name.:ext", because: "the last parameter takes the rest" },
  { path: "/files/a", route: "/:x/:y/...", because: "the dot must be there" },
  { path: "/files/a/b.c", route: "/:x/:y/...", because: "a parameter ends at a slash" },
  { path: "/v1.2/x", route: "/v1.2/x", because: "text may have dots" },
  { path: "/v1x2/x", route: "/:x/:y/...", because: "a dot is no wildcard" },
];

for (const { path, route, because } of matches) {
  test(`Router.match() sends ${path} to ${route}: ${because}`, () => {
    assert.equal(routerOf(MIXED).match(path)?.route.text, route);
    assert.equal(routerOf(MIXED.toReversed()).match(path)?.route.text, route);
  });
}

const captures = [
  { route: "/foo/...", path: "/foo", pathInfo: "" },
  { route: "/foo/...", path: "/foo/", pathInfo: "/" },
  { route: "/foo/...", path: "/foo/bar", pathInfo: "/bar" },
  { route: "/foo/...", path: "/foo/bar/", pathInfo: "/bar/" },
  { route: "/foo/*", path: "/foo/bar", pathInfo: "/bar" },
  { route: "/foo/...", path: "//foo", pathInfo: "" },
  { route: "/foo/...", path: "/foo//bar", pathInfo: "//bar" },
  { route: "/foo/...", path: "/foo/../x", pathInfo: "/../x" },
  { route: "/...", path: "/", pathInfo: "/" },
  { route: "/...", path: "/a%20b/c", pathInfo: "/a%20b/c" },
  { route: "/foo", path: "/foo/", pathInfo: "" },
  { route: "/a.*", path: "/a.b/c", pathInfo: "/b/c" },
  { route: "/:id", path: "/7", pathInfo: "", params: [["id", "7"]] },
  { route: "/:id/...", path: "/7/x/", pathInfo: "/x/", params: [["id", "7"]] },
  { route: "/:a/:b", path: "//1//2", pathInfo: "", params: undefined },
  { route: "/x/:a/y", path: "/x//y", pathInfo: "", params: [["a", ""]] },
  {
    route: "/:a.:b",
    path: "/.x",
    pathInfo: "",
    params: [
      ["a", ""],
      ["b", "x"],
    ],
  },
  { route: "/:a.:b", path: "/x.", pathInfo: "", params: undefined },
  { route: "/:a/:a", path: "/1/2", pathInfo: "", params: [["a", "2"]] },
  { route: "/é/:x", path: "/\xc3\xa9/\xf0\x9f\xa6\x80", pathInfo: "", params: [["x", "\xf0\x9f\xa6\x80"]] },
];

for (const { route, path, pathInfo, params = [] } of captures.filter(
  (each) => !("params" in each) || each.params,
)) {
  test(`Router.match() takes path info ${JSON.stringify(pathInfo)} and [${params}] of ${path} for ${route}`, () => {
    const match = routerOf([route]).match(path);
    assert.equal(match?.pathInfo, pathInfo);
    assert.deepEqual(match.params, params);
  });
}

for (const { route, path } of captures.filter((each) => "params" in each && !each.params)) {
  test(`Router.match() finds nothing for ${path} in ${route}`, () => {
    assert.equal(routerOf([route]).match(path), undefined);
  });
}

const orders = [
  { routes: ["/...", "/:x", "/a"], because: "exact, parameter, wildcard", order: ["/a", "/:x", "/..."] },
  {
    routes: ["/a/...", "/a/b/...", "/a"],
    because: "longer prefixes first",
    order: ["/a", "/a/b/...", "/a/..."],
  },
  { routes: ["/:x/:y", "/:x/:y.txt"], because: "more dots first", order: ["/:x/:y.txt", "/:x/:y"] },
  { routes: ["/a/b", "/a"], because: "then fewer segments", order: ["/a", "/a/b"] },
  { routes: ["/:b", "/:a"], because: "else as declared", order: ["/:b", "/:a"] },
  { routes: ["/x", "/y", "/x"], because: "a duplicate stands where the first was", order: ["/x", "/y"] },
  {
    routes: ["/.well-known/a", "/..."],
    because: "what is declared behind a leading dot",
    order: ["/...", "/.well-known/a"],
  },
  {
    routes: ["/...", "/.well-known/a"],
    because: "a leading dot before what was declared",
    order: ["/.well-known/a", "/..."],
  },
];

for (const { routes, because, order } of orders) {
  test(`Router tries ${routes.join(" ")} as ${order.join(" ")}: ${because}`, () => {
    assert.deepEqual(ordered(routes), order);
  });
}

test("Router keeps the last of routes with the same text, and reports the others", () => {
  const router = routerOf(["/a", "/b", "/a"]);
  assert.equal(router.match("/a")?.route.componentId, "c2");
  assert.deepEqual(
    router.duplicates.map(({ replaced, effective }) => [replaced.componentId, effective.componentId]),
    [["c0", "c2"]],
  );
});

test("Router keeps the first of routes that differ only in the names of parameters", () => {
  assert.equal(routerOf(["/:a", "/:b"]).match("/x")?.route.componentId, "c0");
});

const bases = [
  { base: "/", text: "/a/...", path: "/a/x", matched: "/a/...", listed: "/a" },
  { base: "/v1", text: "/a/...", path: "/v1/a/x", matched: "/v1/a/...", listed: "/v1/a" },
  { base: "/v1/", text: "a", path: "/v1/a", matched: "/v1/a", listed: "/v1/a" },
  { base: "/v1", text: "/", path: "/v1", matched: "/v1", listed: "/v1" },
  { base: "/", text: "/", path: "/", matched: "", listed: "" },
  { base: "/", text: "/...", path: "/x", matched: "/...", listed: "" },
];

for (const { base, text, path, matched, listed } of bases) {
  test(`Router puts the route "${text}" below the base "${base}"`, () => {
    const route = routerOf([text], base).match(path)?.route;
    assert.equal(route?.text, text);
    assert.equal(route.base, base);
    assert.equal(route.matched, matched);
    assert.equal(route.listed, listed);
  });
}

const shadows = [
  { routes: ["/b/:x", "/b/:y"], unused: "/b/:y" },
  { routes: ["/c", "/c/"], unused: "/c/" },
  { routes: ["/c/", "c"], unused: "c" },
  { routes: ["/d/...", "/d/*"], unused: "/d/*" },
  { routes: ["/:a.:b/...", "/:b.:a/..."], unused: "/:b.:a/..." },
  { routes: ["/.e", "/.e/"], unused: "/.e/" },
  { routes: ["/b/:x", "/b/x", "/b/...", "/b", "/B", "/b/:x.:y", "/b/:x/y"], unused: undefined },
];

for (const { routes, unused } of shadows) {
  test(`Router says which is never used of ${routes.join(" ")}`, () => {
    const router = routerOf(routes);
    const found = router.duplicates.map(({ replaced }) => replaced.text);
    assert.deepEqual(found, unused === undefined ? [] : [unused]);
  });
}

const mistakes = ["/*x", "/a/*/...", "/:", "/a/:/b", `/${"x".repeat(2048)}y`];

test("Router refuses all bad routes at once, each with its reason", () => {
  assert.throws(
    () => routerOf(["/good", ...mistakes]),
    (error: unknown) => {
      assert.ok(error instanceof SpindleError);
      assert.deepEqual(
        error.diagnostics.map(({ code }) => code),
        mistakes.map(() => "MANIFEST_ROUTE_INVALID"),
      );
      return true;
    },
  );
});

test("Router finds the first in order of all that match, on random routes and paths", () => {
  const random = randomNumbers(1);
  const segments = ["a", "b", ":x", ":y", "a.b", ":x.b", ":x.:y", "a.:x", ".a"];
  const pathSegments = ["a", "b", "c", "a.b", "c.b", "a.c.b", ".a", ""];
  const pick = (list: readonly string[]) => list[random(list.length)] ?? "";
  for (let round = 0; round < 100; round++) {
    const routes = Array.from({ length: 1 + random(8) }, () => {
      const parts = Array.from({ length: random(4) }, () => pick(segments));
      return `/${[...parts, ...(random(3) === 0 ? ["..."] : [])].join("/")}`;
    });
    const router = routerOf(routes);
    for (let i = 0; i < 20; i++) {
      const path = `/${Array.from({ length: random(5) }, () => pick(pathSegments)).join("/")}`;
      const expected = router.routes.find((route) => routerOf([route.text]).match(path));
      assert.equal(router.match(path)?.route.text, expected?.text, `${path} in ${routes.join(" ")}`);
    }
  }
});

test("Router.match() takes no more steps than there are nodes, on routes that all nearly match", () => {
  const deep = Array.from({ length: 200 }, (_, i) => `${"/:x".repeat(i % 40)}/${i}/end`);
  const router = routerOf(deep);
  assert.equal(router.match("/a".repeat(32_000)), undefined);
  assert.equal(router.match("/".repeat(64_000)), undefined);
  assert.equal(router.match(`/${".".repeat(64_000)}`), undefined);
});

/** A small generator with a fixed seed, so that a failure can be seen again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}
