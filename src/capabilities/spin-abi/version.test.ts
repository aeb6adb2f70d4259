import assert from "node:assert/strict";
import { test } from "node:test";
import { SpindleError } from "../../errors/mod.ts";
import type { Json } from "../../manifest/mod.ts";
import { SpinAbi } from "./version.ts";

function declaring(spinAbi: Json): SpinAbi {
  return SpinAbi.of({ id: "api", tool: { spindle: { spin_abi: spinAbi } } });
}

const DECLARED = [
  { version: "0.1", expected: { generation: "A", uri: "path", params: "query" } },
  { version: "0.2", expected: { generation: "A", uri: "path-and-query", params: "query" } },
  { version: "0.4", expected: { generation: "B", uri: "path-and-query", params: "query" } },
  { version: "0.5", expected: { generation: "B", uri: "path-and-query", params: "empty" } },
];
for (const { version, expected } of DECLARED) {
  test(`SpinAbi.of() gives a component that declares ${version} what Spin ${version} gave`, () => {
    const abi = declaring(version);
    assert.deepEqual(abi.version, expected);
    assert.equal(abi.declared, expected.generation);
  });
}

for (const tool of [{}, { other: {} }, { spindle: {} }, { spindle: "text" }, { spindle: ["list"] }]) {
  test(`SpinAbi.of() assumes the last version if the tool table is ${JSON.stringify(tool)}`, () => {
    const abi = SpinAbi.of({ id: "api", tool });
    assert.deepEqual(abi.version, { generation: "B", uri: "path-and-query", params: "empty" });
    assert.deepEqual([abi.declared, abi.isKnown], [undefined, false]);
  });
}

for (const version of ["0.3.0", "", "1", 0.1, null, ["0.1"], "toString"]) {
  test(`SpinAbi.of() refuses spin_abi = ${JSON.stringify(version)}`, () => {
    assert.throws(
      () => declaring(version),
      (error) =>
        error instanceof SpindleError &&
        error.code === "SPIN_ABI_UNKNOWN" &&
        error.message === `Cannot choose the ABI of component "api": spin_abi is ${JSON.stringify(version)}`,
    );
  });
}

test("SpinAbi.learn() changes what an undeclared component gets", () => {
  const abi = SpinAbi.of({ id: "api", tool: {} });
  abi.learn("A");
  assert.deepEqual(abi.version, { generation: "A", uri: "path-and-query", params: "query" });
  abi.learn("B");
  assert.equal(abi.version.generation, "B");
});

test("SpinAbi.learn() changes nothing for a component that declares its version", () => {
  const abi = declaring("0.4");
  abi.learn("A");
  assert.equal(abi.version.generation, "B");
});
