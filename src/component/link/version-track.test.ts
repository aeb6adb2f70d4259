import assert from "node:assert/strict";
import { test } from "node:test";
import { versionTrack } from "./version-track.ts";

const cases = [
  { name: "wasi:io/streams@0.2.6", track: "wasi:io/streams@0.2" },
  { name: "a:b/c@1.20.3", track: "a:b/c@1" },
  { name: "a:b/c@0.0.3", track: "a:b/c@0.0.3" },
  { name: "wasi:http/types@0.2.0-rc-2023-11-10", track: "wasi:http/types@0.2.0-rc-2023-11-10" },
  { name: "fermyon:spin/key-value", track: "fermyon:spin/key-value" },
];

for (const { name, track } of cases) {
  test(`versionTrack() of ${name} is ${track}`, () => {
    assert.equal(versionTrack(name), track);
  });
}
