// What the reference has written is read here, and what is written here is what it would have written.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import {
  checkSignatures,
  formatInvoice,
  type Invoice,
  loadKeyring,
  loadSecretKeys,
  parseDocument,
  parseInvoice,
  parseStrategy,
  publicKeyOf,
  readCreated,
  readKeyring,
  readMatches,
  signInvoice,
  withKeys,
} from "../../src/registry/mod.ts";

const pathOf = (name: string) => path.join(import.meta.dirname, "fixtures", name);
const bytesOf = (name: string) => readFile(pathOf(name));
const invoiceOf = async (name: string) => parseInvoice(await bytesOf(name), name);
const keysOf = async () => ({
  keyring: await loadKeyring(pathOf("keyring.toml")),
  secret: (await loadSecretKeys(pathOf("secret_keys.toml"))).key[0] ?? assert.fail(),
});

const unsigned = ({ signature: _, ...rest }: Invoice): Invoice => rest;

test("a keyring of the reference has the public half of its secret key", async () => {
  const { keyring, secret } = await keysOf();
  assert.deepEqual(keyring.key, [publicKeyOf(secret)]);
});

test("a signature of the reference is verified, and made again", async () => {
  const { keyring, secret } = await keysOf();
  const signed = await invoiceOf("signed.toml");
  checkSignatures(signed, { keyring, strategy: parseStrategy("GreedyVerification") });
  const at = new Date((signed.signature?.[0]?.at ?? 0) * 1000);
  const ours = signInvoice(await invoiceOf("unsigned.toml"), secret, { role: "creator", at });
  assert.equal(formatInvoice(ours), formatInvoice(signed));
});

test("what a server of the reference makes of an invoice has the same fields, and its signature", async () => {
  const { keyring } = await keysOf();
  const { invoice, missing } = readCreated(parseDocument(await bytesOf("created.toml"), "toml"));
  assert.deepEqual(unsigned(invoice), unsigned(await invoiceOf("unsigned.toml")));
  assert.deepEqual(
    missing,
    invoice.parcel?.map(({ label }) => label),
  );
  const hostKeys = readKeyring(parseDocument(await bytesOf("host-keys.toml"), "toml"));
  checkSignatures(invoice, {
    keyring: withKeys(keyring, hostKeys.key),
    strategy: parseStrategy("MultipleAttestationGreedy[Creator, Host]"),
  });
});

test("matches of the reference are read from JSON, which has null for what is absent", async () => {
  const { invoices, ...rest } = readMatches(parseDocument(await bytesOf("query.json"), "json"));
  assert.deepEqual(rest, {
    query: "example",
    strict: true,
    offset: 0,
    limit: 50,
    total: 1,
    more: false,
    yanked: false,
  });
  assert.deepEqual(invoices.map(unsigned), [unsigned(await invoiceOf("unsigned.toml"))]);
});
