import assert from "node:assert/strict";
import { test } from "node:test";
import { CanonicalError } from "./canonical-error.ts";
import { mayCall } from "./reentrance.ts";
import { TestSlot } from "./test-slot.ts";

/** 0 made 1 and 2, and 1 made 3; 4 is of another component, which the host has made too. */
const PARENTS = [undefined, 0, 0, 1, undefined];

const cases = [
  { caller: 0, callee: 0, may: false, because: "it is itself" },
  { caller: 0, callee: 1, may: false, because: "it made it" },
  { caller: 0, callee: 3, may: false, because: "it made what made it" },
  { caller: 1, callee: 0, may: false, because: "it was made by it" },
  { caller: 3, callee: 0, may: false, because: "it was made by what it has made" },
  { caller: 1, callee: 2, may: true, because: "one instance has made both" },
  { caller: 3, callee: 2, may: true, because: "neither is within the other" },
  { caller: 4, callee: 3, may: true, because: "they have nothing to do with each other" },
];
for (const { caller, callee, may, because } of cases) {
  test(`instance ${caller} may ${may ? "" : "not "}call instance ${callee}: ${because}`, () => {
    assert.equal(mayCall({ parents: PARENTS }, { caller, callee }), may);
  });
}

const options = { stringEncoding: "utf8" } as const;
const type = { params: [] };

async function pair(parents: readonly (number | undefined)[]): Promise<TestSlot> {
  return TestSlot.make({
    texts: [`(module (func (export "f")) (func (export "let go") (param i32)))`],
    lifted: [{ core: { instance: 0, name: "f" }, type, options, componentInstance: 1 }],
    lowered: [{ callee: { kind: "lifted", index: 0 }, type, options, componentInstance: 0 }],
    componentInstances: 2,
    parents,
  });
}

const refused = (error: unknown) =>
  error instanceof CanonicalError && error.message === "cannot enter component instance";

test("a call of what an instance has made traps, and one of its sibling does not", async () => {
  assert.equal((await pair([undefined, undefined])).lowered(0)(), undefined);
  const slot = await pair([undefined, 0]);
  assert.throws(() => slot.lowered(0)(), refused);
});

test("an allocator that calls another instance traps as one that calls, whether it may enter or not", async () => {
  const slot = await pair([undefined, 0]);
  slot.state.instance(0).mayLeave = false;
  assert.throws(() => slot.lowered(0)(), /cannot leave component instance/);
});

for (const parent of [undefined, 0]) {
  test(`a resource is dropped by an instance that ${parent === undefined ? "is a sibling of" : "made"} its owner ${parent === undefined ? "and let go" : ", which traps"}`, async () => {
    const { state } = await pair([undefined, parent]);
    const destructor = { instance: 0, name: "let go" };
    const resource = { kind: "defined", name: "r", owner: 1, destructor } as const;
    const drop = () => state.destroy(resource, 7, state.instance(0));
    if (parent === undefined) assert.equal(drop(), undefined);
    else assert.throws(drop, refused);
  });
}
