// A bindle whose parcels can be had as files, wherever it is kept.

import { SpindleError } from "../../errors/mod.ts";
import { formatBindleId } from "./bindle-id.ts";
import type { Invoice, Label, Parcel } from "./invoice.ts";
import type { TransferProgress } from "./push.ts";
import type { Abortable } from "./transport.ts";

export interface FetchOptions extends Abortable {
  /** Called after each parcel that has to be fetched. */
  readonly progress?: (progress: TransferProgress) => void;
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

/**
 * The parcels of a group as files; what they are named by is made safe to write to a folder.
 *
 * @throws SpindleError BINDLE_FILE_NAME
 */
export function groupFiles(invoice: Invoice, group: string): readonly GroupFile[] {
  const files = new Map<string, Label>();
  for (const parcel of invoice.parcel ?? []) {
    if (!isMember(parcel, group)) continue;
    const { label } = parcel;
    const refuse = (state: string): never => {
      const action = `Cannot use the files of group "${group}" of ${formatBindleId(invoice.bindle)}`;
      throw new SpindleError("BINDLE_FILE_NAME", `${action}: ${state}`);
    };
    const path = relativePathOf(label.name) ?? refuse(`"${label.name}" is not a path inside a folder`);
    const other = files.get(path);
    if (other && other.sha256 !== label.sha256) refuse(`two files are named "${path}"`);
    files.set(path, label);
  }
  return Array.from(files, ([path, label]) => ({ path, label }));
}

function isMember({ conditions }: Parcel, group: string): boolean {
  return conditions?.memberOf?.includes(group) ?? false;
}

/** A name as a path that stays where it begins, or undefined if it would not on some system. */
function relativePathOf(name: string): string | undefined {
  const segments = name.split("/").filter((segment) => segment !== ".");
  const isSafe = segments.every(
    (segment) => segment !== "" && segment !== ".." && !/[\\\0]|^[A-Za-z]:/.test(segment),
  );
  return isSafe && segments.length > 0 ? segments.join("/") : undefined;
}
