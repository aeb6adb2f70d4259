// `spindle bindle keys` and `login`: who signs, who is believed, who we say we are.

import { printableLine, SpindleError } from "../../errors/mod.ts";
import {
  createSecretKey,
  formatDocument,
  type KeyEntry,
  type Keyring,
  loadKeyring,
  loadSecretKeys,
  login as loginTo,
  publicKeyOf,
  saveKeyring,
  saveSecretKeys,
  withKeys,
} from "../../registry/mod.ts";
import type { KeysOptions } from "./commands.ts";
import { connect, connectWithoutLogin, transportOptions } from "./connect.ts";
import { escapeControls } from "./escape-controls.ts";
import { keyringPath, secretKeysPath, tokenPath } from "./places.ts";
import type { ServerOptions } from "./server-options.ts";

interface Abortable {
  readonly signal: AbortSignal;
}

export async function createKey(options: KeysOptions): Promise<void> {
  const { label = "", role = ["creator"] } = options;
  const file = secretKeysPath(options);
  const secret = createSecretKey(label, role);
  const keys = await loadSecretKeys(file);
  await saveSecretKeys(file, { ...keys, key: [...keys.key, secret] });
  await believe([publicKeyOf(secret)], options);
  process.stdout.write(`secret key: ${file}\n`);
}

export async function listKeys(options: KeysOptions): Promise<void> {
  const [secrets, keyring] = [
    await loadSecretKeys(secretKeysPath(options)),
    await loadKeyring(keyringPath(options)),
  ];
  const own = new Set(secrets.key.map((secret) => publicKeyOf(secret).key));
  for (const { key, label, roles } of keyring.key) {
    process.stdout.write(
      `${key}  ${own.has(key) ? "yours" : "known"}  ${printableLine(label)} (${roles.join(", ")})\n`,
    );
  }
  if (keyring.key.length === 0) process.stderr.write(`There are no keys in ${keyringPath(options)}\n`);
}

export async function exportKeys(options: KeysOptions): Promise<void> {
  const { version, key } = await loadSecretKeys(secretKeysPath(options));
  const keyring: Keyring = { version, key: key.map(publicKeyOf) };
  process.stdout.write(`${escapeControls(formatDocument(keyring, "toml").trimEnd())}\n`);
}

export async function addKeys(file: string, options: KeysOptions): Promise<void> {
  const { key } = await loadKeyring(file);
  if (key.length === 0) {
    throw new SpindleError("BINDLE_KEYS_INVALID", `Cannot use the keys in ${file}: there are none`, {
      hint: "Give the file that `spindle bindle keys export` printed.",
    });
  }
  await believe(key, options);
}

export async function fetchKeys(options: KeysOptions & ServerOptions, { signal }: Abortable): Promise<void> {
  using client = await connect(options);
  const { key } = await client.hostKeys({ signal });
  if (key.length === 0) process.stderr.write(`${client.server} has no keys: it signs nothing\n`);
  else await believe(key, options);
}

async function believe(keys: readonly KeyEntry[], options: KeysOptions): Promise<void> {
  const file = keyringPath(options);
  const before = await loadKeyring(file);
  const after = withKeys(before, keys);
  const added = after.key.slice(before.key.length);
  if (added.length > 0) await saveKeyring(file, after);
  for (const { label, key } of added) process.stdout.write(`added: ${key}  ${printableLine(label)}\n`);
  if (added.length === 0) process.stdout.write("nothing to add: all of them are known\n");
}

export async function login(options: ServerOptions, { signal }: Abortable): Promise<void> {
  using client = await connectWithoutLogin(options);
  const file = tokenPath(new URL(client.server), options);
  await loginTo(client, {
    ...(await transportOptions(options)),
    file,
    signal,
    prompt({ url, code }) {
      process.stderr.write(`${printableLine(`Open ${url} and enter the code ${code}`)}\n`);
    },
  });
  process.stdout.write(`logged in to ${client.server}\n`);
}
