// A component's source, as its manifest names it, to a WebAssembly binary on disk.

import { createHash } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import type { Diagnostic, ErrorCode } from "../errors/mod.ts";
import type { ComponentSource, KeyPath, ModuleSource } from "../manifest/mod.ts";
import type { WholeFile, WholeFiles } from "../paths/mod.ts";
import { assembleText, MalformedTextError } from "../wasm/mod.ts";
import { DownloadError, download, type Patience } from "./download.ts";
import { failureOf, isFileSystemError, makeInWorkingDirectory } from "./file-system-error.ts";
import type { Report } from "./report.ts";

/** V8 refuses modules of more than 1 GiB; half of that is surely a mistake. */
export const MODULE_BYTES_MAX = 512 * 1024 * 1024;
/** Text is read into one string and assembled in memory; guests written by hand are far smaller. */
const TEXT_BYTES_MAX = 32 * 1024 * 1024;

export interface SourcePlace {
  /** The directory that paths are relative to. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly cacheDirectory: string;
  /** Reads files, and keeps them for whoever makes the application ready. */
  readonly binaries: WholeFiles;
  readonly signal: AbortSignal;
  /** How long downloads are waited for. */
  readonly patience?: Partial<Patience>;
}

export interface NamedSource {
  readonly componentId: string;
  readonly source: ComponentSource;
  /** Where the manifest names it. */
  readonly at: KeyPath;
  /** What to do if it is not there. */
  readonly hint: string;
}

/** Finds, checks and hashes the source; undefined if it cannot be had, which `report` then knows. */
export async function loadModuleSource(
  place: SourcePlace,
  named: NamedSource,
  report: Report,
): Promise<ModuleSource | undefined> {
  const { source } = named;
  return await reporting(named, report, async () => {
    if (typeof source === "string") {
      const file = { path: path.resolve(place.root, source), described: source };
      return await loadFile(place, file, named.hint);
    }
    if ("url" in source) return await loadUrl(place, source);
    throw new SourceError("COMPONENT_SOURCE_UNSUPPORTED", describeUnsupported(source));
  });
}

/** Checks a module that is on disk, has been read, and has been hashed. */
export async function loadModuleBytes(
  place: Pick<SourcePlace, "workingDirectory">,
  module: ReadSource & Pick<NamedSource, "componentId" | "at">,
  report: Report,
): Promise<ModuleSource | undefined> {
  return await reporting(module, report, () => checkModule(place, module));
}

async function reporting(
  named: Pick<NamedSource, "componentId" | "at">,
  report: Report,
  load: () => Promise<ModuleSource>,
): Promise<ModuleSource | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const message = `Cannot load component "${named.componentId}": ${error.message}`;
    const { code, hint, at } = error;
    if (at) report.add({ code, severity: "error", message, at, ...(hint !== undefined && { hint }) });
    else report.error({ code, message, hint, path: named.at });
    return undefined;
  }
}

/** Why a source cannot be had; the message is the state that was found. */
class SourceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** A place in the source itself, if that is text. */
  readonly at: Diagnostic["at"];

  constructor(
    code: ErrorCode,
    state: string,
    options: {
      readonly hint?: string | undefined;
      readonly at?: Diagnostic["at"];
      readonly cause?: unknown;
    } = {},
  ) {
    super(state, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.at = options.at;
  }
}

function describeUnsupported(source: Exclude<ComponentSource, string | { url: string }>): string {
  return "package" in source
    ? `package ${source.package}@${source.version} is in a registry, which this version cannot load from`
    : `parcel ${source.parcel} is in a Bindle, which this version cannot load from`;
}

// Files.

interface SourceFile {
  readonly path: string;
  /** For messages. */
  readonly described: string;
}

async function loadFile(
  place: Pick<SourcePlace, "binaries" | "workingDirectory">,
  { path: file, described }: SourceFile,
  hint?: string,
): Promise<ModuleSource> {
  const stats = await stat(file).catch(() => undefined);
  if (!stats) throw new SourceError("COMPONENT_SOURCE_MISSING", `${described} does not exist`, { hint });
  if (!stats.isFile()) throw new SourceError("COMPONENT_SOURCE_MISSING", `${described} is not a file`);
  checkSize(described, stats.size, MODULE_BYTES_MAX);
  const { bytes, digest } = await readSource(place.binaries, file, described);
  return await checkModule(place, { path: file, bytes, digest: `sha256:${digest}`, described });
}

async function readSource(binaries: WholeFiles, file: string, source: string): Promise<WholeFile> {
  try {
    return await binaries.read(file);
  } catch (cause) {
    throw new SourceError("COMPONENT_SOURCE_MISSING", `${source} cannot be read (${failureOf(cause)})`, {
      cause,
    });
  }
}

function checkSize(source: string, bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  const state = `${source} has ${Math.ceil(bytes / 2 ** 20)} MiB, more than the ${bytesMax / 2 ** 20} MiB that are read`;
  throw new SourceError("COMPONENT_SOURCE_TOO_LARGE", state);
}

// Downloads.

/** Files in the cache are named by their digests, and checked each time, so that a damaged one is replaced. */
async function loadUrl(
  place: SourcePlace,
  { url, digest }: { readonly url: string; readonly digest: string },
): Promise<ModuleSource> {
  const target = path.join(place.cacheDirectory, "registry", "wasm", digest.replace(":", "-"));
  let bytes = await readFile(target).catch(() => undefined);
  if (!bytes || digestOf(bytes) !== digest) {
    await downloadSource(place, { url, digest, target });
    bytes = await readFile(target);
  }
  return await checkModule(place, { path: target, bytes, digest, described: url });
}

async function downloadSource(
  { signal, patience }: SourcePlace,
  file: { readonly url: string; readonly digest: string; readonly target: string },
): Promise<void> {
  try {
    await download({ ...file, bytesMax: MODULE_BYTES_MAX, signal, ...(patience && { patience }) });
  } catch (cause) {
    if (isFileSystemError(cause)) {
      const state = `${file.url} cannot be kept in ${path.dirname(file.target)} (${failureOf(cause)})`;
      const hint = "Choose another directory with `--cache-dir`, or make room there.";
      throw new SourceError("COMPONENT_SOURCE_DOWNLOAD", state, { hint, cause });
    }
    if (!(cause instanceof DownloadError)) throw cause;
    const codes = {
      digest: "COMPONENT_SOURCE_DIGEST",
      size: "COMPONENT_SOURCE_TOO_LARGE",
      network: "COMPONENT_SOURCE_DOWNLOAD",
    } as const;
    throw new SourceError(codes[cause.kind], `${file.url}: ${cause.message}`, { hint: cause.hint, cause });
  }
}

// What is in a file.

interface ReadSource extends SourceFile {
  readonly bytes: Uint8Array;
  /** `sha256:` and 64 hexadecimal digits: large modules are hashed once. */
  readonly digest: string;
}

async function checkModule(
  place: Pick<SourcePlace, "workingDirectory">,
  source: ReadSource,
): Promise<ModuleSource> {
  const { path, bytes, digest, described } = source;
  if (isBinary(bytes)) {
    if (bytes.length >= 8) return { path, digest, described };
    throw new SourceError(
      "COMPONENT_SOURCE_INVALID",
      `${described} is truncated after ${bytes.length} bytes`,
    );
  }
  const text = textOf(bytes);
  if (text !== undefined) checkSize(described, bytes.length, TEXT_BYTES_MAX);
  if (text !== undefined) return await assemble(place, { path, text, described });
  const state = `${described} is not WebAssembly: ${describeContent(bytes)}`;
  throw new SourceError("COMPONENT_SOURCE_INVALID", state);
}

function isBinary(bytes: Uint8Array): boolean {
  return Buffer.from("\0asm").equals(bytes.subarray(0, 4));
}

/** The text of a module: UTF-8 that begins with a parenthesis, or a comment, which begins with ";". */
function textOf(bytes: Uint8Array): string | undefined {
  if (!/^\s*[(;]/.test(headOf(bytes))) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, so it is no text: an answer, not a failure.
    return undefined;
  }
}

function headOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 1024)).toString("latin1");
}

async function assemble(
  { workingDirectory }: Pick<SourcePlace, "workingDirectory">,
  source: { readonly path: string; readonly text: string; readonly described: string },
): Promise<ModuleSource> {
  const bytes = await assembleText(source.text).catch((cause: unknown) => {
    if (!(cause instanceof MalformedTextError)) throw cause;
    const { line, column, reason } = cause;
    const at = { source: { path: source.path, text: source.text }, line, column, length: 1 };
    const state = `${source.described} cannot be assembled: ${reason}`;
    throw new SourceError("COMPONENT_SOURCE_INVALID", state, { at, cause });
  });
  const digest = digestOf(bytes);
  const file = path.join(workingDirectory, "modules", `${digest.replace(":", "-")}.wasm`);
  await makeInWorkingDirectory(async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  });
  return { path: file, digest, described: source.described };
}

/** Says what a file seems to be instead, for those that are mistaken for modules most. */
function describeContent(bytes: Uint8Array): string {
  const head = headOf(bytes);
  if (head === "") return "it is empty";
  if (head.startsWith("version https://git-lfs")) return "it is a pointer of Git LFS; run `git lfs pull`";
  if (head.startsWith("\x7fELF")) return "it is a native program or library";
  if (head.startsWith("\x1f\x8b") || head.startsWith("PK\x03\x04")) return "it is a compressed archive";
  if (/^\s*</.test(head)) return "it is an HTML or XML page";
  return `it begins with ${Buffer.from(bytes.subarray(0, 4))
    .toString("hex")
    .replace(/..(?=.)/g, "$& ")}`;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
