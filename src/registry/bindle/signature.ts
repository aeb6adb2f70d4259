// Signs invoices, and checks the mathematics of signatures. Whom to believe is a matter of verification.ts.
//
// What is signed is the id, who signs as what, and the digests of the parcels in their order. The time is
// not signed, though the specification says so: no implementation does.

import { sign, verify } from "node:crypto";

import type { Invoice, Signature, SignatureRole } from "./invoice.ts";
import { decodeSignature, type SecretKey, signingKeyOf, verifyingKeyOf } from "./keyring.ts";

/** A signature that cannot be made or believed; the message is the reference's, which servers send. */
export class SignatureError extends Error {
  /** The same, for whoever is about to use the invoice. */
  readonly told: { readonly state: string; readonly hint?: string };

  constructor(message: string, told: SignatureError["told"] = { state: message }) {
    super(message);
    this.told = told;
  }
}

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
  const wrong = (state: string) => ({
    state: `the signature of "${signature.by}" ${state}`,
    hint: FORGED_HINT,
  });
  const key = verifyingKeyOf(signature.key);
  if (!key) throw new SignatureError(`key is corrupt for \`${signature.key}\``, wrong("names a damaged key"));
  const bytes = decodeSignature(signature.signature);
  if (!bytes)
    throw new SignatureError(`signature block is corrupt for key ${signature.key}`, wrong("is damaged"));
  if (!verify(null, signedText(invoice, signature), key, bytes))
    throw unverified(signature.key, wrong("is not for this bindle"));
}

const FORGED_HINT = "Do not run it: it is not what was signed. Tell whoever pushed it.";

export function unverified(what: string, told: SignatureError["told"]): SignatureError {
  return new SignatureError(`signatures \`${what}\` cannot be verified`, told);
}

function signedText({ bindle, parcel = [] }: Invoice, { by, role }: Pick<Signature, "by" | "role">): Buffer {
  const digests = parcel.map(({ label }) => label.sha256);
  return Buffer.from([by, bindle.name, bindle.version, role, "~", ...digests].join("\n"));
}
