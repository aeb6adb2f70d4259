// The documents of the protocol besides invoices and keyrings (`src/invoice/api.rs` and `src/search/mod.rs` of
// deislabs/bindle at v0.9.2).

import type { Invoice, Label } from "./invoice.ts";
import { readInvoice, readLabel } from "./read-invoice.ts";
import { present, TableReader } from "./table-reader.ts";

/** The answer to an invoice that was accepted. */
export interface CreatedInvoice {
  /** As the server stores it, which may have signed it. */
  readonly invoice: Invoice;
  /** Parcels that it does not have. */
  readonly missing?: readonly Label[];
}

/** A page of what was searched for. */
export interface Matches {
  readonly query: string;
  readonly strict: boolean;
  readonly offset: number;
  readonly limit: number;
  /** Of all pages. */
  readonly total: number;
  /** Whether there are pages after this one. */
  readonly more: boolean;
  readonly yanked: boolean;
  readonly invoices: readonly Invoice[];
}

/** @throws ShapeError */
export function readCreated(value: unknown): CreatedInvoice {
  const table = new TableReader(value, { name: "" });
  return present<CreatedInvoice>({
    invoice: table.table("invoice", readInvoice),
    missing: table.optionalTables("missing", readLabel),
  });
}

/** @throws ShapeError */
export function readMissing(value: unknown): readonly Label[] {
  return new TableReader(value, { name: "" }).optionalTables("missing", readLabel) ?? [];
}

/** @throws ShapeError */
export function readMatches(value: unknown): Matches {
  const table = new TableReader(value, { name: "" });
  return {
    query: table.string("query"),
    strict: table.optionalBoolean("strict") ?? false,
    offset: table.count("offset"),
    limit: table.count("limit"),
    total: table.count("total"),
    more: table.optionalBoolean("more") ?? false,
    yanked: table.optionalBoolean("yanked") ?? false,
    invoices: table.optionalTables("invoices", readInvoice) ?? [],
  };
}
