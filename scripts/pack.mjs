// Makes what `npm pack` and `npm publish` pack: JavaScript in `dist/`, because Node strips no types below node_modules.
//
//     node scripts/pack.mjs bundle [DIR]   bundles src/ to DIR, which is dist/ by default
//     node scripts/pack.mjs build          the same, and declares the types
//     node scripts/pack.mjs install DIR    makes DIR what an installed package is, but for its types and dependencies
//     node scripts/pack.mjs prepare        the same, and points package.json to it (prepack)
//     node scripts/pack.mjs restore        puts package.json back as it was (postpack)
//
// Node takes about half a millisecond for each file that it imports, which for our three hundred is more than all else
// that happens before the first answer. So modules are bundled, together with the packages that they use, into chunks
// that are loaded when they are needed.
//
// npm packs the package.json that it finds after `prepare`; the other one waits in package.json.orig, which it never packs.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

/** Files of src/ that are started by their own name, beside the public entry points. */
const PROGRAMS = ["src/cli/main.ts", "src/cli/workers/thread.ts"];
/** Packages that are left out of the bundle: they are large, and hardly ever needed. */
const EXTERNAL = ["toml-eslint-parser", "wabt"];

const steps = { bundle, build, install, prepare, restore };
const [name, ...args] = process.argv.slice(2);
const step = steps[name];
if (!step) throw new Error(`Unknown step "${name}": expected ${Object.keys(steps).join(", ")}`);
await step(...args);

async function build() {
  rmSync("dist", { recursive: true, force: true });
  await bundle("dist");
  const { status } = spawnSync("npx", ["--no-install", "tsc", "-p", "tsconfig.build.json"], {
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(1);
}

async function bundle(dist = "dist") {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const library = await rollUp(Object.values(exports), { dir: dist });
  const atStart = await modulesOf("src/cli/main.ts");
  const toServe = await modulesOf("src/cli/up/up.ts");
  const forComponents = await modulesOf(
    "src/runtime/components.ts",
    "src/trigger/http/executors/component-executor.ts",
  );
  const output = {
    dir: dist,
    // As deep as the files of src/cli, which look for package.json above them.
    chunkFileNames: "cli/[name]-[hash].js",
    codeSplitting: {
      // What is needed in several of them is in the first.
      groups: [
        { name: "start", test: (id) => atStart.has(id), priority: 3 },
        { name: "up", test: (id) => toServe.has(id), priority: 2 },
        { name: "components", test: (id) => forComponents.has(id), priority: 1 },
      ],
      // What the command line needs too stays with it.
      includeDependenciesRecursively: false,
    },
  };
  const programs = await rollUp(PROGRAMS, output, { preserveEntrySignatures: "allow-extension" });
  const files = [...library, ...programs].flatMap(({ moduleIds = [] }) => moduleIds);
  const packages = new Set(files.flatMap((file) => packageOf(file) ?? []));
  writeFileSync(`${dist}/LICENSES.txt`, [...packages].sort().map(licenseOf).join("\n\n"));
}

/** The modules that are loaded with these files: not those that they load later. */
async function modulesOf(...files) {
  const output = await rollUp(files, {}, { write: false });
  const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const modules = new Set();
  const visit = (name) => {
    const chunk = chunks.get(name);
    chunks.delete(name);
    for (const id of chunk?.moduleIds ?? []) modules.add(id);
    for (const imported of chunk?.imports ?? []) visit(imported);
  };
  for (const { fileName, isEntry } of output) if (isEntry) visit(fileName);
  return modules;
}

/** Library and programs are rolled up apart: a door that embedders may use keeps together all that is behind it. */
async function rollUp(files, output, options = {}) {
  const { build } = await import("rolldown");
  const result = await build({
    input: Object.fromEntries(files.map((file) => [/src\/(.+)\.ts$/.exec(file)[1], file])),
    platform: "node",
    external: EXTERNAL,
    treeshake: { moduleSideEffects: false },
    plugins: [await fixedRewriterVersion(), lazyBuiltins(), lazyFunctions(), ascii()],
    output: { entryFileNames: "[name].js", minify: { compress: false, mangle: false }, ...output },
    ...options,
  });
  return result.output;
}

/** The rewriter's version is a digest of its sources, which a bundle does not have. */
async function fixedRewriterVersion() {
  const { rewriterVersion } = await import("../src/wasm/mod.ts");
  const code = `export const rewriterVersion = () => ${JSON.stringify(rewriterVersion())};`;
  return {
    name: "rewriter-version",
    load: (id) => (/[/\\]rewriter-version\.ts$/.test(id) ? code : undefined),
  };
}

/**
 * Takes the builtin modules of Node without importing them: an import reads every export, and some load others when
 * they are read. `node:http` alone would bring an HTTP client and a WebSocket, which takes longer than the start of Node.
 * A default export is not even loaded until it is used, nor is a function until it is called.
 */
function lazyBuiltins() {
  return {
    name: "lazy-builtins",
    resolveId(id) {
      if (id.startsWith("\0node:")) return id;
      return isBuiltin(id) ? `\0${id.replace(/^(?!node:)/, "node:")}` : undefined;
    },
    load: (id) => (id.startsWith("\0node:") ? codeOfBuiltin(id) : undefined),
  };
}

/** A module for the default export, one for the others, and one that has both, so that none needs what it does not use. */
function codeOfBuiltin(id) {
  const [, name, part] = /^\0(node:[\w/]+)(?:\?(.+))?$/.exec(id);
  const builtin = `process.getBuiltinModule("${name}")`;
  switch (part) {
    case "default": {
      // What is called or extended has to be there at once.
      const isCallable = typeof process.getBuiltinModule(name) === "function";
      return `export default ${isCallable ? builtin : `new Proxy({}, { get: (_, key) => ${builtin}[key] })`};`;
    }
    case "named": {
      const all = process.getBuiltinModule(name);
      const keys = Object.keys(all).filter((key) => /^[a-z]\w*$/i.test(key));
      const lines = keys.map((key) => {
        const how = isMereFunction(key, all[key]) ? "later" : "take";
        return `const _${key} = /* @__PURE__ */ ${how}("${key}");`;
      });
      const exported = keys.map((key) => `_${key} as ${key}`);
      return `const take = (key) => ${builtin}[key];
        const later = (key) => { let fn; return (...args) => (fn ??= take(key))(...args); };
        ${lines.join("\n")}
        export { ${exported.join(", ")} };`;
    }
    default:
      return `export { default } from "\0${name}?default"; export * from "\0${name}?named";`;
  }
}

/** A function that can as well be called through another: no class, and nothing hangs on it. */
function isMereFunction(name, value) {
  if (typeof value !== "function" || /^[A-Z]/.test(name)) return false;
  return Reflect.ownKeys(value).every((key) => ["length", "name", "prototype"].includes(key));
}

/** Functions of packages that few manifests need, and whose modules do a lot when they are loaded. */
function lazyFunctions() {
  const { resolve } = createRequire(import.meta.url);
  return {
    name: "lazy-functions",
    resolveId: (id, importer) =>
      /^semver\/./.test(id) && !importer.startsWith("\0") ? `\0lazy:${resolve(id)}` : undefined,
    load(id) {
      if (!id.startsWith("\0lazy:")) return undefined;
      return `export default (...args) => require(${JSON.stringify(id.slice("\0lazy:".length))})(...args);`;
    },
  };
}

/** One character beyond ASCII makes V8 keep all of a source in twice the bytes, and take longer to read it. */
function ascii() {
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return {
    name: "ascii",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk") file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
      }
    },
  };
}

/** The folder of the package that a file belongs to; undefined for our own. */
function packageOf(file) {
  return /^[^\0]*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** Licences want their text to go with every copy. */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(`${folder}/${file}`, "utf8").trim() : license;
  return `${name} ${version}\n${"=".repeat(name.length + version.length + 1)}\n\n${text}\n`;
}

/** For tests and benchmarks: the packages that it needs are those that are installed here. */
async function install(dir) {
  await bundle(join(dir, "dist"));
  cpSync("bin", join(dir, "bin"), { recursive: true });
  writeFileSync(join(dir, "package.json"), published(readFileSync("package.json", "utf8")));
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
}

async function prepare() {
  restore();
  await build();
  const text = readFileSync("package.json", "utf8");
  writeFileSync("package.json.orig", text);
  writeFileSync("package.json", published(text));
}

function restore() {
  if (existsSync("package.json.orig")) renameSync("package.json.orig", "package.json");
}

/** The manifest for those who install the package: compiled entry points, nothing for development. */
function published(text) {
  const {
    exports,
    imports,
    scripts: _scripts,
    devDependencies: _devDependencies,
    ...rest
  } = JSON.parse(text);
  const bundled = (source) => source.replace("./src/", "./dist/").replace(/\.ts$/, "");
  const entries = Object.entries(exports).map(([name, source]) => {
    const file = bundled(source);
    return [name, { types: `${file}.d.ts`, default: `${file}.js` }];
  });
  const programs = Object.entries(imports).map(([name, source]) => [name, `${bundled(source)}.js`]);
  const manifest = { ...rest, exports: Object.fromEntries(entries), imports: Object.fromEntries(programs) };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
