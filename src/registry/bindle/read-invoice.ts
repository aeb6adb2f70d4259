// Makes an Invoice of a parsed document, or says what is wrong with it.
//
// The rules are those of the reference, which refuses unknown fields at every level, and three more:
// ids that a URL can carry, digests that are digests, and no two sizes for one digest. Annotations are
// sorted and empty lists left out, as the reference does or, for the latter, cannot do without.

import { problemOfBindleId } from "./bindle-id.ts";
import {
  type BindleSpec,
  type Conditions,
  type Group,
  type Invoice,
  type Label,
  type Parcel,
  SIGNATURE_ROLES,
  type Signature,
  type SignatureRole,
} from "./invoice.ts";
import { type Place, present, readMap, readString, ShapeError, TableReader, wrong } from "./table-reader.ts";

/** More would make a document of over ten megabytes. */
export const PARCELS_MAX = 50_000;

/** Each is checked, over the digests of all parcels. A bindle has a few: of who made, approved and served it. */
const SIGNATURES_MAX = 32;

const INVOICE_FIELDS = new Set([
  "bindleVersion",
  "yanked",
  "yankedSignature",
  // These two are in the specification only.
  "yanked_signature",
  "yanked_reason",
  "bindle",
  "annotations",
  "parcel",
  "group",
  "signature",
]);
const BINDLE_FIELDS = new Set(["name", "version", "description", "authors"]);
const PARCEL_FIELDS = new Set(["label", "conditions"]);
const LABEL_FIELDS = new Set(["sha256", "mediaType", "name", "size", "annotations", "feature", "origin"]);
const CONDITIONS_FIELDS = new Set(["memberOf", "requires"]);
const GROUP_FIELDS = new Set(["name", "required", "satisfiedBy"]);
const SIGNATURE_FIELDS = new Set(["by", "signature", "key", "role", "at"]);

const ROOT: Place = { name: "" };

/** @throws ShapeError */
export function readInvoice(value: unknown, place: Place = ROOT): Invoice {
  const table = new TableReader(value, place, INVOICE_FIELDS);
  const parcels = table.optionalArray("parcel")?.length ?? 0;
  if (parcels > PARCELS_MAX) throw new ShapeError(`it has ${parcels} parcels, more than ${PARCELS_MAX}`);
  const signatures = table.optionalArray("signature")?.length ?? 0;
  if (signatures > SIGNATURES_MAX)
    throw new ShapeError(`it has ${signatures} signatures, more than ${SIGNATURES_MAX}`);
  const invoice = present<Invoice>({
    bindleVersion: table.string("bindleVersion"),
    yanked: table.optionalBoolean("yanked"),
    yankedSignature:
      table.optionalTables("yankedSignature", readSignature) ??
      table.optionalTables("yanked_signature", readSignature),
    bindle: table.table("bindle", readBindle),
    annotations: table.optionalTable("annotations", readAnnotations),
    parcel: table.optionalTables("parcel", readParcel),
    group: table.optionalTables("group", readGroup),
    signature: table.optionalTables("signature", readSignature),
  });
  refuseContradictions(invoice);
  return invoice;
}

function readBindle(value: unknown, place: Place): BindleSpec {
  const table = new TableReader(value, place, BINDLE_FIELDS);
  const id = { name: table.string("name"), version: table.string("version") };
  const problem = problemOfBindleId(id);
  if (problem !== undefined) throw new ShapeError(problem);
  return present<BindleSpec>({
    ...id,
    description: table.optionalString("description"),
    authors: table.optionalStrings("authors"),
  });
}

function readParcel(value: unknown, place: Place): Parcel {
  const table = new TableReader(value, place, PARCEL_FIELDS);
  return present<Parcel>({
    label: table.table("label", readLabel),
    conditions: table.optionalTable("conditions", readConditions),
  });
}

/** @throws ShapeError */
export function readLabel(value: unknown, place: Place): Label {
  const table = new TableReader(value, place, LABEL_FIELDS);
  const sha256 = table.string("sha256");
  if (!isDigest(sha256))
    throw wrong(table.placeOf("sha256"), "it must be 64 hexadecimal digits, in lower case");
  return present<Label>({
    sha256,
    mediaType: table.string("mediaType"),
    name: table.string("name"),
    size: table.count("size"),
    annotations: table.optionalTable("annotations", readAnnotations),
    feature: table.optionalTable("feature", (feature, inside) => readMap(feature, inside, readAnnotations)),
    origin: table.optionalString("origin"),
  });
}

/** Whether a text is the digest of a parcel, and so can be the name of a file. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function readConditions(value: unknown, place: Place): Conditions {
  const table = new TableReader(value, place, CONDITIONS_FIELDS);
  return present<Conditions>({
    memberOf: table.optionalStrings("memberOf"),
    requires: table.optionalStrings("requires"),
  });
}

function readGroup(value: unknown, place: Place): Group {
  const table = new TableReader(value, place, GROUP_FIELDS);
  return present<Group>({
    name: table.string("name"),
    required: table.optionalBoolean("required"),
    satisfiedBy: table.optionalString("satisfiedBy"),
  });
}

function readSignature(value: unknown, place: Place): Signature {
  const table = new TableReader(value, place, SIGNATURE_FIELDS);
  return {
    by: table.string("by"),
    signature: table.string("signature"),
    key: table.string("key"),
    role: table.table("role", readRole),
    at: table.count("at"),
  };
}

/** @throws ShapeError */
export function readRole(value: unknown, place: Place): SignatureRole {
  const role = SIGNATURE_ROLES.find((name) => name === value);
  if (role === undefined) throw wrong(place, `it must be one of ${SIGNATURE_ROLES.join(", ")}`);
  return role;
}

function readAnnotations(value: unknown, place: Place): Readonly<Record<string, string>> {
  return readMap(value, place, readString);
}

/** The same parcel may be listed more than once, under several names; its size is one. */
function refuseContradictions({ parcel = [] }: Invoice): void {
  const sizes = new Map<string, number>();
  for (const { label } of parcel) {
    const size = sizes.get(label.sha256) ?? label.size;
    if (size !== label.size) {
      throw new ShapeError(`the parcel ${label.sha256} is listed with ${size} and with ${label.size} bytes`);
    }
    sizes.set(label.sha256, size);
  }
}
