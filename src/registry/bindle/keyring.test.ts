import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import {
  createSecretKey,
  findSecretKey,
  loadKeyring,
  loadSecretKeys,
  publicKeyOf,
  type SecretKeys,
  saveKeyring,
  saveSecretKeys,
  signingKeyOf,
  withKeys,
} from "./keyring.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spindle-keys-"));
});
after(() => rm(folder, { recursive: true }));

const KEYS: SecretKeys = {
  version: "1.0",
  key: [
    createSecretKey("Ann <ann@example.com>", ["creator"]),
    createSecretKey("Bob", ["approver", "host"]),
    createSecretKey("Café 🦀", ["host"]),
  ],
};

test("saveSecretKeys() writes a file for one user's eyes, and loadSecretKeys() reads it", async () => {
  const file = path.join(folder, "deep/er/secret_keys.toml");
  await saveSecretKeys(file, KEYS);
  assert.deepEqual(await loadSecretKeys(file), KEYS);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("saveKeyring() writes what the reference reads: an empty keyring has an empty list", async () => {
  const file = path.join(folder, "empty.toml");
  await saveKeyring(file, { version: "1.0", key: [] });
  assert.match(await readFile(file, "utf8"), /^version = "1.0"\nkey = \[\s*\]\n$/);
});

test("saveKeyring() writes public keys, and loadKeyring() reads them", async () => {
  const file = path.join(folder, "keyring.toml");
  const keyring = { version: "1.0", key: KEYS.key.map((key) => publicKeyOf(key)) };
  await saveKeyring(file, keyring);
  assert.deepEqual(await loadKeyring(file), keyring);
});

test("loadKeyring() and loadSecretKeys() take a file that does not exist for one without keys", async () => {
  assert.deepEqual((await loadKeyring(path.join(folder, "none"))).key, []);
  assert.deepEqual((await loadSecretKeys(path.join(folder, "none"))).key, []);
});

const damaged = [
  { text: "key = ", state: /line 1, column/ },
  { text: "", state: /the field "version" is missing$/ },
  {
    text: `version = "1.0"\n[[key]]\nlabel = "a"\nroles = []\nkey = "AAAA"`,
    state: /"key\[0\].key": it must be 32 bytes in base64$/,
  },
  {
    text: `version = "1.0"\n[[key]]\nlabel = "a"\nroles = ["boss"]\nkey = "${publicKey(0)}"`,
    state: /"key\[0\].roles\[0\]": it must be one of/,
  },
];
function publicKey(index: number): string {
  const secret = KEYS.key[index];
  assert.ok(secret);
  return publicKeyOf(secret).key;
}
for (const { text, state } of damaged) {
  test(`loadKeyring() refuses ${JSON.stringify(text.slice(0, 50))}`, async () => {
    const file = path.join(folder, "damaged.toml");
    await writeFile(file, text);
    await assert.rejects(loadKeyring(file), { code: "BINDLE_KEYS_INVALID", message: state });
  });
}

test("loadKeyring() says when it may not read", async () => {
  await assert.rejects(loadKeyring(folder), {
    code: "BINDLE_KEYS_INVALID",
    message: `Cannot use the keys in ${folder}: it is a directory`,
  });
});

test("signingKeyOf() refuses halves that do not belong together, and what is too short", () => {
  const [one, other] = KEYS.key.map(({ keypair }) => Buffer.from(keypair, "base64"));
  assert.ok(one && other);
  const mixed = Buffer.concat([one.subarray(0, 32), other.subarray(32)]).toString("base64");
  for (const keypair of [mixed, "AAAA", `${mixed} `]) {
    assert.throws(() => signingKeyOf({ label: "a", roles: [], keypair }), { code: "BINDLE_KEYS_INVALID" });
  }
});

const choices = [
  { wanted: { role: "creator" }, finds: "Ann <ann@example.com>" },
  { wanted: { role: "host" }, finds: "Bob" },
  { wanted: { role: "host", label: "Café 🦀" }, finds: "Café 🦀" },
  { wanted: { role: "host", label: "🦀", match: "partial" }, finds: "Café 🦀" },
] as const;
for (const { wanted, finds } of choices) {
  test(`findSecretKey() finds ${finds} for ${JSON.stringify(wanted)}`, () => {
    assert.equal(findSecretKey(KEYS, wanted).label, finds);
  });
}

test("findSecretKey() says that there is none", () => {
  assert.throws(() => findSecretKey(KEYS, { role: "proxy" }), { code: "BINDLE_KEY_MISSING" });
  assert.throws(() => findSecretKey(KEYS, { role: "host", label: "Caf" }), {
    message: 'Cannot sign: no secret key has the role "host" and the label "Caf"',
  });
});

test("withKeys() adds keys that are not there", () => {
  const [ann, bob] = KEYS.key.map((key) => publicKeyOf(key));
  assert.ok(ann && bob);
  const keyring = { version: "1.0", key: [ann] };
  assert.deepEqual(withKeys(keyring, [{ ...ann, label: "Other" }, bob]).key, [ann, bob]);
});
