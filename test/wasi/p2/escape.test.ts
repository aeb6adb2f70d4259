// What leads out of a mount, for every function of wasi:filesystem that takes a path: nothing outside is read,
// changed, or can be told to be there.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { test } from "node:test";
import { mount } from "../abi-guest.ts";
import { TemporaryFolder } from "../temporary.ts";
import { InterfaceGuest, NOVEMBER, OCTOBER, type Outcome } from "./interface-guest.ts";

const FS = "filesystem/types#[method]descriptor.";
const FOLLOW = { symlinkFollow: true };
const STAY = { symlinkFollow: false };
const NOW = { tag: "now" };
const WRITABLE = { read: true, write: true, mutateDirectory: true };

const FILES = { "outside/secret": "OUTSIDE", "inside/file": "inside", "inside/dir/file": "in dir" };
const LINKS = {
  absolute: "/etc/passwd",
  "relative-dir": "../outside",
  up: "..",
  dots: "dir/../..",
  dangling: "../outside/new",
};

const OUTSIDE = [
  "..",
  "../outside/secret",
  "../outside/missing",
  "dir/../../outside/secret",
  "/etc/passwd",
  "//etc/passwd",
  "relative-dir/secret",
  "relative-dir/missing",
  "relative-dir/../secret",
  "up/outside/secret",
  "up/../etc/passwd",
  "dots/outside/secret",
];
/** Links that lead out themselves, where they are followed. */
const FOLLOWED = ["absolute", "dangling", "up"];

type Root = object;

/** Functions by name: the arguments behind the descriptor. */
const FUNCTIONS: Readonly<Record<string, (root: Root, path: string) => readonly unknown[]>> = {
  "open-at": (_root, path) => [FOLLOW, path, {}, { read: true }],
  "open-at, to create": (_root, path) => [FOLLOW, path, { create: true }, WRITABLE],
  "open-at, a directory": (_root, path) => [FOLLOW, path, { directory: true }, WRITABLE],
  "stat-at": (_root, path) => [FOLLOW, path],
  "metadata-hash-at": (_root, path) => [FOLLOW, path],
  "set-times-at": (_root, path) => [FOLLOW, path, NOW, NOW],
};
const UNFOLLOWING: typeof FUNCTIONS = {
  "create-directory-at": (_root, path) => [path],
  "remove-directory-at": (_root, path) => [path],
  "unlink-file-at": (_root, path) => [path],
  "readlink-at": (_root, path) => [path],
  "rename-at": (root, path) => [path, root, "new"],
  "rename-at, to": (root, path) => ["file", root, path],
  "link-at": (root, path) => [STAY, path, root, "new"],
  "link-at, to": (root, path) => [STAY, "file", root, path],
  "symlink-at": (_root, path) => ["file", path],
};

const KINDS = {
  "live, by descriptors": { kind: "live", access: "write", traversal: "descriptors" },
  "live, by paths": { kind: "live", access: "write", traversal: "paths" },
  snapshot: { kind: "snapshot", access: "read" },
} as const;

for (const [name, kind] of Object.entries(KINDS)) {
  for (const [what, args] of Object.entries({ ...FUNCTIONS, ...UNFOLLOWING })) {
    test(`${what} does not lead out of a mount (${name})`, async () => {
      using owned = new DisposableStack();
      const folder = owned.use(new TemporaryFolder(FILES));
      for (const [link, target] of Object.entries(LINKS)) symlinkSync(target, folder.join(`inside/${link}`));
      const guest = owned.use(
        new InterfaceGuest({ mounts: [await mount(owned, folder.join("inside"), kind)] }),
      );
      const [first] = guest.call<[Root, string][]>("filesystem/preopens#get-directories");
      const [root] = first ?? assert.fail();
      const fn = `${FS}${what.split(",")[0]}`;
      const codes = new Set<unknown>();
      for (const path of what in FUNCTIONS ? [...OUTSIDE, ...FOLLOWED] : OUTSIDE) {
        const outcome = await guest.call<Outcome<unknown>>(fn, root, ...args(root, path));
        assert.equal(outcome.tag, "err", path);
        codes.add(outcome.val);
      }
      // One answer for what is there and what is not.
      assert.deepEqual([...codes], ["not-permitted"]);
      assert.deepEqual(readdirSync(folder.join("outside")), ["secret"]);
      assert.equal(readFileSync(folder.join("outside/secret"), "utf8"), "OUTSIDE");
    });
  }
}

for (const version of [NOVEMBER, OCTOBER]) {
  test(`the draft ${version} does not lead out of a mount`, async () => {
    using owned = new DisposableStack();
    const folder = owned.use(new TemporaryFolder(FILES));
    const mounted = await mount(owned, folder.join("inside"), { kind: "live", access: "write" });
    const guest = owned.use(new InterfaceGuest({ version, mounts: [mounted] }));
    const [first] = guest.call<[Root, string][]>("filesystem/preopens#get-directories");
    for (const path of ["..", "../outside/secret", "dir/../../outside/secret", "/etc/passwd"]) {
      assert.equal(await guest.errLater(`${FS}stat-at`, first?.[0], FOLLOW, path), "not-permitted", path);
    }
  });
}
