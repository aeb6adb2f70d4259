// Where an application is, from what the user typed: a manifest, a directory with one, or a module.

import { open, stat } from "node:fs/promises";
import path from "node:path";

import { SpindleError } from "../errors/mod.ts";

export type ApplicationPlace =
  | { readonly kind: "manifest"; readonly path: string }
  /** A WebAssembly binary or text, to be served by itself. */
  | { readonly kind: "module"; readonly path: string };

const MANIFEST_NAME = "spin.toml";
const CHOOSE_HINT = "Run `spindle up --from <APPLICATION>`, or `spindle up --help` for usage.";

/** Finds the application; without `from`, the manifest in the current directory or the nearest one above. */
export async function findApplication(
  from: string | undefined,
  currentDirectory: string = process.cwd(),
): Promise<ApplicationPlace> {
  return from === undefined
    ? await findUpwards(currentDirectory)
    : await findAt(from, path.resolve(currentDirectory, from));
}

async function findUpwards(start: string): Promise<ApplicationPlace> {
  for (let directory = start; ; directory = path.dirname(directory)) {
    const candidate = path.join(directory, MANIFEST_NAME);
    if ((await kindOf(candidate)) === "file") return { kind: "manifest", path: candidate };
    if (directory === path.dirname(directory)) break;
  }
  const message = `Cannot find an application: there is no ${MANIFEST_NAME} in ${start}, nor above it`;
  throw new SpindleError("APPLICATION_NOT_FOUND", message, { hint: CHOOSE_HINT });
}

async function findAt(from: string, absolute: string): Promise<ApplicationPlace> {
  switch (await kindOf(absolute)) {
    case "file":
      return { kind: (await isModule(absolute)) ? "module" : "manifest", path: absolute };
    case "directory": {
      const manifest = path.join(absolute, MANIFEST_NAME);
      if ((await kindOf(manifest)) === "file") return { kind: "manifest", path: manifest };
      throw notFound(`Cannot load "${from}": the directory has no ${MANIFEST_NAME}`);
    }
    case "nothing":
      if (looksLikeReference(from)) {
        const message = `Cannot load "${from}": there is no such file, and registries are not supported by this version`;
        throw new SpindleError("APPLICATION_UNSUPPORTED", message, { hint: CHOOSE_HINT });
      }
      throw notFound(`Cannot load "${from}": there is no such file or directory`);
  }
}

function notFound(message: string): SpindleError {
  return new SpindleError("APPLICATION_NOT_FOUND", message, { hint: CHOOSE_HINT });
}

async function kindOf(file: string): Promise<"file" | "directory" | "nothing"> {
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isDirectory()) return "directory";
  // Pipes and devices are nothing that paths could be relative to.
  return stats?.isFile() ? "file" : "nothing";
}

async function isModule(file: string): Promise<boolean> {
  if ([".wasm", ".wat"].includes(path.extname(file))) return true;
  try {
    await using handle = await open(file);
    const head = Buffer.alloc(4);
    await handle.read(head);
    return head.equals(Buffer.from("\0asm"));
  } catch (cause) {
    throw new SpindleError("APPLICATION_UNREADABLE", `Cannot read "${file}"`, { cause });
  }
}

/** `registry.example.com/name:1.0`: a host with a dot or port, a path, and perhaps a tag or digest. */
function looksLikeReference(text: string): boolean {
  return /^[a-z0-9-]+([.:][a-z0-9-]+)+\/[a-z0-9._/-]+([:@][\w.:-]+)?$/i.test(text);
}
