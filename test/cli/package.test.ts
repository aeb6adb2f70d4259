// The package as it is published: bundled JavaScript, which must do what the sources do.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, Workplace } from "./spindle-process.ts";

const MANIFEST = `
spin_manifest_version = 2
[application]
name = "packed"
version = "1.0.0"
[[trigger.http]]
route = "/spin/..."
component = "spin-b"
[[trigger.http]]
route = "/wagi"
component = "wagi"
executor = { type = "wagi" }
[component.spin-b]
source = "spin-b.wasm"
[component.wagi]
source = "wagi.wasm"
`;
const GUESTS = ["c/spin-b", "c/wagi"];

let folder = "";
const launcher = () => join(folder, "bin", "spindle.mjs");

before(() => {
  folder = mkdtempSync(join(tmpdir(), "spindle-package-"));
  execFileSync(process.execPath, [join(ROOT, "scripts/pack.mjs"), "install", folder]);
});

after(() => rmSync(folder, { recursive: true }));

test("the bundled command serves both kinds of guests, with several threads", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up(["--workers", "2"], { launcher: launcher() });
  assert.equal((await spindle.fetch("/spin/x")).status, 200);
  assert.equal((await spindle.fetch("/wagi")).status, 200);
  spindle.kill("SIGTERM");
  assert.equal((await spindle.ended()).code, 0);
});

test("the bundled command shows where a mistake in a manifest is", async () => {
  using place = new Workplace(MANIFEST.replace('"wagi" }', '"waggy" }'), GUESTS);
  await using spindle = place.spindle(["up"], { launcher: launcher() });
  const { code, stderr } = await spindle.ended();
  assert.equal(code, 1);
  assert.match(stderr, /spin\.toml:12:/);
});

test("the bundled command makes a bindle of an application, by what is loaded for that only", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  const target = join(place.temporary, "bindles");
  await using spindle = place.spindle(["bindle", "prepare", "-d", target], { launcher: launcher() });
  const { code, stdout, stderr } = await spindle.ended();
  assert.equal(code, 0, stdout + stderr);
});

test("the bundled command knows the version of the package", async () => {
  using place = new Workplace(MANIFEST);
  await using spindle = place.spindle(["--version"], { launcher: launcher() });
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  assert.equal((await spindle.ended()).stdout, `spindle ${version}\n`);
});

const DOORS = [
  "mod",
  "engine/mod",
  "manifest/mod",
  "loader/mod",
  "outbound/mod",
  "runtime/mod",
  "testing/mod",
];
for (const door of DOORS) {
  test(`the bundled library exports by ${door}.js what its source exports`, async () => {
    const bundled = await import(join(folder, "dist", `${door}.js`));
    const source = await import(join(ROOT, "src", `${door}.ts`));
    assert.deepEqual(Object.keys(bundled).sort(), Object.keys(source).sort());
  });
}

test("the bundle comes with the licences of the packages that are in it", () => {
  const licenses = readFileSync(join(folder, "dist", "LICENSES.txt"), "utf8");
  for (const name of ["commander", "smol-toml", "valibot"])
    assert.match(licenses, new RegExp(`^${name} \\d`, "m"));
});

test("README and docs/ link to nothing that the package leaves out", () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const docs = readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`);
  const broken = ["README.md", ...docs.filter((name) => name.endsWith(".md"))].flatMap((from) =>
    linksOf(from).filter(
      (to) => !["README.md", ...files].some((file) => to === file || to.startsWith(`${file}/`)),
    ),
  );
  assert.deepEqual(broken, []);
});

/** The files of the repository that a page links to, relative to its root. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  const targets = [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => join(dirname(page), target));
}
