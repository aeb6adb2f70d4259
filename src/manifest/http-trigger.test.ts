import assert from "node:assert/strict";
import { test } from "node:test";

import { SpindleError } from "../errors/mod.ts";
import { readHttpTriggerOptions } from "./http-trigger.ts";

test("readHttpTriggerOptions() gives options of any origin their type", () => {
  const executor = { type: "wagi", argv: "a b" } as const;
  const options = { route: "/x/...", executor, static_response: { status_code: 204 } };
  assert.deepEqual(readHttpTriggerOptions({ id: "t", options }), options);
});

test("readHttpTriggerOptions() names the trigger in all that it finds", () => {
  const options = { route: "/a/*b", executor: { type: "wag" }, more: 1 };
  assert.throws(
    () => readHttpTriggerOptions({ id: "t", options }),
    (error) =>
      error instanceof SpindleError &&
      error.diagnostics.length === 3 &&
      error.diagnostics.every(({ message }) => message.endsWith('(trigger "t")')),
  );
});

test("readHttpTriggerOptions() takes the statuses that can be sent: 200 to 999", () => {
  const read = (status_code: number) =>
    readHttpTriggerOptions({ id: "t", options: { route: "/", static_response: { status_code } } });
  for (const status of [200, 204, 999]) read(status);
  for (const status of [100, 101, 199, 1000, 200.5]) {
    assert.throws(
      () => read(status),
      (error) => error instanceof SpindleError && error.code === "MANIFEST_VALUE",
    );
  }
});
