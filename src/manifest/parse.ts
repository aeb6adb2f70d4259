// The text of a `spin.toml` to a Manifest, or to everything that is wrong with it.

import {
  closestName,
  type Diagnostic,
  type SourceLocation,
  type SourceText,
  SpindleError,
} from "../errors/mod.ts";
import { checkManifest } from "./check.ts";
import { resolveDependencies } from "./dependencies.ts";
import { describePath, type Finding, Findings, type KeyPath, quote } from "./findings.ts";
import type { Manifest } from "./manifest.ts";
import { type ManifestContent, readVersion1, readVersion2 } from "./read-manifest.ts";
import { manifestVersion1, manifestVersion2 } from "./schema.ts";
import { isTable, readShape } from "./shape.ts";
import { locate, parseToml } from "./toml.ts";

/** A manifest is written by hand; one that is larger is a mistake, or an attack. */
const MANIFEST_BYTES_MAX = 1024 * 1024;
/** Tables below tables: what recursion in here has to bear. */
const NESTING_MAX = 64;
/** Components, and triggers, of one application. */
const ITEMS_MAX = 10_000;

export interface ParseManifestOptions {
  /** The profile whose overrides are applied. */
  readonly profile?: string;
}

/** Reads a manifest; throws one SpindleError with all that is wrong. */
export function parseManifest(
  source: SourceText,
  options: ParseManifestOptions = {},
): { readonly manifest: Manifest; readonly warnings: readonly Diagnostic[] } {
  if (Buffer.byteLength(source.text) > MANIFEST_BYTES_MAX) throw tooLarge(source);
  // A byte order mark is no part of the text, and would shift the columns of its first line.
  const text = { path: source.path, text: source.text.replace(/^\uFEFF/, "") };
  const document = parseToml(text);
  const findings = new Findings();
  const content = readDocument(document, findings, options.profile);
  if (content && options.profile !== undefined) checkProfile(content, options.profile, findings);
  if (content) checkManifest(content, findings);
  const diagnostics = findings.all.map((finding) => toDiagnostic(text, finding)).sort(byPlace);
  if (findings.hasErrors || !content) throw SpindleError.collect(diagnostics);
  const components = resolveDependencies(content.components);
  return { manifest: { source: text, ...content, components }, warnings: diagnostics };
}

function tooLarge(source: SourceText): SpindleError {
  const size = Math.ceil(Buffer.byteLength(source.text) / 1024);
  const message = `Cannot read ${source.path}: it has ${size} KiB, more than the ${MANIFEST_BYTES_MAX / 1024} KiB that a manifest may have`;
  return new SpindleError("MANIFEST_TOO_LARGE", message);
}

type Document = Readonly<Record<string, unknown>>;

/** Undefined if the manifest is so wrong that nothing more can be said about it. */
function readDocument(
  document: Document,
  findings: Findings,
  profile: string | undefined,
): ManifestContent | undefined {
  if (!checkLimits(document, findings)) return undefined;
  switch (versionOf(document, findings)) {
    case 1: {
      const trigger = isTable(document.trigger) ? document.trigger.type : undefined;
      const kind = trigger === "http" || trigger === "redis" ? trigger : "other";
      const tables = readShape(manifestVersion1[kind], document, findings);
      return tables && readVersion1(tables, findings);
    }
    case 2: {
      const tables = readShape(manifestVersion2, document, findings);
      return tables && readVersion2(tables, findings, profile);
    }
    case undefined:
      return undefined;
  }
}

const VERSION_FIELDS = ["spin_manifest_version", "spin_version"];

function versionOf(document: Document, findings: Findings): 1 | 2 | undefined {
  const current = document.spin_manifest_version;
  const older = document.spin_version;
  const code = "MANIFEST_VERSION";
  if (current === undefined && older === undefined) {
    const message = "The version of the manifest is missing";
    const misspelt = Object.keys(document).find((key) => closestName(key, VERSION_FIELDS));
    const hint = "Begin the file with `spin_manifest_version = 2`.";
    findings.error(misspelt === undefined ? [] : [misspelt], { code, message, hint }, "key");
  } else if (current !== undefined && older !== undefined) {
    const message = "The manifest has two versions: `spin_manifest_version` and `spin_version`";
    findings.error(["spin_version"], { code, message, hint: "Remove `spin_version`." }, "key");
  } else if (current === 2) {
    return 2;
  } else if (current === "1" || older === "1") {
    return 1;
  } else {
    const path = [current === undefined ? "spin_version" : "spin_manifest_version"];
    const message = `Unknown version of the manifest: ${quote(current ?? older)}`;
    findings.error(path, {
      code,
      message,
      hint: 'Write `spin_manifest_version = 2`, or `"1"` for the older form.',
    });
  }
  return undefined;
}

function checkLimits(document: Document, findings: Findings): boolean {
  checkValue(document, [], findings);
  const triggers = isTable(document.trigger) ? Object.entries(document.trigger) : [];
  checkCount(document.component, ["component"], findings);
  for (const [type, list] of triggers) checkCount(list, ["trigger", type], findings);
  return !findings.hasErrors;
}

function checkCount(items: unknown, path: KeyPath, findings: Findings): void {
  const count = typeof items === "object" && items !== null ? Object.keys(items).length : 0;
  if (count <= ITEMS_MAX) return;
  const message = `"${describePath(path)}" has ${count} items, more than the ${ITEMS_MAX} that it may have`;
  findings.error(path, { code: "MANIFEST_TOO_LARGE", message }, "key");
}

/** Refuses what would overflow the stack later, and numbers that JSON does not have. */
function checkValue(value: unknown, path: KeyPath, findings: Findings): void {
  if (path.length > NESTING_MAX) {
    const message = `The manifest is nested more than ${NESTING_MAX} levels deep`;
    findings.error(path.slice(0, 1), { code: "MANIFEST_TOO_LARGE", message }, "key");
  } else if (typeof value === "number" && !Number.isFinite(value)) {
    const message = `Invalid "${describePath(path)}": expected a finite number, found ${value}`;
    findings.error(path, { code: "MANIFEST_VALUE", message });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkValue(item, [...path, index], findings);
  } else if (isTable(value)) {
    for (const [key, member] of Object.entries(value)) checkValue(member, [...path, key], findings);
  }
}

function checkProfile({ components }: ManifestContent, profile: string, findings: Findings): void {
  const profiles = new Set(components.flatMap((component) => component.profiles));
  if (profiles.has(profile)) return;
  const known = profiles.size === 0 ? "it defines none" : `it defines ${[...profiles].join(", ")}`;
  const message = `Profile "${profile}" is not defined in this application: ${known}`;
  findings.error([], { code: "MANIFEST_PROFILE_UNKNOWN", message });
}

/** A message that quotes much of the file is cut. */
const MESSAGE_UNITS_MAX = 400;

type LocatedDiagnostic = Diagnostic & { readonly at: SourceLocation };

function toDiagnostic(source: SourceText, finding: Finding): LocatedDiagnostic {
  const { code, severity, hint } = finding;
  const at = locate(source, finding.path, finding.part);
  const isLong = finding.message.length > MESSAGE_UNITS_MAX;
  const message = isLong ? `${finding.message.slice(0, MESSAGE_UNITS_MAX)}…` : finding.message;
  return { code, severity, message, at, ...(hint !== undefined && { hint }) };
}

function byPlace(one: LocatedDiagnostic, other: LocatedDiagnostic): number {
  return one.at.line - other.at.line || one.at.column - other.at.column;
}
