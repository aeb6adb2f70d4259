import assert from "node:assert/strict";
import { test } from "node:test";
import { findOnTrack, trackOf } from "./interface-name.ts";

const tracks = [
  { name: "wasi:io/streams@0.2.3", track: "0.2", because: "below 1.0, minor versions are incompatible" },
  { name: "spin:postgres/postgres@4.2.0", track: "4", because: "from 1.0 on, only major versions are" },
  { name: "a:b/c@0.0.7", track: "0.0.7", because: "below 0.1, every version is" },
  { name: "wasi:http/types@0.2.0-rc-2023-11-10", track: "0.2.0-rc-2023-11-10", because: "it is a draft" },
  { name: "fermyon:spin/redis", track: "", because: "it has no version" },
];

for (const { name, track, because } of tracks) {
  test(`trackOf() puts ${name} on track "${track}": ${because}`, () => {
    const [plain = "", version] = name.split("@");
    assert.deepEqual(trackOf(name), { name: plain, track, version });
  });
}

const OFFERED = [
  "wasi:io/poll@0.2.0-rc-2023-10-18",
  "wasi:io/poll@0.2.0-rc-2023-11-10",
  "wasi:io/poll@0.2.9",
  "wasi:io/poll@0.2.12",
  "wasi:io/poll@0.2.10",
  "wasi:io/streams@0.2.12",
  "fermyon:spin/redis",
];

const wanted = [
  { name: "wasi:io/poll@0.2.0", served: "wasi:io/poll@0.2.12" },
  { name: "wasi:io/poll@0.2.99", served: "wasi:io/poll@0.2.12" },
  { name: "wasi:io/poll@0.3.0", served: undefined },
  { name: "wasi:io/poll@0.2.0-rc-2023-10-18", served: "wasi:io/poll@0.2.0-rc-2023-10-18" },
  { name: "wasi:io/poll@0.2.0-rc-2023-12-05", served: undefined },
  { name: "wasi:io/poll", served: undefined },
  { name: "fermyon:spin/redis", served: "fermyon:spin/redis" },
  { name: "wasi:io/poll@latest", served: undefined },
];

for (const { name, served } of wanted) {
  test(`findOnTrack() serves ${name} by ${served ?? "nothing"}`, () => {
    assert.equal(findOnTrack(name, OFFERED), served);
  });
}
