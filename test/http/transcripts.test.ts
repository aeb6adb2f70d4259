// What Spin 4.0.2 answers, byte by byte, where the answer is the trigger's and not a guest's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HttpRequest, type RouteMatch, renderServing, spinHeaders } from "../../src/trigger/mod.ts";
import { request } from "./raw-client.ts";
import { createApplication, executor, type Served, serve, text } from "./serve.ts";

const APPLICATION = createApplication([
  { id: "wagi-http-trigger", componentId: "wagi", route: "/wagi/..." },
  { id: "p2-http-trigger", componentId: "p2", route: "/p2/:name/..." },
  { id: "legacy-http-trigger", componentId: "legacy", route: "/legacy/..." },
  { id: "wagi-exact-http-trigger", componentId: "wagi-exact", route: "/exact" },
  {
    id: "http-trigger1",
    route: "/fixed",
    static_response: { status_code: 418, headers: { "x-a": "b" }, body: "teapot" },
  },
  { id: "hidden-http-trigger", componentId: "hidden", route: { private: true } },
]);

/** Shows what a guest would be told. */
const tells = executor((request: HttpRequest, match: RouteMatch) => {
  const told = spinHeaders(request, match);
  const lines = [`${request.method} ${request.target}`];
  for (let i = 0; i < told.length; i += 2) lines.push(`${told[i]}=${told[i + 1]}`);
  return text(lines.join("\n"), "Content-Type", "text/plain", "x-guest", "wagi");
});

function serveTranscript(): Promise<Served> {
  const withComponent = APPLICATION.triggers.filter((trigger) => trigger.componentId !== undefined);
  return serve(APPLICATION, { executors: new Map(withComponent.map(({ id }) => [id, tells])) });
}

const NOT_FOUND = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\ndate: DATE\r\n\r\n";
/** Spin closes the connection without a word; RFC 9112, 3.2, asks for this. */
const NO_HOST =
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: 77\r\ndate: DATE\r\n\r\n" +
  "The request names no host, or none that is valid: it needs one `Host` header\n";

const answers = [
  {
    sent: "GET /fixed HTTP/1.1\r\nHost: example.com\r\n\r\n",
    got: "HTTP/1.1 418 I'm a teapot\r\nx-a: b\r\ncontent-length: 6\r\ndate: DATE\r\n\r\nteapot",
  },
  {
    sent: "GET /.well-known/spin/health HTTP/1.1\r\nHost: example.com\r\n\r\n",
    got: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndate: DATE\r\n\r\nOK",
  },
  {
    sent: "GET /.well-known/spin/info HTTP/1.1\r\nHost: example.com\r\n\r\n",
    got: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 48\r\ndate: DATE\r\n\r\n{\n  "name": "transcript",\n  "version": "1.2.3"\n}',
  },
  { sent: "GET /.well-known/spin/other HTTP/1.1\r\nHost: example.com\r\n\r\n", got: NOT_FOUND },
  { sent: "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", got: NOT_FOUND },
  { sent: "GET /hidden HTTP/1.1\r\nHost: example.com\r\n\r\n", got: NOT_FOUND },
  { sent: "GET /headers HTTP/1.1\r\nHost: example.com\r\n\r\n", got: NOT_FOUND },
  { sent: "GET /WAGI/x HTTP/1.1\r\nHost: example.com\r\n\r\n", got: NOT_FOUND },
  { sent: "GET /wagi/x HTTP/1.1\r\n\r\n", got: NO_HOST },
  { sent: "GET /wagi/x HTTP/1.0\r\n\r\n", got: NO_HOST },
  { sent: "GET http://other.example/wagi/abs HTTP/1.1\r\nHost: example.com\r\n\r\n", got: NO_HOST },
  {
    sent: "GET /wagi\u0000 HTTP/1.1\r\nHost: a\r\n\r\n",
    got: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: DATE\r\n\r\n",
  },
];

test("HttpTrigger answers like Spin where no guest is asked", async (t) => {
  await using served = await serveTranscript();
  for (const { sent, got } of answers) {
    await t.test(JSON.stringify(sent), async () => {
      assert.equal(await request(served.address, sent), got);
    });
  }
});

const tellings = [
  {
    line: "GET /wagi/a%20b/c?x=1&y=two",
    pathInfo: "/a%20b/c",
    route: "/wagi/...",
    url: "http://example.com/wagi/a%20b/c?x=1&y=two",
  },
  { line: "POST /wagi", pathInfo: "", route: "/wagi/...", url: "http://example.com/wagi" },
  { line: "GET /wagi/?exit=3", pathInfo: "/", route: "/wagi/...", url: "http://example.com/wagi/?exit=3" },
  { line: "GET /exact", pathInfo: "", route: "/exact", url: "http://example.com/exact" },
  { line: "GET /exact/", pathInfo: "", route: "/exact", url: "http://example.com/exact/" },
  { line: "GET //wagi", pathInfo: "", route: "/wagi/...", url: "http://example.com//wagi" },
  {
    line: "GET /wagi/../p2/x",
    pathInfo: "/../p2/x",
    route: "/wagi/...",
    url: "http://example.com/wagi/../p2/x",
  },
  { line: "OPTIONS /legacy/", pathInfo: "/", route: "/legacy/...", url: "http://example.com/legacy/" },
  { line: "TRACE /legacy/", pathInfo: "/", route: "/legacy/...", url: "http://example.com/legacy/" },
];

test("HttpTrigger tells guests of route and path what Spin tells them", async (t) => {
  await using served = await serveTranscript();
  for (const { line, pathInfo, route, url } of tellings) {
    await t.test(line, async () => {
      const reply = await request(served.address, `${line} HTTP/1.1\r\nHost: example.com\r\n\r\n`);
      const body = reply.slice(reply.indexOf("\r\n\r\n") + 4).replace(/127\.0\.0\.1:\d+/, "CLIENT");
      assert.equal(
        body,
        [
          line,
          `spin-path-info=${pathInfo}`,
          `spin-full-url=${url}`,
          `spin-matched-route=${route}`,
          "spin-base-path=/",
          `spin-raw-component-route=${route}`,
          `spin-component-route=${route.replace("/...", "")}`,
          "spin-client-addr=CLIENT",
        ].join("\n"),
      );
    });
  }
});

test("HttpTrigger puts names in lower case, content-length behind the guest's headers, and date last", async () => {
  await using served = await serveTranscript();
  const reply = await request(served.address, "GET /p2/bob/x HTTP/1.1\r\nHost: example.com\r\n\r\n");
  const [head = "", body = ""] = reply.split("\r\n\r\n");
  assert.equal(
    head,
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-guest: wagi\r\ncontent-length: ${body.length}\r\ndate: DATE`,
  );
  assert.match(body, /^spin-path-match-name=bob$/m);
});

test("HttpTrigger tells HEAD the length of the body that there would be", async () => {
  await using served = await serveTranscript();
  const [head, get] = await Promise.all(
    ["HEAD", "GET"].map((method) =>
      request(served.address, `${method} /wagi/x HTTP/1.1\r\nHost: example.com\r\n\r\n`),
    ),
  );
  // One letter more in "HEAD" than in "GET".
  const length = (get?.split("\r\n\r\n")[1]?.length ?? 0) + 1;
  assert.equal(
    head,
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-guest: wagi\r\ncontent-length: ${length}\r\ndate: DATE\r\n\r\n`,
  );
});

test("renderServing() prints the routes in the order of matching, as Spin does", async () => {
  await using served = await serveTranscript();
  const url = `http://127.0.0.1:${served.address.port}`;
  assert.equal(
    renderServing(served.trigger, "plain"),
    [
      "",
      `Serving ${url}`,
      "Available Routes:",
      `  wagi-exact: ${url}/exact`,
      `  http-trigger1: ${url}/fixed`,
      `  p2: ${url}/p2/:name (wildcard)`,
      `  wagi: ${url}/wagi (wildcard)`,
      "    Prints what it sees",
      `  legacy: ${url}/legacy (wildcard)`,
      "",
    ].join("\n"),
  );
});
