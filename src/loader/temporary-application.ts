// For tests: an application in a directory of its own, and its load.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { SpindleError } from "../errors/mod.ts";
import type { LoadedApplication } from "./assemble-application.ts";
import { type LoadOptions, loadApplication } from "./load-application.ts";

/** The smallest module, and the same in text. */
export const MODULE = Buffer.from("\0asm\x01\0\0\0", "latin1");
export const MODULE_TEXT = "(module)";

/** Files by their paths: content, or where a symbolic link leads. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

export interface TemporaryApplication extends Disposable {
  /** Absolute path of the directory. */
  readonly path: string;
  /** Loads it; by default from its directory. The working directory is `work` below it. */
  load(options?: Partial<LoadOptions>): Promise<LoadedApplication>;
  /** Loads it, and gives the codes and messages of what is wrong. */
  loadWrong(options?: Partial<LoadOptions>): Promise<readonly string[]>;
}

export function temporaryApplication(tree: Tree): TemporaryApplication {
  const outer = realpathSync(mkdtempSync(path.join(os.tmpdir(), "spindle-test-")));
  const root = path.join(outer, "app");
  const work = path.join(outer, "work");
  for (const directory of [root, work]) mkdirSync(directory);
  for (const [name, content] of Object.entries(tree)) write(path.join(root, name), content);
  const load = (options: Partial<LoadOptions> = {}): Promise<LoadedApplication> =>
    loadApplication({
      from: root,
      workingDirectory: work,
      directMounts: false,
      allowTransientWrite: false,
      cacheDirectory: path.join(outer, "cache"),
      signal: new AbortController().signal,
      progress: () => {},
      ...options,
    });
  return {
    path: root,
    load,
    loadWrong: async (options) => {
      const wrong: unknown = await load(options).catch((error: unknown) => error);
      if (!(wrong instanceof SpindleError)) throw wrong;
      return wrong.diagnostics.map(({ code, message }) => `${code}: ${message}`);
    },
    [Symbol.dispose]: () => rmSync(outer, { recursive: true, force: true }),
  };
}

/** A manifest with one component "app" that has these lines in its table. */
export function manifestOf(component: string): string {
  return `spin_manifest_version = 2
application = { name = "test" }
[[trigger.http]]
route = "/..."
component = "app"
[component.app]
${component}
`;
}

function write(file: string, content: Tree[string]): void {
  mkdirSync(path.dirname(file), { recursive: true });
  if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(file, content);
  else symlinkSync(content.link, file);
}
