// Signs invoices, and checks the mathematics of signatures. Whom to believe is a matter of verification.ts.
//
// What is signed is the id, who signs as what, and the digests of the parcels in their order. The time is
// not signed, though the specification says so: no implementation does.

import { sign, verify } from "node:crypto";

import type { Invoice, Signature, SignatureRole } from "./invoice.ts";
import { decodeSignature, type SecretKey, signingKeyOf, verifyingKeyOf } from "./keyring.ts";

/** A signature that cannot be made or believed; the message is the reference's. */
export class SignatureError extends Error {}

/**
 * The invoice with one more signature.
 *
 * @throws SignatureError if the key has signed it already, whatever the role
 */
export function signInvoice(
  invoice: Invoice,
  secret: SecretKey,
  { role, at }: { readonly role: SignatureRole; readonly at: Date },
): Invoice {
  const { privateKey, key } = signingKeyOf(secret);
  const signatures = invoice.signature ?? [];
  if (signatures.some((signature) => signature.key === key)) {
    throw new SignatureError("cannot sign the data again with a key that has already signed the data");
  }
  const text = signedText(invoice, { by: secret.label, role });
  const signature = sign(null, text, privateKey).toString("base64");
  const atSeconds = Math.floor(at.getTime() / 1000);
  return {
    ...invoice,
    signature: [...signatures, { by: secret.label, signature, key, role, at: atSeconds }],
  };
}

/**
 * Checks that a signature was made with the key that it names, for this invoice.
 *
 * @throws SignatureError
 */
export function checkSignature(invoice: Invoice, signature: Signature): void {
  const key = verifyingKeyOf(signature.key);
  if (!key) throw new SignatureError(`key is corrupt for \`${signature.key}\``);
  const bytes = decodeSignature(signature.signature);
  if (!bytes) throw new SignatureError(`signature block is corrupt for key ${signature.key}`);
  if (!verify(null, signedText(invoice, signature), key, bytes)) throw unverified(signature.key);
}

export function unverified(what: string): SignatureError {
  return new SignatureError(`signatures \`${what}\` cannot be verified`);
}

function signedText({ bindle, parcel = [] }: Invoice, { by, role }: Pick<Signature, "by" | "role">): Buffer {
  const digests = parcel.map(({ label }) => label.sha256);
  return Buffer.from([by, bindle.name, bindle.version, role, "~", ...digests].join("\n"));
}
