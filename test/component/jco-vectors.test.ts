// Values come out of components as they come out of jco's, which `npm run suite:jco` has recorded.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { describeType } from "../../src/component/mod.ts";
import { Engine } from "../../src/engine/mod.ts";
import { Forwarding } from "./forward.ts";
import { writeForwarder } from "./forwarder.ts";
import { VALUE_CASES } from "./value-cases.ts";
import { fromJson, toJson } from "./value-text.ts";

interface Vector {
  /** Index in VALUE_CASES. */
  readonly case: number;
  readonly sent: unknown;
  readonly seen: unknown;
  readonly returned: unknown;
}

const engine = new Engine();
after(() => engine[Symbol.dispose]());
const lines = readFileSync(join(import.meta.dirname, "jco-vectors.jsonl"), "utf8")
  .trim()
  .split("\n");
// Written by the suite.
const vectors = lines.map((line) => JSON.parse(line) as Vector);
const types = VALUE_CASES.map(({ type }) => type);
const forwarding = await Forwarding.create(engine, await writeForwarder(types), types);
after(() => forwarding[Symbol.dispose]());

for (const [index, type] of types.entries()) {
  test(`${describeType(type)} (${index}): values come out as they come out of jco's`, async () => {
    for (const { case: number, sent, ...expected } of vectors) {
      if (number !== index) continue;
      const { seen, returned } = await forwarding.send(index, fromJson(sent));
      assert.deepEqual({ seen: toJson(seen), returned: toJson(returned) }, expected);
    }
  });
}
