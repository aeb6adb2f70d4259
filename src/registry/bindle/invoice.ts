// What a bindle consists of: its name, its parcels, how they belong together, and who vouches for them.
//
// Fields are those of the reference (`src/invoice/` of deislabs/bindle at v0.9.2), in the order in which
// it writes them. An invoice is plain data: what is absent in the file is absent here.

import { type BindleId, digestOfBindleId } from "./bindle-id.ts";

export interface Invoice {
  readonly bindleVersion: string;
  /** Withdrawn: not to be used by anything that does not use it already. Set by servers. */
  readonly yanked?: boolean;
  readonly yankedSignature?: readonly Signature[];
  readonly bindle: BindleSpec;
  readonly annotations?: Annotations;
  readonly parcel?: readonly Parcel[];
  readonly group?: readonly Group[];
  readonly signature?: readonly Signature[];
}

export interface BindleSpec extends BindleId {
  readonly description?: string;
  readonly authors?: readonly string[];
}

export type Annotations = Readonly<Record<string, string>>;

export interface Parcel {
  readonly label: Label;
  readonly conditions?: Conditions;
}

/** What is known of a parcel without having it. */
export interface Label {
  /** 64 hexadecimal digits, in lower case. */
  readonly sha256: string;
  readonly mediaType: string;
  /** Often a path; see `groupFiles()` before it is used as one. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly annotations?: Annotations;
  /** By section: `{ wasm: { type: "library" } }`. */
  readonly feature?: Readonly<Record<string, Annotations>>;
  readonly origin?: string;
}

export interface Conditions {
  /** Groups that the parcel is in; without any, it belongs to the bindle as such. */
  readonly memberOf?: readonly string[];
  /** Groups without which the parcel is of no use. */
  readonly requires?: readonly string[];
}

export interface Group {
  readonly name: string;
  readonly required?: boolean;
  /** `allOf`, `oneOf` or `optional` by the specification; not evaluated. */
  readonly satisfiedBy?: string;
}

export interface Signature {
  readonly by: string;
  /** Base64 of 64 bytes. */
  readonly signature: string;
  /** Base64 of the 32 bytes of the public key. */
  readonly key: string;
  readonly role: SignatureRole;
  /** Seconds since 1970. What is signed does not include it. */
  readonly at: number;
}

export const SIGNATURE_ROLES = ["creator", "proxy", "host", "approver"] as const;
export type SignatureRole = (typeof SIGNATURE_ROLES)[number];

/** The only version of the format that there is. */
export const BINDLE_VERSION = "1.0.0";

/** Digests of the texts "NAME/VERSION" are what bindles are stored under. */
export function digestOfInvoice(invoice: Invoice): string {
  return digestOfBindleId(invoice.bindle);
}

/** The labels of an invoice by digest; where one is listed twice, its first label. */
export function labelsByDigest(invoice: Invoice): ReadonlyMap<string, Label> {
  const labels = new Map<string, Label>();
  for (const { label } of invoice.parcel ?? []) {
    if (!labels.has(label.sha256)) labels.set(label.sha256, label);
  }
  return labels;
}
