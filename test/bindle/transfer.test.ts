// Bindles brought to a server, got from it, kept, and written to a directory.

import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";

import { type BindleServer, Users } from "../../src/bindle-server/mod.ts";
import {
  BindleCache,
  type BindleClient,
  type BindleSource,
  createSecretKey,
  digestOfBindleId,
  formatBindleId,
  type Label,
  openStandaloneBindle,
  parseBindleId,
  parseStrategy,
  publicKeyOf,
  pushBindle,
  signInvoice,
  writeStandaloneBindle,
} from "../../src/registry/mod.ts";
import { CERTIFICATE, KEY } from "../executors/certificate.ts";
import { RawClient } from "../http/raw-client.ts";
import { bindleOf, clientOf, type Folder, sha256, signal, startServer, temporaryFolder } from "./bindles.ts";

let folder: Folder;
let server: BindleServer;
let client: BindleClient;
before(async () => {
  folder = await temporaryFolder();
  server = await startServer(path.join(folder.path, "server"));
  client = clientOf(server.url);
});
after(async () => {
  client[Symbol.dispose]();
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

let count = 0;
const newId = () => `test${++count}/1.0.0`;
const labelsOf = ({ invoice }: Pick<BindleSource, "invoice">): readonly Label[] =>
  invoice.parcel?.map(({ label }) => label) ?? [];
const openCache = () => new BindleCache(path.join(folder.path, `cache${++count}`));

/** Larger than what is read or sent in one piece. */
const LARGE = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251));

test("pushBindle() sends everything once, and tells how far it is", async () => {
  const bindle = bindleOf(newId(), { large: LARGE, empty: "", "é 🦀": "text", same: "text" });
  const told: string[] = [];
  const first = await pushBindle(client, bindle, {
    signal,
    progress: ({ parcels, parcelsDone, bytes, bytesDone }) => {
      told.push(`${parcelsDone}/${parcels}`);
      assert.ok(bytesDone <= bytes);
    },
  });
  assert.equal(first.kind, "created");
  assert.deepEqual(first.sent, { parcels: 3, bytes: LARGE.length + 4 });
  assert.deepEqual(told, ["1/3", "2/3", "3/3"]);
  const second = await pushBindle(client, bindle, { signal });
  assert.deepEqual([second.kind, second.sent], ["unchanged", { parcels: 0, bytes: 0 }]);
});

test("pushBindle() goes on where another push has stopped", async () => {
  const bindle = bindleOf(newId(), { a: "resume a", b: "resume b", c: "resume c" });
  await client.createInvoice(bindle.invoice, { signal });
  const [label] = labelsOf(bindle);
  assert.ok(label);
  await client.uploadParcel(
    bindle.invoice.bindle,
    { label, content: { kind: "bytes", bytes: Buffer.from("resume a") } },
    { signal },
  );
  const { kind, sent } = await pushBindle(client, bindle, { signal });
  assert.deepEqual([kind, sent.parcels], ["resumed", 2]);
});

test("pushBindle() lets two push the same at once", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`f${index}`, `at once ${index}`]),
  );
  const bindle = bindleOf(newId(), files);
  using other = clientOf(server.url);
  const results = await Promise.all([client, other].map((one) => pushBindle(one, bindle, { signal })));
  assert.equal(results.filter(({ kind }) => kind === "created").length, 1);
  assert.deepEqual(await client.missingParcels(bindle.invoice.bindle, { signal }), []);
});

test("pushBindle() refuses to change what is there", async () => {
  const id = newId();
  await pushBindle(client, bindleOf(id, { a: "before" }), { signal });
  await assert.rejects(pushBindle(client, bindleOf(id, { a: "after" }), { signal }), {
    code: "BINDLE_EXISTS",
    message: `Cannot push ${id} to ${server.url}: the server has another bindle of this id`,
  });
});

test("pushBindle() refuses to leave a signature behind", async () => {
  const bindle = bindleOf(newId(), {});
  await pushBindle(client, bindle, { signal });
  const key = createSecretKey("Late", ["creator"]);
  const signed = {
    ...bindle,
    invoice: signInvoice(bindle.invoice, key, { role: "creator", at: new Date() }),
  };
  await assert.rejects(pushBindle(client, signed, { signal }), {
    code: "BINDLE_EXISTS",
    message: /the server has it without the signature of "Late"$/,
  });
});

test("pushBindle() does not bring back what was yanked", async () => {
  const bindle = bindleOf(newId(), { a: "yanked" });
  await pushBindle(client, bindle, { signal });
  await client.yank(bindle.invoice.bindle, { signal });
  await assert.rejects(pushBindle(client, bindle, { signal }), { code: "BINDLE_YANKED" });
});

test("pushBindle() says which parcel nobody has, before it sends anything", async () => {
  const bindle = bindleOf(newId(), { here: "is here", gone: "is gone" });
  const source: BindleSource = {
    ...bindle,
    contentOf: (digest) => (digest === sha256("is gone") ? undefined : bindle.contentOf(digest)),
  };
  await assert.rejects(pushBindle(client, source, { signal }), {
    code: "BINDLE_PARCEL_MISSING",
    message: /the parcel "gone" is neither here nor on the server$/,
  });
});

test("pushBindle() refuses to send a file that has changed", async () => {
  const file = path.join(folder.path, "changed");
  for (const [text, state] of [
    ["as long", /has the digest [0-9a-f]{64}, expected/],
    ["short", /has 5 bytes, not the 7/],
    ["much longer", /has more than the 7 bytes/],
  ] as const) {
    await writeFile(file, text);
    const bindle = bindleOf(newId(), { a: "as made" });
    const source: BindleSource = { ...bindle, contentOf: () => ({ kind: "file", path: file }) };
    await assert.rejects(pushBindle(client, source, { signal }), {
      code: "BINDLE_PARCEL_MISMATCH",
      message: state,
    });
    assert.equal((await client.missingParcels(bindle.invoice.bindle, { signal })).length, 1);
  }
});

test("pushBindle() stops when it is told to", async () => {
  const controller = new AbortController();
  const bindle = bindleOf(newId(), { a: "stop a", b: "stop b" });
  const push = pushBindle(client, bindle, {
    signal: controller.signal,
    progress: () => controller.abort(new Error("enough")),
  });
  await assert.rejects(push, { message: "enough" });
});

test("BindleCache gives what was pushed, and only what is asked for", async () => {
  const bindle = bindleOf(newId(), { large: LARGE, small: "small", empty: "", unused: "unused" });
  await pushBindle(client, bindle, { signal });
  const cache = openCache();
  const opened = await cache.openBindle(client, bindle.invoice.bindle, { signal });
  assert.deepEqual(opened.invoice, bindle.invoice);
  const wanted = labelsOf(bindle).filter(({ name }) => name !== "unused");
  const told: number[] = [];
  await opened.fetch(wanted, { signal, progress: ({ parcelsDone }) => told.push(parcelsDone) });
  assert.deepEqual(told, [1, 2, 3]);
  for (const [name, expected] of [
    ["large", LARGE],
    ["small", Buffer.from("small")],
    ["empty", Buffer.alloc(0)],
  ] as const) {
    const label = wanted.find((one) => one.name === name);
    assert.ok(label && (await readFile(opened.pathOf(label))).equals(expected), name);
  }
  const parcels = await readdir(path.dirname(opened.pathOf(wanted[0] ?? assert.fail())));
  assert.deepEqual(parcels.toSorted(), wanted.map(({ sha256 }) => sha256).toSorted());
});

test("BindleCache needs no server for what it has", async () => {
  await using place = await temporaryFolder();
  const bindle = bindleOf(newId(), { a: "offline" });
  const directory = path.join(place.path, "cache");
  let url: string;
  {
    await using server = await startServer(path.join(place.path, "server"));
    url = server.url;
    using client = clientOf(url);
    await pushBindle(client, bindle, { signal });
    const opened = await new BindleCache(directory).openBindle(client, bindle.invoice.bindle, {
      signal,
    });
    await opened.fetch(labelsOf(opened), { signal });
  }
  using client = clientOf(url);
  const cache = new BindleCache(directory);
  const opened = await cache.openBindle(client, bindle.invoice.bindle, { signal });
  await opened.fetch(labelsOf(opened), { signal, progress: () => assert.fail("nothing is to be fetched") });
  await assert.rejects(cache.openBindle(client, bindle.invoice.bindle, { signal, refresh: true }), {
    code: "BINDLE_SERVER_UNREACHABLE",
    message: /: connection refused$/,
  });
  using stranger = clientOf("http://127.0.0.1:9/v1/");
  await assert.rejects(cache.openBindle(stranger, bindle.invoice.bindle, { signal }), {
    code: "BINDLE_SERVER_UNREACHABLE",
  });
});

test("BindleCache notices a yank when it asks the server, and remembers it", async () => {
  const bindle = bindleOf(newId(), {});
  const { bindle: id } = bindle.invoice;
  await pushBindle(client, bindle, { signal });
  const cache = openCache();
  await cache.openBindle(client, id, { signal });
  await client.yank(id, { signal });
  await cache.openBindle(client, id, { signal });
  await assert.rejects(cache.openBindle(client, id, { signal, refresh: true }), { code: "BINDLE_YANKED" });
  const opened = await cache.openBindle(client, id, { signal, refresh: true, yanked: true });
  assert.equal(opened.invoice.yanked, true);
  await assert.rejects(cache.openBindle(client, id, { signal }), { code: "BINDLE_YANKED" });
});

test("BindleCache fetches again what was cut off, and anew what it is told to", async () => {
  const bindle = bindleOf(newId(), { data: "some data", code: "some code" });
  await pushBindle(client, bindle, { signal });
  const opened = await openCache().openBindle(client, bindle.invoice.bindle, { signal });
  await opened.fetch(labelsOf(bindle), { signal });
  const [data, code] = labelsOf(bindle);
  assert.ok(data && code);
  for (const label of [data, code]) await chmod(opened.pathOf(label), 0o600);
  await truncate(opened.pathOf(data), 3);
  await writeFile(opened.pathOf(code), "evil code");
  await opened.fetch([data], { signal });
  await opened.fetch([code], { signal, anew: true });
  assert.equal(await readFile(opened.pathOf(data), "utf8"), "some data");
  assert.equal(await readFile(opened.pathOf(code), "utf8"), "some code");
});

test("BindleCache says that a bindle was pushed by half", async () => {
  const bindle = bindleOf(newId(), { "index.html": "half-pushed" });
  await client.createInvoice(bindle.invoice, { signal });
  const opened = await openCache().openBindle(client, bindle.invoice.bindle, { signal });
  await assert.rejects(opened.fetch(labelsOf(opened), { signal }), {
    code: "BINDLE_INCOMPLETE",
    message: `Cannot fetch "index.html" of ${formatBindleId(bindle.invoice.bindle)} from ${server.url}: the server lacks it`,
  });
});

test("BindleCache trusts only what is signed as it is told, each time", async () => {
  const [known, unknown] = [createSecretKey("Known", ["creator"]), createSecretKey("Unknown", ["creator"])];
  const strategy = parseStrategy("CreativeIntegrity");
  const trust = { strategy, keyring: { version: "1.0", key: [publicKeyOf(known)] } };
  const cache = openCache();
  for (const [key, verdict] of [
    [known, "trusted"],
    [unknown, "refused"],
  ] as const) {
    const { invoice } = bindleOf(newId(), {});
    await client.createInvoice(signInvoice(invoice, key, { role: "creator", at: new Date() }), { signal });
    const open = () => cache.openBindle(client, invoice.bindle, { signal, trust });
    if (verdict === "trusted") await open();
    else await assert.rejects(open(), { code: "BINDLE_SIGNATURE" });
    await cache.openBindle(client, invoice.bindle, { signal });
    if (verdict === "refused") await assert.rejects(open(), { code: "BINDLE_SIGNATURE" });
  }
});

test("BindleCache and BindleServer say that they have no place", async () => {
  const file = path.join(folder.path, "file");
  await writeFile(file, "");
  const expected = {
    code: "BINDLE_STORE_UNUSABLE",
    message: `Cannot use ${file} to store bindles: it is not a directory`,
  };
  const id = parseBindleId(newId());
  await assert.rejects(new BindleCache(file).openBindle(client, id, { signal }), expected);
  await assert.rejects(startServer(file), expected);
});

test("writeStandaloneBindle() writes what openStandaloneBindle() reads, pushes, and runs", async () => {
  const directory = path.join(folder.path, "standalone");
  const id = newId();
  const bindle = bindleOf(id, { large: LARGE, a: "standalone", same: "standalone", empty: "" });
  const written = await writeStandaloneBindle(directory, bindle, { signal });
  assert.equal(written, path.join(directory, digestOfBindleId(parseBindleId(id))));
  assert.deepEqual(await readdir(written), ["invoice.toml", "parcels"]);
  assert.deepEqual(
    await readdir(path.join(written, "parcels")),
    [...new Set(labelsOf(bindle).map(({ sha256 }) => `${sha256}.dat`))].toSorted(),
  );
  const opened = await openStandaloneBindle(directory, parseBindleId(id));
  assert.deepEqual(opened.invoice, bindle.invoice);
  await opened.fetch(labelsOf(opened), { signal });
  // The others came with earlier bindles.
  assert.equal((await pushBindle(client, opened, { signal })).sent.parcels, 1);
});

test("writeStandaloneBindle() replaces a bindle as a whole, and writes equal bindles equally", async () => {
  const directory = path.join(folder.path, "replaced");
  const id = newId();
  const written = await writeStandaloneBindle(directory, bindleOf(id, { old: "old" }), { signal });
  await writeFile(path.join(written, "parcels", "litter.dat"), "");
  await writeStandaloneBindle(directory, bindleOf(id, { new: "new" }), { signal });
  assert.deepEqual(await readdir(path.join(written, "parcels")), [`${sha256("new")}.dat`]);
  const before = await readFile(path.join(written, "invoice.toml"));
  await writeStandaloneBindle(directory, bindleOf(id, { new: "new" }), { signal });
  assert.deepEqual(await readFile(path.join(written, "invoice.toml")), before);
  assert.deepEqual(await readdir(directory), [path.basename(written)]);
});

test("writeStandaloneBindle() leaves nothing of what failed, and what was there before", async () => {
  const directory = path.join(folder.path, "failed");
  const id = newId();
  const written = await writeStandaloneBindle(directory, bindleOf(id, { old: "old" }), { signal });
  const bindle = bindleOf(id, { new: "new" });
  const lying: BindleSource = { ...bindle, contentOf: () => ({ kind: "bytes", bytes: Buffer.from("lie") }) };
  await assert.rejects(writeStandaloneBindle(directory, lying, { signal }), {
    code: "BINDLE_PARCEL_MISMATCH",
    message: /: "new" has the digest/,
  });
  assert.deepEqual(await readdir(directory), [path.basename(written)]);
  assert.deepEqual(await readdir(path.join(written, "parcels")), [`${sha256("old")}.dat`]);
});

test("openStandaloneBindle() says what is wrong with the directory", async () => {
  const directory = path.join(folder.path, "broken");
  const id = parseBindleId(newId());
  await assert.rejects(openStandaloneBindle(directory, id), {
    code: "BINDLE_STANDALONE",
    message: new RegExp(
      `^Cannot read the bindle ${formatBindleId(id)} in ${directory}: .*invoice.toml: no such file`,
    ),
  });
  const written = await writeStandaloneBindle(directory, bindleOf(formatBindleId(id), { a: "broken" }), {
    signal,
  });
  const opened = await openStandaloneBindle(directory, id);
  const file = path.join(written, "parcels", `${sha256("broken")}.dat`);
  await writeFile(file, "brokem");
  await assert.rejects(opened.fetch(labelsOf(opened), { signal }), {
    code: "BINDLE_PARCEL_MISMATCH",
    message: /"a" has the digest/,
  });
  await rm(file);
  await assert.rejects(opened.fetch(labelsOf(opened), { signal }), {
    code: "BINDLE_STANDALONE",
    message: /broken[\s\S]*\.dat: no such file or directory$/,
  });
  const other = bindleOf("other/1.0.0", {});
  await mkdir(path.join(directory, "x"));
  const otherDirectory = await writeStandaloneBindle(path.join(directory, "x"), other, { signal });
  await writeFile(
    path.join(written, "invoice.toml"),
    await readFile(path.join(otherDirectory, "invoice.toml")),
  );
  await assert.rejects(openStandaloneBindle(directory, id), {
    code: "BINDLE_STANDALONE",
    message: /its invoice is that of other\/1.0.0$/,
  });
});

test("a client tells a server who it is, and says what the server thinks of that", async () => {
  await using place = await temporaryFolder();
  const users = path.join(place.path, "htpasswd");
  await writeFile(users, "ann:$2y$05$8e.B3.Ss4HFDS3z/ll4R0e5.3xsdJuSxxdI3CcU1YyOsgxfrKSRQO\n");
  await using server = await startServer(path.join(place.path, "store"), {
    authentication: { kind: "required", authenticator: await Users.load(users) },
  });
  const push = async (credentials?: { readonly user: string; readonly password: string }) => {
    using client = clientOf(server.url, {
      ...(credentials && { credentials: { kind: "basic", ...credentials } }),
    });
    return await pushBindle(client, bindleOf("who/1.0.0", { a: "who" }), { signal });
  };
  await assert.rejects(push(), {
    code: "BINDLE_UNAUTHORIZED",
    message: `Cannot push who/1.0.0 to ${server.url}: the server does not allow it: access denied`,
  });
  await assert.rejects(push({ user: "ann", password: "wrong" }), {
    code: "BINDLE_UNAUTHORIZED",
    message: /the server refused the user name or the password$/,
  });
  assert.equal((await push({ user: "ann", password: "sesame" })).kind, "created");
});

test("a client speaks TLS, and trusts whom it is told to", async () => {
  await using place = await temporaryFolder();
  await using server = await startServer(place.path, { tls: { certificate: CERTIFICATE, key: KEY } });
  const url = server.url.replace("127.0.0.1", "localhost");
  const query = async (tls: object, target = url) => {
    using client = clientOf(target, { tls });
    return (await client.query({}, { signal })).total;
  };
  await assert.rejects(query({}), {
    code: "BINDLE_SERVER_UNREACHABLE",
    message: /: its certificate is not trusted: self-signed certificate$/,
  });
  assert.equal(await query({ ca: CERTIFICATE }), 0);
  assert.equal(await query({ insecure: true }, server.url), 0);
  await assert.rejects(query({ ca: CERTIFICATE }, server.url), {
    message: /its certificate is not trusted: Hostname/,
  });
});

test("a stopped server has answered what was under way", async () => {
  await using place = await temporaryFolder();
  const server = await startServer(place.path);
  using client = clientOf(server.url);
  const { invoice } = bindleOf("stop/1.0.0", { a: "half and half" });
  await client.createInvoice(invoice, { signal });
  const { hostname, port } = new URL(server.url);
  using slow = await RawClient.connect({ host: hostname, port: Number(port) });
  const target = `/v1/_i/stop/1.0.0@${sha256("half and half")}`;
  slow.send(`POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\nhalf and`);
  while ((await readdir(path.join(place.path, "tmp"))).length === 0) await immediate();
  const stopped = server.stop();
  slow.send(" half");
  assert.match(await slow.reply(), /^HTTP\/1.1 200 /);
  await stopped;
});

test("files that only their owner may read are read by nobody else", {
  skip: process.getuid?.() === 0,
}, async () => {
  const file = path.join(folder.path, "secret");
  await writeFile(file, "");
  await chmod(file, 0);
  await assert.rejects(Users.load(file), { message: /permission denied$/ });
  assert.ok((await stat(file)).isFile());
});
