import assert from "node:assert/strict";
import { test } from "node:test";
import { TrapError } from "../../engine/mod.ts";
import { SpindleError } from "../../errors/mod.ts";
import type { HttpRequest } from "./executor.ts";
import { GuestReplyError } from "./executors/reply-headers.ts";
import { describeFailure } from "./failure.ts";

function requestFor(target: string): HttpRequest {
  return {
    method: "GET",
    target,
    path: target,
    query: undefined,
    authority: "a",
    scheme: "http",
    httpVersion: "1.1",
    rawHeaders: [],
    clientAddress: "127.0.0.1:1",
    signal: new AbortController().signal,
  };
}

const REQUEST = requestFor("/a?b");
const ended = new TrapError("it ran for 30 s", {
  reason: "deadline",
  componentId: "api",
  exportName: "_start",
  backtrace: [],
});

const failures = [
  { error: ended, says: 'Component "api" was ended (deadline) in `_start`: it ran for 30 s' },
  { error: new SpindleError("INTERNAL", "The operator erred"), says: "The operator erred" },
  {
    error: new GuestReplyError("api", "answered with status 9"),
    says: 'Component "api" answered with status 9',
  },
  { error: "a text", says: "a text" },
];

for (const { error, says } of failures) {
  test(`describeFailure() says ${says}`, () => {
    assert.equal(describeFailure(REQUEST, error), `Request GET /a?b failed: ${says}`);
  });
}

test("describeFailure() cuts a target that would flood the log", () => {
  const message = describeFailure(requestFor(`/${"x".repeat(60_000)}`), "why");
  assert.equal(message, `Request GET /${"x".repeat(199)}... failed: why`);
});
