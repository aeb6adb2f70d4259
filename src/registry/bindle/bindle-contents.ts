// A bindle whose parcels can be had as files, wherever it is kept.

import { printableLine, SpindleError } from "../../errors/mod.ts";
import { formatBindleId } from "./bindle-id.ts";
import type { Invoice, Label } from "./invoice.ts";
import type { TransferProgress } from "./push.ts";
import type { Abortable } from "./transport.ts";

export interface FetchOptions extends Abortable {
  /** Called after each parcel that has to be fetched. */
  readonly progress?: (progress: TransferProgress) => void;
  /** Also what seems to be there: it was found to be damaged. */
  readonly anew?: boolean;
}

export interface BindleContents {
  readonly invoice: Invoice;
  /** For messages: the URL of a server, or a directory. */
  readonly origin: string;
  /** Sees to it that these parcels are there, and are what the invoice says. */
  fetch(labels: Iterable<Label>, options: FetchOptions): Promise<void>;
  /** Where a parcel is that has been fetched. The file is not to be changed. */
  pathOf(label: Label): string;
}

/** A file that a group of a bindle consists of. */
export interface GroupFile {
  /** Relative, with slashes, without `.` and `..`. */
  readonly path: string;
  readonly label: Label;
}

/** What Linux takes. */
const PATH_LENGTH_MAX = 4096;

/**
 * The parcels of a group as files; what they are named by is made safe to write to a folder.
 *
 * @throws SpindleError BINDLE_FILE_NAME
 */
export function groupFiles(invoice: Invoice, group: string): readonly GroupFile[] {
  const files = new Map<string, Label>();
  const folders = new Set<string>();
  for (const { label, conditions } of invoice.parcel ?? []) {
    if (!conditions?.memberOf?.includes(group)) continue;
    const path = relativePathOf(label.name);
    const problem =
      path === undefined
        ? `"${label.name}" is not a path inside a folder`
        : addFile({ files, folders }, path, label);
    if (problem === undefined) continue;
    const action = `Cannot use the files of group "${group}" of ${formatBindleId(invoice.bindle)}`;
    const hint = "Have it pushed again without such a name: a component could not be given this file.";
    throw new SpindleError("BINDLE_FILE_NAME", printableLine(`${action}: ${problem}`), { hint });
  }
  return Array.from(files, ([path, label]) => ({ path, label }));
}

/** Adds a file to a tree, or says why it has no place there. */
function addFile(
  { files, folders }: { readonly files: Map<string, Label>; readonly folders: Set<string> },
  path: string,
  label: Label,
): string | undefined {
  if (folders.has(path)) return `"${path}" is a file and a folder`;
  const other = files.get(path);
  if (other && other.sha256 !== label.sha256) return `two files are named "${path}"`;
  files.set(path, label);
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    const folder = path.slice(0, end);
    if (files.has(folder)) return `"${folder}" is a file and a folder`;
    folders.add(folder);
  }
  return undefined;
}

/** A name as a path that stays where it begins, or undefined if it would not on some system. */
function relativePathOf(name: string): string | undefined {
  if (name.length > PATH_LENGTH_MAX) return undefined;
  const segments = name.split("/").filter((segment) => segment !== ".");
  const isSafe = segments.every(
    (segment) => segment !== "" && segment !== ".." && !/[\\\0]|^[A-Za-z]:/.test(segment),
  );
  return isSafe && segments.length > 0 ? segments.join("/") : undefined;
}
