// Makes what `npm pack` and `npm publish` pack: JavaScript in `dist/`, because Node strips no types below node_modules.
//
//     node scripts/pack.mjs build      compiles src/ to dist/
//     node scripts/pack.mjs prepare    the same, and points package.json to it (prepack)
//     node scripts/pack.mjs restore    puts package.json back as it was (postpack)
//
// npm packs the package.json that it finds after `prepare`; the other one waits in package.json.orig, which it never packs.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const steps = { build, prepare, restore };
const step = steps[process.argv[2]];
if (!step) throw new Error(`Unknown step "${process.argv[2]}": expected ${Object.keys(steps).join(", ")}`);
step();

function build() {
  rmSync("dist", { recursive: true, force: true });
  const { status } = spawnSync("npx", ["--no-install", "tsc", "-p", "tsconfig.build.json"], {
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(1);
}

function prepare() {
  restore();
  build();
  const text = readFileSync("package.json", "utf8");
  writeFileSync("package.json.orig", text);
  writeFileSync("package.json", `${JSON.stringify(published(JSON.parse(text)), undefined, 2)}\n`);
}

function restore() {
  if (existsSync("package.json.orig")) renameSync("package.json.orig", "package.json");
}

/** The manifest for those who install the package: compiled entry points, nothing for development. */
function published({ exports, scripts: _scripts, devDependencies: _devDependencies, ...rest }) {
  const compiled = Object.entries(exports).map(([name, source]) => {
    const file = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
    return [name, { types: `${file}.d.ts`, default: `${file}.js` }];
  });
  return { ...rest, exports: Object.fromEntries(compiled) };
}
