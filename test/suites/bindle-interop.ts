// Our Bindle client and server against those of the reference, in all four pairings.
//
//     npm run interop:bindle -- --from DIR
//
// DIR holds the programs `bindle` and `bindle-server`, built from github.com/deislabs/bindle at v0.9.2 or
// later. Each pairing does the same: signed pushes and pulls, a push that another client goes on with,
// queries, yanks, refused signatures, wrong passwords. At the end there is one line for each check.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { hashSync } from "bcryptjs";

import {
  BINDLE_VERSION,
  BindleClient,
  type BindleSource,
  createSecretKey,
  formatInvoice,
  type Invoice,
  type Parcel,
  parseBindleId,
  publicKeyOf,
  type SecretKey,
  saveKeyring,
  saveSecretKeys,
  signInvoice,
  writeStandaloneBindle,
} from "../../src/registry/mod.ts";
import {
  type ClientParty,
  type Context,
  ourClient,
  ourServer,
  type Running,
  referenceParties,
  type ServerParty,
} from "./bindle-parties.ts";

const CREATOR = createSecretKey("Creator <creator@example.com>", ["creator"]);
const STRANGER = createSecretKey("Stranger", ["creator"]);
const USER = { name: "ann", password: "sesame é" };

/** One pairing, in a folder of its own. */
interface Pairing {
  readonly client: ClientParty;
  readonly server: ServerParty;
  readonly folder: string;
  readonly running: Running;
  context(): Context;
}

const checks: Readonly<Record<string, (pairing: Pairing) => Promise<void>>> = {
  async "push and pull keep every field and every byte"(pairing) {
    const bindle = fullBindle("full.example.com/hello/1.2.3-rc.1+q0f3a9c1");
    await push(pairing, bindle);
    await push(pairing, bindle);
    const pulled = await pairing.client.pull(pairing.context(), bindle.invoice.bindle);
    assert.equal(withoutHost(pulled.invoice), formatInvoice(bindle.invoice));
    for (const { label } of bindle.invoice.parcel ?? []) {
      const digest = createHash("sha256")
        .update(await pulled.parcel(label.sha256))
        .digest("hex");
      assert.equal(digest, label.sha256, label.name);
    }
  },

  async "500 small parcels"(pairing) {
    const files = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`f/${index}.txt`, `file ${index}`]),
    );
    const bindle = bindleOf("many/1.0.0", files);
    await push(pairing, bindle);
    const pulled = await pairing.client.pull(pairing.context(), bindle.invoice.bindle);
    for (const { label } of bindle.invoice.parcel ?? []) {
      assert.equal((await pulled.parcel(label.sha256)).length, label.size);
    }
  },

  async "a push goes on where another one has stopped"(pairing) {
    const bindle = bindleOf("resumed/1.0.0", { a: "resumed a", b: "resumed b", c: "resumed c" });
    const { bindle: id, parcel = [] } = bindle.invoice;
    const { signal } = pairing.context();
    using client = new BindleClient({ server: pairing.running.url });
    const { missing = [] } = await client.createInvoice(bindle.invoice, { signal });
    assert.equal(missing.length, 3);
    const [first] = parcel;
    const content = first && bindle.contentOf(first.label.sha256);
    assert.ok(content);
    await client.uploadParcel(id, { label: first.label, content }, { signal });
    assert.equal((await client.missingParcels(id, { signal })).length, 2);
    await push(pairing, bindle);
    assert.deepEqual(await client.missingParcels(id, { signal }), []);
  },

  async "a bindle of the same id and other content is not changed"(pairing) {
    await push(pairing, bindleOf("same/1.0.0", { a: "before" }));
    const other = bindleOf("same/1.0.0", { a: "after" });
    // The reference's client does not say that it has changed nothing.
    await push(pairing, other).catch(() => undefined);
    const { invoice } = await pairing.client.pull(pairing.context(), other.invoice.bindle);
    assert.equal(invoice.parcel?.[0]?.label.size, "before".length);
  },

  async "queries find by name and by range"(pairing) {
    for (const id of ["find/me/1.0.0", "find/me/1.1.0", "find/me/2.0.0", "find/other/1.0.0"]) {
      await push(pairing, bindleOf(id, {}));
    }
    const search = (query: string, version: string) =>
      pairing.client.search(pairing.context(), query, version);
    assert.deepEqual(await search("nd/me", ""), ["find/me/1.0.0", "find/me/1.1.0", "find/me/2.0.0"]);
    assert.deepEqual(await search("find", "^1.0.0"), ["find/me/1.0.0", "find/me/1.1.0", "find/other/1.0.0"]);
    assert.deepEqual(await search("find/me", "1.0.0"), ["find/me/1.0.0"]);
    assert.deepEqual(await search("find", ">=1.1, <2"), ["find/me/1.1.0"]);
    assert.deepEqual(await search("nothing", ""), []);
  },

  async "a yanked bindle is given only to those who ask for it"(pairing) {
    const bindle = bindleOf("yanked/1.0.0", { a: "yanked" });
    const { bindle: id } = bindle.invoice;
    await push(pairing, bindle);
    await pairing.client.yank(pairing.context(), id);
    await pairing.client.yank(pairing.context(), id);
    const { signal } = pairing.context();
    using client = new BindleClient({ server: pairing.running.url });
    await assert.rejects(client.getInvoice(id, { signal }), { code: "BINDLE_YANKED" });
    assert.equal((await client.getInvoice(id, { signal, yanked: true })).yanked, true);
    await assert.rejects(pairing.client.pull(pairing.context(), parseBindleId("none/1.0.0")));
  },

  async "a server refuses what is unsigned, signed by a stranger, or forged"(pairing) {
    const unsigned = bindleOf("unsigned/1.0.0", { a: "unsigned" }, "nobody");
    const forged = {
      ...bindleOf("forged/1.0.0", { a: "forged" }).invoice,
      bindle: parseBindleId("forged/1.0.1"),
    };
    for (const bindle of [
      unsigned,
      bindleOf("stranger/1.0.0", {}, STRANGER),
      { ...unsigned, invoice: forged },
    ]) {
      await assert.rejects(push(pairing, bindle));
    }
    const { signal } = pairing.context();
    using client = new BindleClient({ server: pairing.running.url });
    await assert.rejects(client.createInvoice(unsigned.invoice, { signal }), {
      message:
        /signatures `No signatures found on invoice. At least one signature is required` cannot be verified$/,
    });
  },

  async "a client refuses what no host has signed that it knows"(pairing) {
    const bindle = bindleOf("trusted/1.0.0", { a: "trusted" });
    await push(pairing, bindle);
    const keyring = path.join(pairing.folder, "without-host.toml");
    await saveKeyring(keyring, { version: "1.0", key: [publicKeyOf(CREATOR)] });
    const doubting = { ...pairing.context(), keyring };
    await assert.rejects(pairing.client.pull(doubting, bindle.invoice.bindle));
    await pairing.client.fetchKeys(doubting);
    await pairing.client.pull({ ...pairing.context(), keyring }, bindle.invoice.bindle);
  },

  async "a server with users lets them write, and everybody read"(pairing) {
    const htpasswd = path.join(pairing.folder, "htpasswd");
    await writeFile(htpasswd, `${USER.name}:${hashSync(USER.password, 5).replace("$2b$", "$2y$")}\n`);
    const directory = path.join(pairing.folder, "guarded");
    await using running = await pairing.server.start({ ...filesOf(pairing.folder), directory, htpasswd });
    const bindle = bindleOf("guarded/1.0.0", { a: "guarded" });
    const guarded = { ...pairing, running };
    const as = (user?: typeof USER) => ({ ...pairing.context(), server: running.url, ...(user && { user }) });
    await assert.rejects(push(guarded, bindle, as()));
    await assert.rejects(push(guarded, bindle, as({ ...USER, password: "wrong" })));
    await push(guarded, bindle, as(USER));
    await pairing.client.pull(as(), bindle.invoice.bindle);
    await assert.rejects(pairing.client.pull(as({ ...USER, name: "bob" }), bindle.invoice.bindle));
  },
};

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { from: { type: "string" } } });
  if (values.from === undefined) {
    console.error("Usage: npm run interop:bindle -- --from DIR");
    process.exitCode = 2;
    return;
  }
  const theirs = referenceParties(path.resolve(values.from));
  const counts = { passed: 0, failed: 0 };
  for (const client of [ourClient, theirs.client]) {
    for (const server of [ourServer, theirs.server]) {
      console.log(`${client.name}, ${server.name}`);
      for (const [name, problem] of await runPairing(client, server)) {
        counts[problem === undefined ? "passed" : "failed"]++;
        console.log(`  ${problem === undefined ? "ok  " : "FAIL"} ${name}`);
        if (problem !== undefined) console.log(`       ${problem.replaceAll("\n", "\n       ")}`);
      }
    }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

/** Each check with what went wrong in it. */
async function runPairing(
  client: ClientParty,
  server: ServerParty,
): Promise<readonly (readonly [name: string, problem: string | undefined])[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "spindle-interop-"));
  try {
    const files = filesOf(folder);
    const host = createSecretKey("Host", ["host"]);
    await saveSecretKeys(files.signingKeys, { version: "1.0", key: [host] });
    await saveKeyring(files.keyring, { version: "1.0", key: [CREATOR, host].map((key) => publicKeyOf(key)) });
    await using running = await server.start(files);
    let count = 0;
    const context = () => ({
      server: running.url,
      keyring: files.keyring,
      cache: path.join(folder, `cache${++count}`),
      signal: new AbortController().signal,
    });
    const outcomes: [string, string | undefined][] = [];
    for (const [name, check] of Object.entries(checks)) {
      outcomes.push([name, await problemOf(() => check({ client, server, folder, running, context }))]);
    }
    return outcomes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function problemOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

const filesOf = (folder: string) => ({
  directory: path.join(folder, "store"),
  keyring: path.join(folder, "keyring.toml"),
  signingKeys: path.join(folder, "signing-keys.toml"),
});

/** Pushes a bindle that is first written to a directory. */
async function push({ client, folder, context }: Pairing, bindle: BindleSource, as?: Context): Promise<void> {
  const directory = path.join(folder, "standalone");
  const { signal } = context();
  await writeStandaloneBindle(directory, bindle, { signal });
  await client.push(as ?? context(), directory, bindle.invoice.bindle);
}

function withoutHost(invoice: Invoice): string {
  return formatInvoice({
    ...invoice,
    signature: invoice.signature?.filter(({ role }) => role !== "host") ?? [],
  });
}

/** A bindle of text files. */
function bindleOf(
  id: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  signer: SecretKey | "nobody" = CREATOR,
): BindleSource {
  const contents = new Map<string, Uint8Array>();
  const parcel = Object.entries(files).map(([name, data]): Parcel => {
    const bytes = Buffer.from(data);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    contents.set(sha256, bytes);
    return { label: { sha256, mediaType: "text/plain", name, size: bytes.length } };
  });
  const { name, version } = parseBindleId(id);
  const invoice: Invoice = { bindleVersion: BINDLE_VERSION, bindle: { name, version }, parcel };
  return {
    invoice:
      signer === "nobody" ? invoice : signInvoice(invoice, signer, { role: "creator", at: new Date() }),
    contentOf(digest) {
      const bytes = contents.get(digest);
      return bytes && { kind: "bytes", bytes };
    },
  };
}

/** A bindle that has every field there is, in the ways in which they can be there. */
function fullBindle(id: string): BindleSource {
  const files = {
    "hello.wasm": randomBytes(3_000_000),
    "": "no name",
    'é/🦀 "\\\n': "odd name",
    empty: "",
  };
  const bare = bindleOf(id, files, "nobody");
  const conditions = [{}, { memberOf: ["a"], requires: ["b", "c"] }, { memberOf: [] }, undefined];
  const parcel = bare.invoice.parcel?.map(({ label }, index): Parcel => {
    const more = conditions[index];
    return {
      // The reference cannot write an origin that comes after annotations or features.
      label:
        index === 0
          ? { ...label, annotations: { "a b": "é" }, feature: { wasm: { type: "library" } } }
          : { ...label, origin: "o/1.0.0" },
      ...(more && { conditions: more }),
    };
  });
  const invoice: Invoice = {
    ...bare.invoice,
    bindle: {
      ...bare.invoice.bindle,
      description: 'Says "hello"\n\tin 🦀',
      authors: ["A <a@example.com>", "B"],
    },
    annotations: { "spindle:x": "1", "": "empty" },
    parcel: parcel ?? [],
    group: [
      { name: "a", required: true, satisfiedBy: "oneOf" },
      { name: "b", required: false },
      { name: "c" },
    ],
  };
  return { ...bare, invoice: signInvoice(invoice, CREATOR, { role: "creator", at: new Date() }) };
}

await main();
