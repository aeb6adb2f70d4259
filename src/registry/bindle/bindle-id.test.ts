import assert from "node:assert/strict";
import { test } from "node:test";

import { digestOfBindleId, formatBindleId, parseBindleId } from "./bindle-id.ts";

const accepted = [
  { text: "hello/1.2.3", because: "a name and a version suffice" },
  { text: "example.com/hello/1.2.3", because: "the version is after the last slash" },
  { text: "a/1.2.3-rc.1+q0f3a9c1", because: "versions may have a pre-release and build metadata" },
  { text: "café-🦀/0.0.0", because: "names may have any letters" },
  { text: "a/1.2.3/4.5.6", because: "a part of the name may look like a version" },
];
for (const { text, because } of accepted) {
  test(`parseBindleId() reads "${text}": ${because}`, () => {
    assert.equal(formatBindleId(parseBindleId(text)), text);
  });
}

test("parseBindleId() reads the URI form", () => {
  assert.deepEqual(parseBindleId("bindle:a/b/1.0.0"), { name: "a/b", version: "1.0.0" });
});

const refused = [
  { text: "", state: "it is not NAME/VERSION" },
  { text: "hello", state: "it is not NAME/VERSION" },
  { text: "/1.2.3", state: "it is not NAME/VERSION" },
  { text: "hello/", state: "it is not NAME/VERSION" },
  { text: "hello/1.2", state: '"1.2" is not a semantic version, such as 1.2.3' },
  { text: "hello/v1.2.3", state: '"v1.2.3" is not a semantic version, such as 1.2.3' },
  { text: "hello/01.2.3", state: '"01.2.3" is not a semantic version, such as 1.2.3' },
  { text: "hello/latest", state: '"latest" is not a semantic version, such as 1.2.3' },
  { text: "../hello/1.2.3", state: 'its name has a part ".."' },
  { text: "a//b/1.2.3", state: "its name has an empty part" },
  { text: "a b/1.2.3", state: 'its name contains " "' },
  { text: "a?b/1.2.3", state: 'its name contains "?"' },
  { text: "a@b/1.2.3", state: 'its name contains "@"' },
  { text: "a\0/1.2.3", state: 'its name contains "\\u0000"' },
  { text: `${"a".repeat(1025)}/1.2.3`, state: "its name is longer than 1024 characters" },
];
for (const { text, state } of refused) {
  test(`parseBindleId() refuses ${JSON.stringify(text.slice(0, 20))}: ${state}`, () => {
    assert.throws(() => parseBindleId(text), {
      code: "BINDLE_ID_INVALID",
      message: `Cannot read the bindle id "${text}": ${state}`,
    });
  });
}

test("digestOfBindleId() is what other implementations store a bindle under", () => {
  const digest = (text: string) => digestOfBindleId(parseBindleId(text));
  assert.equal(
    digest("example.com/baz/1.0.0"),
    "187e908f466500c76c13953c3191fafa869c277e2689f451e92d75cda32452df",
  );
  assert.equal(
    digest("example.com/hello/1.2.3"),
    "0f1ba929934343f12f9049c22ab53fa72d8cefbdf4e61b77253beee7c91b3657",
  );
});
