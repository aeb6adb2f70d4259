import assert from "node:assert/strict";
import { test } from "node:test";
import { SpindleError } from "../../../errors/mod.ts";
import type { Json } from "../../../manifest/mod.ts";
import { parseExecutorOptions } from "./executor-options.ts";

function parse(executor: Json | undefined) {
  return parseExecutorOptions({ id: "t", options: executor === undefined ? {} : { executor } });
}

for (const executor of [undefined, { type: "http" }, { type: "spin" }]) {
  test(`parseExecutorOptions() takes ${JSON.stringify(executor)} as the Spin executor`, () => {
    assert.deepEqual(parse(executor), { type: "http" });
  });
}

test("parseExecutorOptions() fills in what Wagi needs", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax of argument patterns.
  const argv = "${SCRIPT_NAME} ${ARGS}";
  assert.deepEqual(parse({ type: "wagi" }), { type: "wagi", argv, entrypoint: "_start" });
  assert.deepEqual(parse({ type: "wagi", argv: "a b", entrypoint: "main" }), {
    type: "wagi",
    argv: "a b",
    entrypoint: "main",
  });
});

const REFUSED = [
  { executor: "wagi", message: /it is not a table/, hint: /type = "wagi"/ },
  { executor: [], message: /it is not a table/, hint: /type = "wagi"/ },
  { executor: {}, message: /it has no type/, hint: /type = "wagi"/ },
  { executor: { type: 1 }, message: /its type is 1/, hint: /Leave `executor` out/ },
  { executor: { type: "wagl" }, message: /its type is "wagl"/, hint: /Did you mean "wagi"/ },
  { executor: { type: "wasip3-unstable" }, message: /"wasip3-unstable"/, hint: /Leave `executor` out/ },
  { executor: { type: "wagi", entrypiont: "x" }, message: /unknown key "entrypiont"/, hint: /"entrypoint"/ },
  { executor: { type: "http", argv: "x" }, message: /unknown key "argv"/, hint: /^$/ },
  { executor: { type: "wagi", argv: ["x"] }, message: /its "argv" is not a string/, hint: /^$/ },
  { executor: { type: "wagi", entrypoint: false }, message: /its "entrypoint" is not a string/, hint: /^$/ },
] as const;
for (const { executor, message, hint } of REFUSED) {
  test(`parseExecutorOptions() refuses ${JSON.stringify(executor)}`, () => {
    assert.throws(
      () => parse(executor),
      (error) =>
        error instanceof SpindleError &&
        error.code === "EXECUTOR_INVALID" &&
        message.test(error.message) &&
        hint.test(error.diagnostics[0]?.hint ?? ""),
    );
  });
}
