// The compilers of the guests: where each may be found, and the version whose output is committed.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import wabt from "wabt";

export interface Tool {
  /** Paths or names to try, best first. */
  readonly candidates: readonly string[];
  readonly versionArguments: readonly string[];
  /** What the tool prints for the version that made the committed files. */
  readonly version: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What to type on Debian 12 to have it. */
  readonly howToInstall: string;
}

export type Found =
  | { readonly kind: "found"; readonly run: (args: readonly string[], folder: string) => Promise<void> }
  | { readonly kind: "missing"; readonly reason: string };

const GUESTS = import.meta.dirname;

/** The compilers by the first word of a guest's command. */
export function compilers(options: { readonly debianRoot: string }): Readonly<Record<string, Tool>> {
  return {
    clang: {
      candidates: ["clang-14", "clang"],
      versionArguments: ["--version"],
      version: "clang version 14.0.6",
      howToInstall: "apt-get install --no-install-recommends clang lld wasi-libc libclang-rt-dev-wasm32",
    },
    rustc: {
      candidates: ["/usr/bin/rustc", "rustc"],
      versionArguments: ["--version"],
      version: "rustc 1.63.0",
      howToInstall: "apt-get install --no-install-recommends rustc libstd-rust-dev-wasm32 lld",
    },
    "rustc-wasip2": {
      candidates: ["rustc-wasip2"],
      versionArguments: ["--version"],
      version: "rustc 1.97.1 (8bab26f4f 2026-07-14) (built from a source tarball)",
      howToInstall:
        "a script of that name that runs rustc of Debian sid and wasm-component-ld; see README.md",
    },
    go: {
      candidates: [join(options.debianRoot, "usr/lib/go-1.24/bin/go"), "/usr/lib/go-1.24/bin/go", "go"],
      versionArguments: ["version"],
      version: "go1.24.4",
      environment: { GOOS: "wasip1", GOARCH: "wasm", GOTOOLCHAIN: "local", GOPROXY: "off", GOFLAGS: "" },
      howToInstall: `guests/debian-root.sh trixie ${options.debianRoot} golang-1.24-go golang-1.24-src`,
    },
    "wasm-tools": {
      candidates: ["wasm-tools"],
      versionArguments: ["--version"],
      version: "wasm-tools 1.263.0",
      howToInstall: "cargo install --locked wasm-tools --version 1.263.0",
    },
    asc: {
      candidates: [join(GUESTS, "assemblyscript/node_modules/.bin/asc")],
      versionArguments: ["--version"],
      version: "Version 0.28.20",
      howToInstall: "npm ci --prefix guests/assemblyscript",
    },
  };
}

/** Finds the tool in the version that is wanted, or says what stands in the way. */
export function find(tool: Tool): Found {
  const others: string[] = [];
  for (const path of tool.candidates) {
    const printed = versionOf(path, tool);
    if (printed?.includes(tool.version)) return { kind: "found", run: runner(path, tool) };
    if (printed !== undefined) others.push(`${path} is ${printed.split("\n")[0]}`);
  }
  const found = others.length > 0 ? others.join(", ") : "not found";
  return { kind: "missing", reason: `needs ${tool.version}, ${found}; try: ${tool.howToInstall}` };
}

function versionOf(path: string, tool: Tool): string | undefined {
  if (path.includes("/") && !existsSync(path)) return undefined;
  try {
    return execFileSync(path, tool.versionArguments, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    // Not in PATH, or broken: for the caller it is not there.
    return undefined;
  }
}

function runner(path: string, tool: Tool): (args: readonly string[], folder: string) => Promise<void> {
  const environment = { ...process.env, PATH: systemPath(), ...tool.environment };
  return async (args, folder) => {
    execFileSync(path, args, { cwd: folder, env: environment, stdio: ["ignore", "inherit", "inherit"] });
  };
}

/** Without what npm adds for scripts: clang runs any `wasm-opt` that it finds, and then makes another guest. */
function systemPath(): string {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.filter((folder) => !folder.endsWith(join("node_modules", ".bin"))).join(delimiter);
}

const WAT_FEATURES = {
  bulk_memory: true,
  exceptions: true,
  memory64: true,
  multi_memory: true,
  mutable_globals: true,
  reference_types: true,
  simd: true,
  tail_call: true,
  threads: true,
};

/** `wat2wasm FILE.wat -o OUT`, done by the npm package `wabt`, which is always there. */
export const wat2wasm: Found & { kind: "found" } = {
  kind: "found",
  run: async ([source = "", , output = ""], folder) => {
    const { parseWat } = await wabt();
    const path = join(folder, source);
    const module = parseWat(path, await readFile(path, "utf8"), WAT_FEATURES);
    module.resolveNames();
    await writeFile(output, module.toBinary({ write_debug_names: true }).buffer);
    module.destroy();
  },
};
