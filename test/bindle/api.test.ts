// What a Bindle server answers, byte for byte where the reference leaves no choice.

import assert from "node:assert/strict";
import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";

import type { BindleServer } from "../../src/bindle-server/mod.ts";
import { Users } from "../../src/bindle-server/mod.ts";
import {
  createSecretKey,
  digestOfBindleId,
  formatInvoice,
  type Invoice,
  parseBindleId,
  parseStrategy,
  publicKeyOf,
  signInvoice,
} from "../../src/registry/mod.ts";
import { RawClient } from "../http/raw-client.ts";
import { bindleOf, type Folder, sha256, startServer, temporaryFolder } from "./bindles.ts";

let folder: Folder;
let server: BindleServer;
before(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path, { limits: { invoiceBytes: 10_000, parcelBytes: 1000 } });
});
after(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function ask(
  method: string,
  target: string,
  more: RequestInit = {},
  base = server.url,
): Promise<Answer> {
  const response = await fetch(new URL(target, base), { method, ...more });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const TOML = { "content-type": "application/toml" };
const create = (invoice: Invoice | string, base?: string) =>
  ask(
    "POST",
    "_i",
    { headers: TOML, body: typeof invoice === "string" ? invoice : formatInvoice(invoice) },
    base,
  );

const errorOf = ({ body }: Answer) => /^error = "(.*)"\n$/.exec(body)?.[1]?.replaceAll('\\"', '"');

/** A bindle of its own for each test. */
let count = 0;
function someBindle(files: Readonly<Record<string, string>> = {}): Invoice {
  return bindleOf(`test${++count}/1.0.0`, files).invoice;
}
const nameOf = ({ bindle }: Invoice) => `${bindle.name}/${bindle.version}`;

test("POST _i gives 201 if nothing is missing, and the invoice", async () => {
  const invoice = someBindle();
  const { status, headers, body } = await create(invoice);
  assert.equal(status, 201);
  assert.equal(headers.get("content-type"), "application/toml");
  assert.match(body, /^\[invoice\]\nbindleVersion = "1.0.0"\n/);
});

test("POST _i gives 202 and the labels of what is missing; a parcel serves all bindles that list it", async () => {
  const [one, other] = [someBindle({ a: "a1", b: "b1" }), someBindle({ c: "a1", d: "d1" })];
  const { status, body } = await create(one);
  assert.equal(status, 202);
  assert.match(body, new RegExp(`\\[\\[missing\\]\\]\nsha256 = "${sha256("a1")}"`));
  const created = await ask("POST", `_i/${nameOf(one)}@${sha256("a1")}`, { body: "a1" });
  assert.deepEqual([created.status, created.body], [200, 'message = "parcel created"\n']);
  const second = await create(other);
  assert.equal(second.status, 202);
  assert.doesNotMatch(second.body.split("[[missing]]").slice(1).join(), new RegExp(sha256("a1")));
});

test("POST _i takes JSON too, and answers what is accepted first", async () => {
  const invoice = someBindle();
  const headers = {
    "content-type": "application/json; charset=utf-8",
    accept: "text/html, text/json;q=0.1, application/toml",
  };
  const {
    status,
    headers: given,
    body,
  } = await ask("POST", "_i", { headers, body: JSON.stringify(invoice) });
  assert.deepEqual([status, given.get("content-type")], [201, "application/json"]);
  assert.deepEqual(JSON.parse(body).invoice.bindle, invoice.bindle);
});

const DIGEST = sha256("x");
const refusedInvoices = [
  { what: "no TOML", body: "a =", status: 400, error: /^Request body toml deserialize error: line 1/ },
  { what: "an unknown field", body: "color = 1", status: 400, error: /: unknown field "color"$/ },
  {
    what: "a name that climbs",
    body: 'bindleVersion = "1"\nbindle = { name = "../a", version = "1.0.0" }',
    status: 400,
    error: /its name has a part ".."$/,
  },
  {
    what: "yanked",
    body: 'bindleVersion = "1"\nyanked = true\nbindle = { name = "a", version = "1.0.0" }',
    status: 422,
    error: /^bindle cannot be created as yanked$/,
  },
  {
    what: "a parcel over the limit",
    body: `bindleVersion = "1"\nbindle = { name = "a", version = "1.0.0" }\nparcel = [{ label = { sha256 = "${DIGEST}", mediaType = "a/b", name = "a", size = 1001 } }]`,
    status: 413,
    error: /^parcel [0-9a-f]{64} is larger than 1000 bytes$/,
  },
  {
    what: "more signatures than are checked",
    body: `bindleVersion = "1"\nbindle = { name = "a", version = "1.0.0" }\nsignature = [${"{},".repeat(33)}]`,
    status: 400,
    error: /: it has 33 signatures, more than 32$/,
  },
  {
    what: "a body over the limit",
    body: "#".repeat(10_001),
    status: 413,
    error: /^request body is larger than 10000 bytes$/,
  },
];
for (const { what, body, status, error } of refusedInvoices) {
  test(`POST _i refuses ${what} with ${status}`, async () => {
    const answer = await create(body);
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get("content-type"), "application/toml");
    assert.match(errorOf(answer) ?? "", error);
  });
}

test("POST _i refuses a chunked body over the limit without waiting for its end", async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(1000, "#");
  }
  const answer = await ask("POST", "_i", { headers: TOML, body: endless(), duplex: "half" });
  assert.equal(answer.status, 413);
});

const slow = [
  { what: "an invoice", head: "POST /v1/_i HTTP/1.1\r\nContent-Type: application/toml" },
  { what: "the rest of a request that was refused", head: "POST /v1/none HTTP/1.1" },
  { what: "a body that nobody asked for", head: "GET /v1/_q HTTP/1.1" },
];
for (const { what, head } of slow) {
  test(`a client that sends ${what} a byte at a time loses its connection`, async () => {
    await using place = await temporaryFolder();
    await using impatient = await startServer(place.path, { limits: { documentMs: 50 } });
    const { hostname, port } = new URL(impatient.url);
    using client = await RawClient.connect({ host: hostname, port: Number(port) });
    client.send(`${head}\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`);
    const trickle = setInterval(() => client.send("#"), 5);
    try {
      await client.rest();
    } finally {
      clearInterval(trickle);
    }
  });
}

test("a connection serves many requests, however long after one another they come, and all at once", async () => {
  await using place = await temporaryFolder();
  await using impatient = await startServer(place.path, { limits: { documentMs: 1 } });
  const { hostname, port } = new URL(impatient.url);
  using client = await RawClient.connect({ host: hostname, port: Number(port) });
  const request = "GET /v1/_q HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const count of [1, 2, 50]) {
    client.send(request.repeat(count));
    for (let reply = 0; reply < count; reply++) assert.match(await client.reply(), /^HTTP\/1\.1 200 /);
    await sleep(5);
  }
});

for (const type of ["text/plain", "application/x-www-form-urlencoded", "toml", "text/toml"]) {
  test(`POST _i refuses the content type ${type}`, async () => {
    const { status } = await ask("POST", "_i", {
      headers: { "content-type": type },
      body: formatInvoice(someBindle()),
    });
    assert.equal(status, 400);
  });
}

test("POST _i gives 409 for an id that exists, whatever the invoice says", async () => {
  const invoice = someBindle();
  await create(invoice);
  const answer = await create({ ...invoice, bindle: { ...invoice.bindle, description: "another" } });
  assert.deepEqual([answer.status, errorOf(answer)], [409, "resource already exists"]);
});

test("POST _i lets one of many win that create the same invoice at once", async () => {
  const invoice = someBindle();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      create({ ...invoice, bindle: { ...invoice.bindle, description: `by ${index}` } }),
    ),
  );
  const winners = answers.filter(({ status }) => status === 201);
  assert.equal(winners.length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 19);
  const { body } = await ask("GET", `_i/${nameOf(invoice)}`);
  assert.ok(winners[0]?.body.includes(/^description = .*$/m.exec(body)?.[0] ?? "?"), body);
  assert.deepEqual(await readdir(path.join(folder.path, "tmp")), []);
});

test("GET _i gives an invoice as TOML or JSON, HEAD its headers", async () => {
  const invoice = someBindle({ "é 🦀": "1" });
  await create(invoice);
  const target = `_i/${nameOf(invoice)}`;
  assert.equal((await ask("GET", target)).body, formatInvoice(invoice));
  const json = await ask("GET", target, { headers: { accept: "application/json" } });
  assert.deepEqual(JSON.parse(json.body), invoice);
  const head = await ask("HEAD", target);
  assert.deepEqual(
    [head.status, head.body, head.headers.get("content-length")],
    [200, "", String(Buffer.byteLength(formatInvoice(invoice)))],
  );
});

test("GET _i finds names that a URL has to encode", async () => {
  const invoice = bindleOf("café/a+b/1.0.0+q1", {}).invoice;
  await create(invoice);
  assert.equal((await ask("GET", "_i/café/a+b/1.0.0+q1")).status, 200);
  assert.equal((await ask("GET", "_i/caf%C3%A9/a%2Bb/1.0.0%2Bq1")).status, 200);
});

test("GET _i gives 404 for what is not there, and HEAD too", async () => {
  for (const method of ["GET", "HEAD"]) assert.equal((await ask(method, "_i/none/1.0.0")).status, 404);
  const answer = await ask("GET", "_i/none/1.0.0");
  assert.equal(
    errorOf(answer),
    "resource not found: if an item does not appear in our records, it does not exist!",
  );
});

const PARCEL = "0".repeat(64);
const badTargets = [
  { target: "_i/none", status: 400, error: "invalid ID given" },
  { target: "_i/none/1.0", status: 400, error: "invalid ID given" },
  { target: "_i/", status: 400, error: "invalid ID given" },
  { target: "_i/%ff/1.0.0", status: 400, error: "invalid ID given" },
  { target: "_i/a%2f..%2fb/1.0.0", status: 400, error: "invalid ID given" },
  { target: "_i/a%00/1.0.0", status: 400, error: "invalid ID given" },
  { target: "_i/a/1.0.0@b@c", status: 400, error: "Invalid URL. Missing Bindle ID and/or parcel SHA" },
  {
    target: "_i/a/1.0.0@..%2f..%2finvoices",
    status: 400,
    error: "Parcel SHA ..%2f..%2finvoices does not exist in invoice a/1.0.0",
  },
  { target: `_i/none/1.0.0@${PARCEL}`, status: 404, error: /^resource not found/ },
  { target: "_r/missing/none/1.0.0", status: 404, error: /^resource not found/ },
  { target: "_r/missing/..%2f", status: 400, error: "invalid ID given" },
  { target: "_q?color=1", status: 400, error: "Invalid query string" },
  { target: "_q?q=a&query=b", status: 400, error: "Invalid query string" },
  { target: "_q?l=256", status: 400, error: "Invalid query string" },
  { target: "_q?o=-1", status: 400, error: "Invalid query string" },
  { target: "_q?yanked=maybe", status: 400, error: "Invalid query string" },
  { target: "_q?__proto__=1", status: 400, error: "Invalid query string" },
  {
    target: `_q?q=${"a".repeat(257)}`,
    status: 400,
    error: "Cannot search: the query is longer than 256 characters",
  },
  {
    target: `_q?q=${"a+".repeat(17)}`,
    status: 400,
    error: "Cannot search: the query has more than 16 words",
  },
  {
    target: `_q?v=${"1".repeat(257)}`,
    status: 400,
    error: "Cannot search: the version is longer than 256 characters",
  },
  { target: "login", status: 400, error: "Invalid query string" },
  { target: "login?provider=x", status: 400, error: "Error with auth request" },
  {
    target: "bindle-keys?roles=creator",
    status: 400,
    error: /only supports returning keys with the role of `host`/,
  },
  { target: "bindle-keys?roles=host,creator", status: 400, error: /only supports/ },
  { target: "other", status: 404, error: /^resource not found/ },
  { target: "/", status: 404, error: /^resource not found/ },
  { target: "/v2/_q", status: 404, error: /^resource not found/ },
];
for (const { target, status, error } of badTargets) {
  test(`GET ${target} gives ${status}`, async () => {
    const answer = await ask("GET", target);
    assert.equal(answer.status, status);
    if (typeof error === "string") assert.equal(errorOf(answer), error);
    else assert.match(errorOf(answer) ?? "", error);
  });
}

test("paths that climb are sent as they are, and lead nowhere", async () => {
  const { hostname, port } = new URL(server.url);
  using client = await RawClient.connect({ host: hostname, port: Number(port) });
  client.send("GET /v1/_i/../../../../etc/passwd/1.0.0 HTTP/1.1\r\nhost: x\r\n\r\n");
  assert.match(await client.reply(), /^HTTP\/1.1 400 [\s\S]*error = "invalid ID given"/);
});

test("a method that a path does not have gives 405", async () => {
  for (const [method, target, allow] of [
    ["PUT", "_i", "POST"],
    ["GET", "_i", "POST"],
    ["PATCH", "_i/a/1.0.0", "GET, DELETE"],
    ["DELETE", `_i/a/1.0.0@${PARCEL}`, "GET, POST"],
    ["POST", "_q", "GET"],
  ] as const) {
    const { status, headers } = await ask(method, target);
    assert.deepEqual([status, headers.get("allow")], [405, allow], target);
  }
});

test("GET of a parcel gives its bytes and its media type, HEAD its headers", async () => {
  const invoice = someBindle({ a: "Hello é" });
  await create(invoice);
  const target = `_i/${nameOf(invoice)}@${sha256("Hello é")}`;
  assert.equal((await ask("GET", target)).status, 404);
  await ask("POST", target, { body: "Hello é" });
  const { status, headers, body } = await ask("GET", target);
  assert.deepEqual([status, headers.get("content-type"), body], [200, "text/plain", "Hello é"]);
  const head = await ask("HEAD", target);
  assert.deepEqual([head.status, head.headers.get("content-length"), head.body], [200, "8", ""]);
});

test("a media type that would be two headers is not sent", async () => {
  const { invoice } = bindleOf(`test${++count}/1.0.0`, { a: "1x" });
  const [parcel] = invoice.parcel ?? [];
  assert.ok(parcel);
  await create({
    ...invoice,
    parcel: [{ label: { ...parcel.label, mediaType: "text/html\r\nset-cookie: a=b" } }],
  });
  const target = `_i/${nameOf(invoice)}@${sha256("1x")}`;
  await ask("POST", target, { body: "1x" });
  const { headers } = await ask("GET", target);
  assert.equal(headers.get("content-type"), "application/octet-stream");
  assert.equal(headers.get("set-cookie"), null);
});

const refusedParcels = [
  { what: "other bytes", body: "1234", status: 400, error: "digest does not match" },
  { what: "too few bytes", body: "123", status: 400, error: "parcel size does not match invoice" },
  { what: "too many bytes", body: "12345", status: 400, error: "parcel size does not match invoice" },
];
for (const { what, body, status, error } of refusedParcels) {
  for (const framing of ["a length", "chunks"]) {
    test(`POST of a parcel refuses ${what}, sent with ${framing}, and keeps nothing`, async () => {
      const invoice = someBindle({ a: `abc${count % 10}` });
      await create(invoice);
      const digest = invoice.parcel?.[0]?.label.sha256;
      async function* chunks() {
        yield Buffer.from(body);
      }
      const init = framing === "chunks" ? ({ body: chunks(), duplex: "half" } as const) : { body };
      const answer = await ask("POST", `_i/${nameOf(invoice)}@${digest}`, init);
      assert.deepEqual([answer.status, errorOf(answer)], [status, error]);
      assert.match(
        (await ask("GET", `_r/missing/${nameOf(invoice)}`)).body,
        new RegExp(`sha256 = "${digest}"`),
      );
      assert.deepEqual(await readdir(path.join(folder.path, "tmp")), []);
    });
  }
}

test("POST of a parcel gives 409 if it is there, and 400 if the invoice does not list it", async () => {
  const invoice = someBindle({ a: "twice" });
  await create(invoice);
  const target = `_i/${nameOf(invoice)}@${sha256("twice")}`;
  await ask("POST", target, { body: "twice" });
  const again = await ask("POST", target, { body: "twice" });
  assert.deepEqual([again.status, errorOf(again)], [409, "resource already exists"]);
  const stranger = await ask("POST", `_i/${nameOf(invoice)}@${PARCEL}`, { body: "" });
  assert.equal(errorOf(stranger), `Parcel SHA ${PARCEL} does not exist in invoice ${nameOf(invoice)}`);
});

test("a parcel that the disk has lost a part of is missing, and can be sent again", async () => {
  const invoice = someBindle({ a: "whole" });
  await create(invoice);
  const target = `_i/${nameOf(invoice)}@${sha256("whole")}`;
  await ask("POST", target, { body: "whole" });
  await truncate(path.join(folder.path, "parcels", sha256("whole"), "parcel.dat"), 2);
  assert.equal((await ask("GET", target)).status, 404);
  assert.equal((await ask("POST", target, { body: "whole" })).status, 200);
  assert.equal((await ask("GET", target)).body, "whole");
});

test("an upload whose client leaves in the middle leaves nothing", async () => {
  const invoice = someBindle({ a: "left in the middle" });
  await create(invoice);
  const target = `/v1/_i/${nameOf(invoice)}@${sha256("left in the middle")}`;
  const { hostname, port } = new URL(server.url);
  const temporary = path.join(folder.path, "tmp");
  {
    using client = await RawClient.connect({ host: hostname, port: Number(port) });
    client.send(`POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: 18\r\n\r\nleft in`);
    while ((await readdir(temporary)).length === 0) await immediate();
  }
  while ((await readdir(temporary)).length > 0) await immediate();
  assert.equal((await ask("GET", target)).status, 404);
});

test("POST of an empty parcel stores it", async () => {
  const invoice = someBindle({ empty: "" });
  await create(invoice);
  const target = `_i/${nameOf(invoice)}@${sha256("")}`;
  assert.equal((await ask("POST", target, { body: "" })).status, 200);
  const { status, body } = await ask("GET", target);
  assert.deepEqual([status, body], [200, ""]);
});

test("DELETE yanks, again if asked again; then a bindle is given only to those who ask for it", async () => {
  const invoice = someBindle({ a: "yank" });
  await create(invoice);
  const target = `_i/${nameOf(invoice)}`;
  for (let time = 1; time <= 2; time++) {
    const answer = await ask("DELETE", target);
    assert.deepEqual([answer.status, answer.body], [200, 'message = "invoice yanked"\n']);
  }
  const parcel = `${target}@${sha256("yank")}`;
  const refused = [
    await ask("GET", target),
    await ask("GET", parcel),
    await ask("POST", parcel, { body: "yank" }),
    await ask("GET", `_r/missing/${nameOf(invoice)}`),
  ];
  for (const answer of refused) assert.deepEqual([answer.status, errorOf(answer)], [403, "bindle is yanked"]);
  assert.match((await ask("GET", `${target}?yanked=true`)).body, /^yanked = true$/m);
  assert.equal((await create(invoice)).status, 409);
  assert.equal((await ask("DELETE", "_i/none/1.0.0")).status, 404);
});

test("GET _q gives pages of what matches, without what was yanked", async () => {
  const ids = ["find/a/1.0.0", "find/b/1.0.0", "find/b/1.1.0", "find/c/2.0.0"];
  for (const id of ids) await create(bindleOf(id, {}).invoice);
  await ask("DELETE", "_i/find/b/1.0.0");
  const search = async (parameters: string) =>
    JSON.parse((await ask("GET", `_q?${parameters}`, { headers: { accept: "application/json" } })).body);
  const { invoices, ...rest } = await search("q=find&l=2");
  assert.deepEqual(rest, {
    query: "find",
    strict: true,
    offset: 0,
    limit: 2,
    total: 3,
    more: true,
    yanked: false,
  });
  assert.deepEqual(invoices.map(nameOf), ["find/a/1.0.0", "find/b/1.1.0"]);
  assert.deepEqual((await search("q=find&o=2")).invoices.map(nameOf), ["find/c/2.0.0"]);
  assert.deepEqual((await search("q=find&offset=3")).invoices, []);
  assert.equal((await search("query=find&yanked=true&strict=false")).total, 4);
  assert.deepEqual((await search("q=find&v=%5E1.0.0")).invoices.map(nameOf), [
    "find/a/1.0.0",
    "find/b/1.1.0",
  ]);
  assert.deepEqual((await search("q=find&limit=0")).invoices, []);
  assert.equal((await ask("HEAD", "_q?q=find")).status, 200);
});

test("GET _q ends a page before it is larger than clients read", async () => {
  await using place = await temporaryFolder();
  await using ample = await startServer(place.path);
  const description = "x".repeat(900_000);
  const bindle = (name: string) => ({ ...parseBindleId(`large/${name}/1.0.0`), description });
  for (const name of ["a", "b", "c"])
    await create({ ...bindleOf("x/1.0.0", {}).invoice, bindle: bindle(name) }, ample.url);
  const search = async (offset: number) => {
    const headers = { accept: "application/json" };
    return JSON.parse((await ask("GET", `_q?q=large&o=${offset}`, { headers }, ample.url)).body);
  };
  const [first, last] = [await search(0), await search(2)];
  assert.deepEqual(first.invoices.map(nameOf), ["large/a/1.0.0", "large/b/1.0.0"]);
  assert.deepEqual([first.total, first.more], [3, true]);
  assert.deepEqual(last.invoices.map(nameOf), ["large/c/1.0.0"]);
  assert.equal(last.more, false);
});

test("GET /healthz says that the server is well", async () => {
  assert.deepEqual(JSON.parse((await ask("GET", "/healthz")).body), { status: "OK", version: "0.0.0" });
});

test("a second server on one directory is refused, and leaves it to the first one", async () => {
  await using place = await temporaryFolder();
  await using first = await startServer(place.path);
  await assert.rejects(startServer(place.path), { code: "BINDLE_STORE_BUSY" });
  assert.equal((await ask("GET", "_q", {}, first.url)).status, 200);
});

test("a server that cannot listen leaves its directory to another", async () => {
  await using place = await temporaryFolder();
  const { hostname, port } = new URL(server.url);
  const listen = { host: hostname, port: Number(port) };
  await assert.rejects(startServer(place.path, { listen }), { code: "PORT_IN_USE" });
  await using _ = await startServer(place.path);
});

test("a server finds again what was stored before it began, whoever has yanked it", async () => {
  await using place = await temporaryFolder();
  const { invoice } = bindleOf("old/1.0.0", { a: "old" });
  {
    await using before = await startServer(place.path);
    await create(invoice, before.url);
    await ask("POST", `_i/old/1.0.0@${sha256("old")}`, { body: "old" }, before.url);
    await create(bindleOf("older/1.0.0", {}).invoice, before.url);
    await ask("DELETE", "_i/older/1.0.0", {}, before.url);
  }
  await using now = await startServer(place.path);
  assert.equal((await ask("GET", `_i/old/1.0.0@${sha256("old")}`, {}, now.url)).body, "old");
  assert.match((await ask("GET", "_q?q=old", {}, now.url)).body, /^total = 1$/m);
  assert.equal((await ask("GET", "_i/older/1.0.0", {}, now.url)).status, 403);
});

test("a server takes over what a server of the reference left behind: half an upload is nothing", async () => {
  await using place = await temporaryFolder();
  const { invoice } = bindleOf("half/1.0.0", { a: "half", b: "none" });
  const stuck = path.join(place.path, "parcels", sha256("half"));
  const begun = path.join(place.path, "invoices", digestOfBindleId(parseBindleId("half/1.0.0")));
  for (const directory of [stuck, begun, path.join(place.path, "parcels", sha256("none"))]) {
    await mkdir(directory, { recursive: true });
  }
  await writeFile(path.join(stuck, "parcel.dat.part"), "ha");
  await writeFile(path.join(begun, "invoice.toml.part"), "bindleV");
  await using server = await startServer(place.path);
  assert.equal((await create(invoice, server.url)).body.split("[[missing]]").length, 3);
  for (const text of ["half", "none"]) {
    const target = `_i/half/1.0.0@${sha256(text)}`;
    assert.equal((await ask("POST", target, { body: text }, server.url)).status, 200);
    assert.equal((await ask("GET", target, {}, server.url)).body, text);
  }
  assert.equal((await create(invoice, server.url)).status, 409);
  assert.deepEqual(await readdir(path.join(place.path, "tmp")), []);
});

test("a server reports an invoice that it cannot read, and serves the others", async () => {
  await using place = await temporaryFolder();
  const damaged = path.join(place.path, "invoices", digestOfBindleId(parseBindleId("bad/1.0.0")));
  await mkdir(damaged, { recursive: true });
  await writeFile(path.join(damaged, "invoice.toml"), "bindleVersion = ");
  const reports: string[] = [];
  await using server = await startServer(place.path, { report: (message) => reports.push(message) });
  await create(bindleOf("good/1.0.0", {}).invoice, server.url);
  assert.match((await ask("GET", "_q", {}, server.url)).body, /^total = 1$/m);
  assert.match(reports.join(), /^Cannot read the invoice .*invoice.toml: line 1/);
  assert.equal((await ask("GET", "_i/bad/1.0.0", {}, server.url)).status, 500);
});

test("with users, everybody may read, and users may write", async () => {
  await using place = await temporaryFolder();
  const file = path.join(place.path, "htpasswd");
  await writeFile(file, "ann:$2y$05$8e.B3.Ss4HFDS3z/ll4R0e5.3xsdJuSxxdI3CcU1YyOsgxfrKSRQO\n");
  const authentication = { kind: "required", authenticator: await Users.load(file) } as const;
  await using server = await startServer(path.join(place.path, "store"), { authentication });
  const as = (user: string) => ({ authorization: `Basic ${Buffer.from(user).toString("base64")}` });
  const body = formatInvoice(bindleOf("auth/1.0.0", {}).invoice);
  const post = (user?: string) =>
    ask("POST", "_i", { headers: { ...TOML, ...(user && as(user)) }, body }, server.url);

  const denied = await post();
  assert.deepEqual([denied.status, errorOf(denied)], [403, "access denied"]);
  const wrong = await post("ann:open");
  assert.deepEqual([wrong.status, errorOf(wrong)], [401, "unauthorized"]);
  assert.equal((await post("ann:sesame")).status, 201);
  for (const method of ["GET", "HEAD"]) {
    assert.equal((await ask(method, "_i/auth/1.0.0", {}, server.url)).status, 200);
  }
  assert.equal((await ask("GET", "_i/auth/1.0.0", { headers: as("ann:open") }, server.url)).status, 401);
  assert.equal((await ask("DELETE", "_i/auth/1.0.0", {}, server.url)).status, 403);
  assert.equal((await ask("GET", "/healthz", { headers: as("ann:open") }, server.url)).status, 200);
});

test("a server signs as host what it accepts, and publishes its key", async () => {
  await using place = await temporaryFolder();
  const host = createSecretKey("Host", ["host", "proxy"]);
  await using server = await startServer(place.path, { hostKeys: { version: "1.0", key: [host] } });
  const { body } = await create(bindleOf("signed/1.0.0", {}).invoice, server.url);
  assert.match(body, /^by = "Host"$/m);
  assert.match(body, /^role = "host"$/m);
  const keys = await ask("GET", "bindle-keys?roles=host", {}, server.url);
  const { key, labelSignature } = publicKeyOf(host);
  assert.match(keys.body, new RegExp(`key = "${escaped(key)}"`));
  assert.match(keys.body, new RegExp(`labelSignature = "${escaped(labelSignature ?? "?")}"`));
  assert.match(keys.body, /^roles = \[ "host" \]$/m);
  const twice = signInvoice(bindleOf("twice/1.0.0", {}).invoice, host, { role: "proxy", at: new Date() });
  const answer = await create(twice, server.url);
  assert.deepEqual(
    [answer.status, errorOf(answer)],
    [400, "cannot sign the data again with a key that has already signed the data"],
  );
});

function escaped(text: string): string {
  return text.replace(/[+/]/g, "\\$&");
}

test("a server with a strategy refuses what does not satisfy it; without one, what is forged", async () => {
  await using place = await temporaryFolder();
  const [known, unknown] = [createSecretKey("A", ["creator"]), createSecretKey("B", ["creator"])];
  const keyring = { version: "1.0", key: [publicKeyOf(known)] };
  await using strict = await startServer(path.join(place.path, "1"), {
    keyring,
    strategy: parseStrategy("CreativeIntegrity"),
  });
  await using lax = await startServer(path.join(place.path, "2"));
  const { invoice } = bindleOf("trust/1.0.0", {});
  const sign = (key: typeof known) => signInvoice(invoice, key, { role: "creator", at: new Date() });
  const forged = { ...sign(known), bindle: { ...invoice.bindle, version: "1.0.1" } };
  const outcomes = [];
  for (const { url } of [strict, lax]) {
    for (const one of [forged, invoice, sign(unknown), sign(known)])
      outcomes.push((await create(one, url)).status);
  }
  assert.deepEqual(outcomes, [400, 400, 400, 201, 400, 201, 409, 409]);
  assert.match(
    errorOf(await create(invoice, strict.url)) ?? "",
    /^signatures `No signatures found on invoice/,
  );
});
