// Invoices as files: read with a place for whoever wrote them, written so that the reference reads them.

import { SpindleError } from "../../errors/mod.ts";
import { DOCUMENT_BYTES_MAX, type DocumentFormat, formatDocument, parseDocument } from "./document.ts";
import type { Invoice } from "./invoice.ts";
import { readInvoice } from "./read-invoice.ts";
import { ShapeError } from "./table-reader.ts";

/**
 * Reads an invoice; `from` names it in errors.
 *
 * @throws SpindleError BINDLE_INVOICE_INVALID
 */
export function parseInvoice(bytes: Uint8Array, from: string, format: DocumentFormat = "toml"): Invoice {
  try {
    if (bytes.length > DOCUMENT_BYTES_MAX) {
      throw new ShapeError(`it is larger than ${DOCUMENT_BYTES_MAX / 2 ** 20} MiB`);
    }
    return readInvoice(parseDocument(bytes, format));
  } catch (error) {
    throw error instanceof ShapeError ? invoiceInvalid(from, error) : error;
  }
}

export function invoiceInvalid(from: string, error: ShapeError): SpindleError {
  return new SpindleError("BINDLE_INVOICE_INVALID", `Cannot read the invoice ${from}: ${error.message}`, {
    cause: error.cause,
  });
}

/** Writes an invoice. Equal invoices give equal texts: its fields are put in their order first. */
export function formatInvoice(invoice: Invoice, format: DocumentFormat = "toml"): string {
  return formatDocument(readInvoice(invoice), format);
}
