import assert from "node:assert/strict";
import { test } from "node:test";
import { BytePipe } from "../../bytes/mod.ts";
import { IoError } from "../../wasi/mod.ts";
import { codeOf, debugText, HttpFailure } from "./error-code.ts";
import { Fields } from "./fields.ts";
import { IncomingBody } from "./incoming-body.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import { OutgoingRequest } from "./outgoing-request.ts";
import { OutgoingResponse } from "./outgoing-response.ts";

/** A caller in second gear, or one that may not leave the first. */
const second = { shift() {}, canSuspend: true, signal: new AbortController().signal };
const first = { ...second, canSuspend: false, shift: () => assert.fail("it shifted") };

const bytes = (text: string) => Buffer.from(text);

test("An IncomingBody that is all there is read in first gear, as often as the call is replayed", () => {
  const pipe = BytePipe.of(bytes("hello"));
  for (let replay = 0; replay < 2; replay++) {
    const stream = new IncomingBody(pipe, () => {}).stream();
    assert.ok(stream);
    assert.equal(Buffer.from(stream.read(first, 3) ?? []).toString(), "hel");
    assert.equal(Buffer.from(stream.read(first, 3) ?? []).toString(), "lo");
    assert.equal(stream.read(first, 3), undefined);
  }
});

test("An IncomingBody that is on its way shifts before it is touched", () => {
  const pipe = new BytePipe();
  pipe.write(bytes("hello"));
  const stream = new IncomingBody(pipe, () => {}).stream();
  assert.throws(() => stream?.read(first, 3), /it shifted/);
  assert.throws(() => stream?.isReady(first), /it shifted/);
  assert.equal(pipe.held, 5);
  assert.equal(Buffer.from(stream?.read(second, 3) ?? []).toString(), "hel");
});

test("An IncomingBody tells what broke it once, and gives its stream once", () => {
  const pipe = new BytePipe();
  const body = new IncomingBody(pipe, () => {});
  const stream = body.stream();
  assert.equal(body.stream(), undefined);
  pipe.fail(new HttpFailure({ tag: "connection-read-timeout" }));
  assert.throws(
    () => stream?.read(second, 1),
    (error) => error instanceof IoError && codeOf(error.detail).tag === "connection-read-timeout",
  );
  assert.throws(() => body.finish(), /stream it still has/);
});

test("Trailers come behind the body, whose rest is thrown away, and are given once", () => {
  const pipe = new BytePipe();
  pipe.write(bytes("rest"));
  const future = new IncomingBody(pipe, () => {}).finish();
  assert.equal(future.get(second), undefined);
  pipe.end(["X-End", "1", "connection", "close"]);
  const got = future.get(second);
  assert.ok(got?.tag === "ok" && got.val.tag === "ok");
  assert.deepEqual(got.val.val?.list, ["x-end", "1"]);
  assert.equal(future.get(second)?.tag, "err");
});

const LENGTHS = [
  { promised: undefined, written: "abc", error: undefined },
  { promised: 3, written: "abc", error: undefined },
  { promised: 0, written: "", error: undefined },
  { promised: 4, written: "abc", error: 3n },
  { promised: 2, written: "abc", error: 3n },
];
for (const { promised, written, error } of LENGTHS) {
  test(`An OutgoingBody of ${written.length} bytes that promised ${promised} is ${error ? "broken off" : "finished"}`, () => {
    const body = new OutgoingBody("response", promised);
    const stream = body.write();
    assert.ok(stream);
    assert.equal(body.write(), undefined);
    try {
      if (written !== "") stream.write(first, bytes(written));
    } catch (thrown) {
      assert.ok(thrown instanceof IoError);
      assert.equal(stream.room(first), undefined);
    }
    stream[Symbol.dispose]();
    const code = body.finish(undefined);
    assert.equal(code?.val, error);
    assert.equal(code?.tag, error && "HTTP-response-body-size");
    assert.equal(body.pipe.whole === undefined, error !== undefined);
  });
}

test("An OutgoingBody holds 64 KiB, and has no room again until somebody reads", () => {
  const body = new OutgoingBody("response", undefined);
  const stream = body.write();
  assert.equal(stream?.room(first), 65_536);
  stream?.write(first, Buffer.alloc(65_536));
  assert.equal(stream?.room(first), 0);
  assert.equal(stream?.isReady(first), false);
  body.pipe.read(1);
  assert.equal(stream?.room(first), 1);
  body.pipe.cancel();
  assert.equal(stream?.room(first), undefined);
});

test("An OutgoingBody that is let go without its end is broken off", () => {
  const body = new OutgoingBody("response", undefined);
  body[Symbol.dispose]();
  assert.ok(body.pipe.error instanceof HttpFailure);
});

test("A content-length that is no number is no body", () => {
  const headers = Fields.empty();
  headers.append("content-length", "many");
  assert.equal(new OutgoingResponse(headers).body().tag, "err");
});

const URLS = [
  { parts: {}, url: "/" },
  { parts: { path: "/a?b" }, url: "/a?b" },
  { parts: { authority: "a.b" }, url: "https://a.b/" },
  { parts: { authority: "a.b:80", path: "?q", scheme: { tag: "HTTP" } }, url: "http://a.b:80/?q" },
  { parts: { authority: "[::1]:1", path: "/é", scheme: { tag: "other", val: "WS" } }, url: "ws://[::1]:1/é" },
] as const;
for (const { parts, url } of URLS) {
  test(`An OutgoingRequest of ${JSON.stringify(parts)} goes to ${url}`, () => {
    const request = new OutgoingRequest(Fields.empty());
    const { authority, path, scheme }: { authority?: string; path?: string; scheme?: never } = parts as never;
    for (const done of [
      request.setAuthority(authority),
      request.setPathWithQuery(path),
      request.setScheme(scheme),
    ]) {
      assert.equal(done.tag, "ok");
    }
    assert.equal(request.url, url);
  });
}

test("An OutgoingRequest refuses what HTTP cannot carry", () => {
  const request = new OutgoingRequest(Fields.empty());
  for (const authority of ["", "a b", "a/b", "a:70000", "a\r\n"]) {
    assert.equal(request.setAuthority(authority).tag, "err", authority);
  }
  for (const path of ["/ /", "/a\r\nb", "/#x"]) assert.equal(request.setPathWithQuery(path).tag, "err", path);
  assert.equal(request.setMethod({ tag: "other", val: "A B" }).tag, "err");
  assert.equal(request.setScheme({ tag: "other", val: "1a" }).tag, "err");
});

test("debugText() prints a code as Rust does", () => {
  assert.equal(debugText({ tag: "HTTP-request-denied" }), "ErrorCode::HttpRequestDenied");
  assert.equal(debugText({ tag: "DNS-error", val: {} }), "ErrorCode::DnsError");
});
