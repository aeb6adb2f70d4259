// Brings a bindle to a server: its invoice, then the parcels that the server lacks, several at once.
//
// A bindle that is there already is not changed: what is missing of it is sent, as after a push that was
// interrupted. What the server lacks is for the server to say, never for the local invoice.

import { printableLine, SpindleError } from "../../errors/mod.ts";
import { forEachAtOnce } from "./at-once.ts";
import { formatBindleId } from "./bindle-id.ts";
import type { BindleClient } from "./client.ts";
import type { Invoice, Label } from "./invoice.ts";
import { formatInvoice } from "./invoice-text.ts";
import type { ParcelContent } from "./parcel-content.ts";
import type { CreatedInvoice } from "./protocol.ts";
import { type Abortable, CONNECTIONS_MAX } from "./transport.ts";

/** A bindle that is all here. */
export interface BindleSource {
  readonly invoice: Invoice;
  /** Where the bytes of a parcel are; undefined if they are not here. */
  contentOf(sha256: string): ParcelContent | undefined;
}

export interface PushOptions extends Abortable {
  /** Called after each parcel. */
  readonly progress?: (progress: TransferProgress) => void;
}

export interface TransferProgress {
  readonly parcels: number;
  readonly parcelsDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
}

export interface PushResult {
  /** As the server has it, with its own signature if it signs. */
  readonly invoice: Invoice;
  /** "unchanged": all of it was there. "resumed": the invoice was, but parcels were missing. */
  readonly kind: "created" | "resumed" | "unchanged";
  /** Parcels that were sent; the server had the others. */
  readonly sent: { readonly parcels: number; readonly bytes: number };
}

/** @throws SpindleError BINDLE_EXISTS, BINDLE_PARCEL_MISSING, BINDLE_INCOMPLETE, and those of the client */
export async function pushBindle(
  client: BindleClient,
  source: BindleSource,
  options: PushOptions,
): Promise<PushResult> {
  const { invoice, missing = [], kind } = await createOrResume(client, source.invoice, options);
  const labels = [...new Map(missing.map((label) => [label.sha256, label])).values()];
  await upload(client, { source, labels }, options);
  const bytes = labels.reduce((sum, { size }) => sum + size, 0);
  return {
    invoice,
    kind: kind === "created" ? "created" : labels.length > 0 ? "resumed" : "unchanged",
    sent: { parcels: labels.length, bytes },
  };
}

async function createOrResume(
  client: BindleClient,
  invoice: Invoice,
  options: PushOptions,
): Promise<CreatedInvoice & { readonly kind: "created" | "existing" }> {
  try {
    return { ...(await client.createInvoice(invoice, options)), kind: "created" };
  } catch (error) {
    if (!isExisting(error)) throw error;
    const existing = await client.getInvoice(invoice.bindle, options).catch((cause: unknown) => {
      throw withdrawn(client, invoice, cause);
    });
    refuseOther(client, { local: invoice, existing });
    const missing = await client.missingParcels(invoice.bindle, options);
    return { invoice: existing, missing, kind: "existing" };
  }
}

/** What was yanked stays on the server, so that nothing else can be pushed in its place. */
function withdrawn({ server }: BindleClient, { bindle }: Invoice, error: unknown): unknown {
  if (!(error instanceof SpindleError) || error.code !== "BINDLE_YANKED") return error;
  const message = `Cannot push ${formatBindleId(bindle)} to ${server}: this version was withdrawn`;
  return new SpindleError("BINDLE_YANKED", message, { hint: "Raise `version` in the manifest." });
}

function isExisting(error: unknown): boolean {
  return error instanceof SpindleError && error.code === "BINDLE_EXISTS";
}

function refuseOther(
  { server }: BindleClient,
  { local, existing }: { readonly local: Invoice; readonly existing: Invoice },
): void {
  const action = `Cannot push ${formatBindleId(local.bindle)} to ${server}`;
  if (contentText(local) !== contentText(existing)) {
    throw new SpindleError("BINDLE_EXISTS", `${action}: the server has another bindle of this id`, {
      hint: "Raise `version` in the manifest, or add build metadata to it.",
    });
  }
  const signed = new Set(existing.signature?.map(({ key }) => key));
  const unsigned = local.signature?.find(({ key }) => !signed.has(key));
  if (unsigned) {
    throw new SpindleError(
      "BINDLE_EXISTS",
      `${action}: the server has it without the signature of "${printableLine(unsigned.by)}"`,
      {
        hint: "Raise `version` in the manifest: what is on a server is not signed later.",
      },
    );
  }
}

/** All that makes a bindle what it is; not who signed it, nor whether it was yanked. */
function contentText({ bindleVersion, bindle, annotations = {}, parcel = [], group = [] }: Invoice): string {
  return formatInvoice({ bindleVersion, bindle, annotations, parcel, group }, "json");
}

async function upload(
  client: BindleClient,
  { source, labels }: { readonly source: BindleSource; readonly labels: readonly Label[] },
  { signal, progress }: PushOptions,
): Promise<void> {
  const { bindle } = source.invoice;
  const total = { parcels: labels.length, bytes: labels.reduce((sum, { size }) => sum + size, 0) };
  const uploads = labels.map((label) => ({ label, content: contentOf(client, source, label) }));
  let [parcelsDone, bytesDone, refused] = [0, 0, 0];
  await forEachAtOnce(uploads, { limit: CONNECTIONS_MAX, signal }, async (parcel, signal) => {
    try {
      await client.uploadParcel(bindle, parcel, { signal });
    } catch (error) {
      if (!isExisting(error)) throw error;
      refused++;
    }
    parcelsDone++;
    bytesDone += parcel.label.size;
    progress?.({ ...total, parcelsDone, bytesDone });
  });
  if (refused > 0) await refuseStuck(client, source, { signal });
}

function contentOf({ server }: BindleClient, source: BindleSource, label: Label): ParcelContent {
  const content = source.contentOf(label.sha256);
  if (content) return content;
  throw new SpindleError(
    "BINDLE_PARCEL_MISSING",
    `Cannot push ${formatBindleId(source.invoice.bindle)} to ${server}: the parcel "${printableLine(label.name)}" is neither here nor on the server`,
  );
}

/**
 * Somebody else may have sent a parcel meanwhile, which is well. But an upload that broke off makes a server
 * of the reference refuse that parcel for ever, though it does not have it.
 */
async function refuseStuck(
  client: BindleClient,
  { invoice }: BindleSource,
  options: Abortable,
): Promise<void> {
  const [stuck] = await client.missingParcels(invoice.bindle, options);
  if (!stuck) return;
  throw new SpindleError(
    "BINDLE_INCOMPLETE",
    `Cannot push ${formatBindleId(invoice.bindle)} to ${client.server}: it refuses the parcel "${printableLine(stuck.name)}" as present, and lacks it`,
    { hint: `An upload was interrupted: remove parcels/${stuck.sha256} from the server's directory.` },
  );
}
