// Bindles that were fetched: a second start needs no server.
//
// Parcels are named by their digest and shared by all bindles; invoices by server and id, since two
// servers may have different bindles of one id. Neither ever changes. What is in the cache was checked
// when it came in; whoever runs code from it checks that again, and who demands signatures has all of it
// checked again. A cache that has all there is to fetch is not written to, and can be read-only.

import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { type FileHandle, readFile } from "node:fs/promises";
import path from "node:path";

import { SpindleError } from "../../errors/mod.ts";
import { makeDirectory } from "../../paths/mod.ts";
import { YANKED_HINT } from "./answer.ts";
import { forEachAtOnce } from "./at-once.ts";
import type { BindleContents, FetchOptions } from "./bindle-contents.ts";
import { type BindleId, formatBindleId } from "./bindle-id.ts";
import type { BindleClient } from "./client.ts";
import type { Invoice, Label } from "./invoice.ts";
import { formatInvoice, parseInvoice } from "./invoice-text.ts";
import { ParcelMismatch } from "./parcel-check.ts";
import { checkFile } from "./parcel-content.ts";
import { fileStateOf, systemCodeOf } from "./system-error.ts";
import { type Abortable, CONNECTIONS_MAX } from "./transport.ts";
import { type Trust, verifyInvoice } from "./verification.ts";
import { removeAbandoned, writeWholeFile } from "./whole-file.ts";

export interface OpenBindleOptions extends Abortable {
  /** Ask the server even if the invoice is in the cache: it may have been yanked. */
  readonly refresh?: boolean;
  /** Take a bindle that was yanked. */
  readonly yanked?: boolean;
  /** Whose signatures the invoice has to have; without it, none. With it, parcels are read as for "digest". */
  readonly trust?: Trust;
  /** What is looked at of parcels that are in the cache: without it, their sizes. What is wrong is fetched again. */
  readonly check?: "size" | "digest";
}

/** What is in the cache does not change; and applications may be given links to it. */
const FILE_MODE = 0o444;

export class BindleCache {
  readonly #directory: string;
  readonly #invoices: string;
  readonly #parcels: string;
  readonly #temporary: string;
  #prepared: Promise<void> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#invoices = path.join(directory, "invoices");
    this.#parcels = path.join(directory, "parcels");
    this.#temporary = path.join(directory, "tmp");
  }

  /**
   * A bindle of a server: its invoice now, its parcels when they are asked for.
   *
   * @throws SpindleError BINDLE_STORE_UNUSABLE, BINDLE_YANKED, BINDLE_SIGNATURE, and those of the client
   */
  async openBindle(client: BindleClient, id: BindleId, options: OpenBindleOptions): Promise<BindleContents> {
    const file = path.join(this.#invoices, `${keyOf(client, id)}.json`);
    const cached = options.refresh ? undefined : await this.#read(file);
    const invoice = cached ?? (await client.getInvoice(id, options));
    refuseOtherId(invoice, { id, server: client.server });
    refuseYanked(invoice, { server: client.server, yanked: options.yanked ?? false });
    if (options.trust) verifyInvoice(invoice, options.trust);
    if (!cached) await this.#keep(file, invoice);
    const check = options.trust ? "digest" : (options.check ?? "size");
    return {
      invoice,
      origin: client.server,
      fetch: (labels, fetchOptions) => this.#fetch(client, { id, labels, check }, fetchOptions),
      pathOf: (label) => this.#pathOf(label),
    };
  }

  #pathOf({ sha256 }: Label): string {
    return path.join(this.#parcels, sha256);
  }

  async #read(file: string): Promise<Invoice | undefined> {
    try {
      return parseInvoice(await readFile(file), file, "json");
    } catch (error) {
      // One that another version wrote, or that is damaged, is fetched again.
      if (error instanceof SpindleError || systemCodeOf(error) === "ENOENT") return undefined;
      throw this.#unusable(error);
    }
  }

  async #keep(file: string, invoice: Invoice): Promise<void> {
    await this.#write(file, (handle) => handle.writeFile(formatInvoice(invoice, "json")));
  }

  async #write(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
    try {
      this.#prepared ??= this.#prepare();
      await this.#prepared;
      await writeWholeFile(file, { temporaryDirectory: this.#temporary, mode: FILE_MODE }, write);
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  async #prepare(): Promise<void> {
    for (const part of [this.#invoices, this.#parcels, this.#temporary]) makeDirectory(part);
    await removeAbandoned(this.#temporary);
  }

  #unusable(error: unknown): unknown {
    return storeUnusable(this.#directory, error, "--cache-dir");
  }

  async #fetch(
    client: BindleClient,
    { id, labels, check }: Wanted,
    { signal, progress, anew = false }: FetchOptions,
  ): Promise<void> {
    const wanted = [...new Map(Array.from(labels, (label) => [label.sha256, label])).values()];
    const absent = anew ? wanted : await this.#lacking(wanted, { check, signal });
    const total = { parcels: absent.length, bytes: absent.reduce((sum, { size }) => sum + size, 0) };
    let [parcelsDone, bytesDone] = [0, 0];
    await forEachAtOnce(absent, { limit: CONNECTIONS_MAX, signal }, async (label, signal) => {
      await this.#download(client, { id, label }, { signal });
      parcelsDone++;
      bytesDone += label.size;
      progress?.({ ...total, parcelsDone, bytesDone });
    });
  }

  async #lacking(
    wanted: readonly Label[],
    { check, signal }: Pick<Wanted, "check"> & Abortable,
  ): Promise<readonly Label[]> {
    const present = new Set(wanted.filter((label) => this.#has(label)));
    if (check === "digest") {
      await forEachAtOnce([...present], { limit: CONNECTIONS_MAX, signal }, async (label) => {
        if (!(await this.#isIntact(label))) present.delete(label);
      });
    }
    return wanted.filter((label) => !present.has(label));
  }

  async #isIntact(label: Label): Promise<boolean> {
    try {
      await checkFile(this.#pathOf(label), label);
      return true;
    } catch (error) {
      // What cannot be read is no better than what was changed: it is replaced, or that fails.
      if (error instanceof ParcelMismatch || fileStateOf(error) !== undefined) return false;
      throw error;
    }
  }

  /**
   * Whether a parcel is there, as long as it should be. Looking is synchronous: an application is about to
   * start, has thousands of files, and waits ten times as long for as many promises.
   */
  #has(label: Label): boolean {
    try {
      const found = lstatSync(this.#pathOf(label), { throwIfNoEntry: false });
      return found?.isFile() === true && found.size === label.size;
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  async #download(
    client: BindleClient,
    { id, label }: { readonly id: BindleId; readonly label: Label },
    { signal }: Abortable,
  ): Promise<void> {
    const file = this.#pathOf(label);
    await client.downloadParcel(id, label, {
      signal,
      receive: (chunks) => this.#write(file, (handle) => handle.writeFile(chunks)),
    });
  }
}

interface Wanted extends Required<Pick<OpenBindleOptions, "check">> {
  readonly id: BindleId;
  readonly labels: Iterable<Label>;
}

function keyOf({ server }: BindleClient, id: BindleId): string {
  return createHash("sha256")
    .update(`${server}\n${formatBindleId(id)}`)
    .digest("hex");
}

function refuseOtherId(
  { bindle }: Invoice,
  { id, server }: { readonly id: BindleId; readonly server: string },
): void {
  const [wanted, found] = [formatBindleId(id), formatBindleId(bindle)];
  if (wanted === found) return;
  throw new SpindleError(
    "BINDLE_SERVER_ANSWER",
    `Cannot fetch ${wanted} from ${server}: it sent ${found} instead`,
    { hint: "Tell who runs the server." },
  );
}

function refuseYanked(
  invoice: Invoice,
  { server, yanked }: { readonly server: string; readonly yanked: boolean },
): void {
  if (!invoice.yanked || yanked) return;
  const action = `Cannot fetch ${formatBindleId(invoice.bindle)} from ${server}`;
  throw new SpindleError("BINDLE_YANKED", `${action}: it was yanked`, { hint: YANKED_HINT });
}

/** The error for a directory that bindles cannot be stored in; other errors stay what they are. */
export function storeUnusable(directory: string, error: unknown, flag: string): unknown {
  const state = fileStateOf(error);
  if (state === undefined) return error;
  return new SpindleError("BINDLE_STORE_UNUSABLE", `Cannot use ${directory} to store bindles: ${state}`, {
    hint: `Choose another directory with \`${flag}\`, or see to it that this one can be written to.`,
  });
}
