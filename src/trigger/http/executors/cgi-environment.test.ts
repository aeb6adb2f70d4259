import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest, RouteMatch } from "../executor.ts";
import { createRoute } from "../route.ts";
import { cgiArguments, cgiEnvironment, parseArgumentsTemplate } from "./cgi-environment.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is the syntax of argument patterns.

function request(target: string, rawHeaders: readonly string[] = [], authority = "example.com"): HttpRequest {
  const at = target.indexOf("?");
  return {
    method: "GET",
    target,
    path: at === -1 ? target : target.slice(0, at),
    query: at === -1 ? undefined : target.slice(at + 1),
    authority,
    scheme: "http",
    httpVersion: "1.1",
    rawHeaders: ["Host", authority, ...rawHeaders],
    clientAddress: "127.0.0.1:4711",
    signal: new AbortController().signal,
  };
}

function match(text: string, pathInfo: string, params: RouteMatch["params"] = []): RouteMatch {
  return { route: createRoute({ triggerId: "t", componentId: "wagi", text }), pathInfo, params };
}

function environment(http: HttpRequest, routeMatch = match("/...", http.path), bodyBytes = 0) {
  return Object.fromEntries(cgiEnvironment(http, routeMatch, bodyBytes));
}

test("cgiEnvironment() gives a request below a wildcard what Spin gives it", () => {
  const headers = ["X-Custom", "v1", "X-Custom", "v2", "Authorization", "secret", "Content-Type", "text/x"];
  const http = request("/wagi/a%20b/c?x=1&y=two", headers);
  assert.deepEqual(environment(http, match("/wagi/...", "/a%20b/c")), {
    AUTH_TYPE: "",
    CONTENT_LENGTH: "0",
    CONTENT_TYPE: "",
    GATEWAY_INTERFACE: "CGI/1.1",
    HTTP_CONTENT_TYPE: "text/x",
    HTTP_HOST: "example.com",
    HTTP_X_CUSTOM: "v2",
    PATH_INFO: "/a%20b/c",
    PATH_TRANSLATED: "/a b/c",
    QUERY_STRING: "x=1&y=two",
    REMOTE_ADDR: "127.0.0.1",
    REMOTE_HOST: "127.0.0.1",
    REMOTE_USER: "",
    REQUEST_METHOD: "GET",
    SCRIPT_NAME: "/wagi",
    SERVER_NAME: "example.com",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: "WAGI/1",
    X_BASE_PATH: "/",
    X_CLIENT_ADDR: "127.0.0.1:4711",
    X_COMPONENT_ROUTE: "/wagi",
    X_FULL_URL: "http://example.com/wagi/a%20b/c?x=1&y=two",
    X_MATCHED_ROUTE: "/wagi/...",
    X_RAW_COMPONENT_ROUTE: "/wagi/...",
    X_RAW_PATH_INFO: "/a%20b/c",
  });
});

test("cgiEnvironment() gives a request of an exact route no path", () => {
  const { SCRIPT_NAME, PATH_INFO, X_FULL_URL, X_MATCHED_ROUTE } = environment(
    request("/exact/"),
    match("/exact", ""),
  );
  assert.deepEqual(
    [SCRIPT_NAME, PATH_INFO, X_FULL_URL, X_MATCHED_ROUTE],
    ["/exact", "", "http://example.com/exact/", "/exact"],
  );
});

test("cgiEnvironment() tells route parameters in upper case, as they are in the path", () => {
  const params = [["user_id", "4%202"]] as const;
  const variables = environment(request("/u/4%202"), match("/u/:user_id", "", params));
  assert.equal(variables.X_PATH_MATCH_USER_ID, "4%202");
});

test("cgiEnvironment() counts the body", () => {
  assert.equal(environment(request("/"), match("/...", "/"), 5).CONTENT_LENGTH, "5");
});

const HEADERS = [
  { headers: ["Connection", "close"], name: "HTTP_CONNECTION", value: undefined },
  { headers: ["authorization", "x"], name: "HTTP_AUTHORIZATION", value: undefined },
  { headers: ["X_A", "1", "x-a", "2"], name: "HTTP_X_A", value: "2" },
  { headers: ["x-tab", "a\tb"], name: "HTTP_X_TAB", value: "a\tb" },
  { headers: ["x-utf8", Buffer.from("é").toString("latin1")], name: "HTTP_X_UTF8", value: "CORRUPT VALUE" },
  { headers: ["spin-path-info", "forged"], name: "HTTP_SPIN_PATH_INFO", value: "forged" },
];
for (const { headers, name, value } of HEADERS) {
  test(`cgiEnvironment() tells ${headers.join(" ")} as ${name}=${value}`, () => {
    assert.equal(environment(request("/", headers))[name], value);
  });
}

const AUTHORITIES = [
  { authority: "example.com:8080", name: "example.com", port: "8080" },
  { authority: "example.com", name: "example.com", port: "80" },
  { authority: "[::1]:3000", name: "[::1]", port: "3000" },
  { authority: "[::1]", name: "[::1]", port: "80" },
  { authority: "example.com:", name: "example.com", port: "80" },
];
for (const { authority, name, port } of AUTHORITIES) {
  test(`cgiEnvironment() takes ${authority} as server ${name}, port ${port}`, () => {
    const { SERVER_NAME, SERVER_PORT } = environment(request("/", [], authority));
    assert.deepEqual([SERVER_NAME, SERVER_PORT], [name, port]);
  });
}

const TRANSLATED = [
  { pathInfo: "/caf%C3%A9%20%f0%9f%a6%80", translated: "/café 🦀", because: "it decodes UTF-8" },
  { pathInfo: "/%", translated: "/%", because: "a lone percent sign stays" },
  { pathInfo: "/%zz%4", translated: "/%zz%4", because: "what is no escape stays" },
  { pathInfo: "/a%00b", translated: "/a%00b", because: "an environment cannot hold a zero byte" },
  { pathInfo: "/%ff", translated: "/\ufffd", because: "what is not UTF-8 is replaced" },
  { pathInfo: "/%252e", translated: "/%2e", because: "it decodes once" },
];
for (const { pathInfo, translated, because } of TRANSLATED) {
  test(`cgiEnvironment() translates ${pathInfo} to ${translated}: ${because}`, () => {
    const variables = environment(request(pathInfo));
    assert.equal(variables.PATH_TRANSLATED, translated);
    assert.equal(variables.PATH_INFO, pathInfo);
  });
}

test("cgiEnvironment() gives text that came as raw UTF-8 as text", () => {
  const raw = Buffer.from("/é?ü=🦀").toString("latin1");
  const { PATH_INFO, QUERY_STRING, X_FULL_URL } = environment(request(raw));
  assert.deepEqual([PATH_INFO, QUERY_STRING, X_FULL_URL], ["/é", "ü=🦀", "http://example.com/é?ü=🦀"]);
});

const DEFAULT = "${SCRIPT_NAME} ${ARGS}";
const ARGUMENTS = [
  { argv: DEFAULT, target: "/w/a%20b?x=1&y=two", args: ["/w/a%20b", "x=1", "y=two"] },
  { argv: DEFAULT, target: "/w", args: ["/w", ""] },
  { argv: DEFAULT, target: "/w?", args: ["/w", ""] },
  { argv: DEFAULT, target: "/w?a&&b", args: ["/w", "a", "", "b"] },
  { argv: "one ${ARGS} two", target: "/w?x", args: ["one", "x", "two"] },
  { argv: "${SCRIPT_NAME}", target: "/w?x", args: ["/w"] },
  { argv: "", target: "/w", args: [""] },
  { argv: "  a", target: "/w", args: ["", "", "a"] },
  { argv: "${OTHER} $& ${ARGS}", target: "/w?$&", args: ["${OTHER}", "$&", "$", ""] },
  { argv: "${SCRIPT_NAME}", target: "/${ARGS}?x", args: ["/${ARGS}"] },
];
for (const { argv, target, args } of ARGUMENTS) {
  test(`cgiArguments() makes ${JSON.stringify(args)} of "${argv}" for ${target}`, () => {
    assert.deepEqual(cgiArguments(parseArgumentsTemplate(argv), request(target)), args);
  });
}
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above.
