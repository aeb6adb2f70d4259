import assert from "node:assert/strict";
import { test } from "node:test";

import { SpindleError } from "../../errors/mod.ts";
import type { Application, Json } from "../../manifest/mod.ts";
import { readHttpTriggers } from "./http-triggers.ts";

function replyOf(static_response: Record<string, Json>) {
  const application: Application = {
    metadata: { name: "a", version: "", description: "", authors: [], origin: "spin.toml" },
    variables: {},
    triggerDefaults: {},
    triggers: [{ id: "t", type: "http", options: { route: "/", static_response } }],
    components: [],
  };
  return readHttpTriggers(application)[0]?.staticReply;
}

const headers = { "Content-Length": "3", "x-a": "b" };

for (const status_code of [204, 304]) {
  test(`readHttpTriggers() leaves out the body of a static response with the status ${status_code}`, () => {
    const reply = replyOf({ status_code, headers, body: "tea" });
    assert.deepEqual(reply, { status: status_code, headers: ["x-a", "b"], body: undefined });
  });
}

test("readHttpTriggers() keeps the body of any other static response", () => {
  const reply = replyOf({ status_code: 205, headers, body: "é" });
  assert.deepEqual(reply?.headers, ["Content-Length", "3", "x-a", "b"]);
  assert.deepEqual(reply?.body, Buffer.from("é"));
});

test("readHttpTriggers() refuses a status that cannot be sent", () => {
  for (const status_code of [200, 999]) assert.equal(replyOf({ status_code })?.status, status_code);
  for (const status_code of [101, 199, 1000, 200.5]) {
    assert.throws(
      () => replyOf({ status_code }),
      (error) => error instanceof SpindleError && error.code === "HTTP_TRIGGER_INVALID",
    );
  }
});
