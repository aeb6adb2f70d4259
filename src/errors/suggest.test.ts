import assert from "node:assert/strict";
import { test } from "node:test";

import { closestName, didYouMean } from "./suggest.ts";

const FIELDS = ["source", "files", "environment", "allowed_outbound_hosts"];
const cases = [
  { name: "sorce", meant: "source", because: "a letter is missing" },
  { name: "suorce", meant: "source", because: "two neighbours are swapped" },
  { name: "Source", meant: "source", because: "case is no difference" },
  { name: "file", meant: "files", because: "the shortest names may have one slip" },
  { name: "enviroment", meant: "environment", because: "a letter is missing" },
  {
    name: "allowed_outbond_host",
    meant: "allowed_outbound_hosts",
    because: "long names may have several slips",
  },
  { name: "sauce", meant: undefined, because: "half of it differs" },
  { name: "build", meant: undefined, because: "nothing is like it" },
  { name: "", meant: undefined, because: "nothing was typed" },
  { name: "source".repeat(100_000), meant: undefined, because: "nobody types that" },
];

for (const { name, meant, because } of cases) {
  test(`closestName() takes "${name.slice(0, 30)}" for ${meant ?? "nothing"}: ${because}`, () => {
    assert.equal(closestName(name, FIELDS), meant);
  });
}

test("didYouMean() asks, or says nothing", () => {
  assert.equal(didYouMean("fils", FIELDS), 'Did you mean "files"?');
  assert.equal(didYouMean("zzz", FIELDS), undefined);
});
