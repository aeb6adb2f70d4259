// Keys that sign invoices: public ones in a keyring, secret ones in a file of their own.
//
// The files are those of the reference (`src/invoice/signature.rs` of deislabs/bindle at v0.9.2), which
// reads them too.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { SpindleError } from "../../errors/mod.ts";
import { makeDirectory } from "../../paths/mod.ts";
import { formatDocument, parseDocument } from "./document.ts";
import type { SignatureRole } from "./invoice.ts";
import { readRole } from "./read-invoice.ts";
import { fileStateOf, systemCodeOf } from "./system-error.ts";
import { type Place, present, ShapeError, TableReader, wrong } from "./table-reader.ts";
import { writeWholeFile } from "./whole-file.ts";

export interface Keyring {
  readonly version: string;
  readonly key: readonly KeyEntry[];
}

/** A public key, and what it is trusted for. */
export interface KeyEntry {
  /** Usually `Name <mail address>`. */
  readonly label: string;
  readonly roles: readonly SignatureRole[];
  /** Base64 of 32 bytes. */
  readonly key: string;
  /** The label, signed with the key itself; base64. */
  readonly labelSignature?: string;
}

export interface SecretKeys {
  readonly version: string;
  readonly key: readonly SecretKey[];
}

export interface SecretKey {
  readonly label: string;
  /** Base64 of the 32 bytes of the seed and the 32 of the public key. */
  readonly keypair: string;
  readonly roles: readonly SignatureRole[];
}

const KEYRING_VERSION = "1.0";
export const EMPTY_KEYRING: Keyring = { version: KEYRING_VERSION, key: [] };
export const NO_SECRET_KEYS: SecretKeys = { version: KEYRING_VERSION, key: [] };

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Reads a keyring; a file that does not exist is an empty one. */
export async function loadKeyring(file: string): Promise<Keyring> {
  return await loadKeys(file, readKeyring, EMPTY_KEYRING);
}

export async function saveKeyring(file: string, keyring: Keyring): Promise<void> {
  await saveKeys(file, readKeyring(keyring));
}

/** Reads secret keys; a file that does not exist has none. */
export async function loadSecretKeys(file: string): Promise<SecretKeys> {
  return await loadKeys(file, readSecretKeys, NO_SECRET_KEYS);
}

/** Only the user who writes the file can read it. */
export async function saveSecretKeys(file: string, keys: SecretKeys): Promise<void> {
  await saveKeys(file, readSecretKeys(keys));
}

/** Makes a key that nobody has had before. */
export function createSecretKey(label: string, roles: readonly SignatureRole[]): SecretKey {
  const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const halves = [jwk.d ?? "", jwk.x ?? ""].map((half) => Buffer.from(half, "base64url"));
  return { label, keypair: Buffer.concat(halves).toString("base64"), roles };
}

/** The public half of a key, as an entry for a keyring. */
export function publicKeyOf(secret: SecretKey): KeyEntry {
  const { privateKey, key } = signingKeyOf(secret);
  const labelSignature = sign(null, Buffer.from(secret.label), privateKey).toString("base64");
  return { label: secret.label, roles: secret.roles, key, labelSignature };
}

/** A keyring with more keys; those that it has already stay as they are. */
export function withKeys(keyring: Keyring, entries: readonly KeyEntry[]): Keyring {
  const known = new Set(keyring.key.map(({ key }) => key));
  return { ...keyring, key: [...keyring.key, ...entries.filter(({ key }) => !known.has(key))] };
}

/** The first key for a role, and of a label if one is given: all of it, or a part with `partial`. */
export function findSecretKey(
  keys: SecretKeys,
  wanted: { readonly role: SignatureRole; readonly label?: string; readonly match?: "whole" | "partial" },
): SecretKey {
  const { role, label, match = "whole" } = wanted;
  const fits = (candidate: string) =>
    match === "whole" ? candidate === label : candidate.includes(label ?? "");
  const found = keys.key.find((key) => key.roles.includes(role) && (label === undefined || fits(key.label)));
  if (found) return found;
  const labelled = label === undefined ? "" : ` and the label "${label}"`;
  throw new SpindleError(
    "BINDLE_KEY_MISSING",
    `Cannot sign: no secret key has the role "${role}"${labelled}`,
    {
      hint: "Make one with `spindle bindle keys create`.",
    },
  );
}

/** What signs, and the public key that says so, in base64. */
export function signingKeyOf({ label, keypair }: SecretKey): {
  readonly privateKey: KeyObject;
  readonly key: string;
} {
  const bytes = decodeBase64(keypair, PUBLIC_KEY_BYTES * 2);
  if (!bytes) throw keysInvalid(`the secret key "${label}"`, "it must be 64 bytes in base64");
  const publicKey = bytes.subarray(PUBLIC_KEY_BYTES);
  const d = bytes.subarray(0, PUBLIC_KEY_BYTES).toString("base64url");
  const x = publicKey.toString("base64url");
  try {
    const privateKey = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", d, x }, format: "jwk" });
    return { privateKey, key: publicKey.toString("base64") };
  } catch {
    // The error could tell something of the key, and says nothing that helps.
    throw keysInvalid(`the secret key "${label}"`, "its halves do not belong together");
  }
}

/** A public key in base64, or undefined if it is none. */
export function verifyingKeyOf(key: string): KeyObject | undefined {
  const x = decodeBase64(key, PUBLIC_KEY_BYTES)?.toString("base64url");
  return x === undefined
    ? undefined
    : createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/** The bytes of a signature in base64, or undefined if they cannot be one. */
export function decodeSignature(text: string): Buffer | undefined {
  return decodeBase64(text, SIGNATURE_BYTES);
}

/** Buffer.from() takes nearly anything for base64; keys and signatures are compared as text, and have one form. */
function decodeBase64(text: string, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, "base64");
  return decoded.length === bytes && decoded.toString("base64") === text ? decoded : undefined;
}

/** @throws ShapeError */
export function readKeyring(value: unknown): Keyring {
  const table = new TableReader(value, { name: "" });
  return { version: table.string("version"), key: table.optionalTables("key", readKeyEntry) ?? [] };
}

function readKeyEntry(value: unknown, place: Place): KeyEntry {
  const table = new TableReader(value, place);
  const key = table.string("key");
  if (!verifyingKeyOf(key)) throw wrong(table.placeOf("key"), "it must be 32 bytes in base64");
  return present<KeyEntry>({
    label: table.string("label"),
    roles: readRoles(table),
    key,
    labelSignature: table.optionalString("labelSignature"),
  });
}

function readSecretKeys(value: unknown): SecretKeys {
  const table = new TableReader(value, { name: "" });
  return { version: table.string("version"), key: table.optionalTables("key", readSecretKey) ?? [] };
}

function readSecretKey(value: unknown, place: Place): SecretKey {
  const table = new TableReader(value, place);
  return { label: table.string("label"), keypair: table.string("keypair"), roles: readRoles(table) };
}

function readRoles(table: TableReader): readonly SignatureRole[] {
  const inside = table.placeOf("roles");
  return (table.optionalArray("roles") ?? []).map((role, index) => readRole(role, { name: index, inside }));
}

async function loadKeys<T>(file: string, read: (value: unknown) => T, none: T): Promise<T> {
  try {
    return read(parseDocument(await readFile(file), "toml"));
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return none;
    throw keysUnusable(file, error);
  }
}

async function saveKeys(file: string, keys: object): Promise<void> {
  const directory = path.dirname(file);
  try {
    makeDirectory(directory);
    const options = { temporaryDirectory: directory, mode: 0o600 };
    await writeWholeFile(file, options, (handle) => handle.writeFile(formatDocument(keys, "toml")));
  } catch (error) {
    throw keysUnusable(file, error);
  }
}

function keysUnusable(file: string, error: unknown): unknown {
  const state = error instanceof ShapeError ? error.message : fileStateOf(error);
  return state === undefined ? error : keysInvalid(`the keys in ${file}`, state);
}

function keysInvalid(what: string, state: string): SpindleError {
  return new SpindleError("BINDLE_KEYS_INVALID", `Cannot use ${what}: ${state}`);
}
