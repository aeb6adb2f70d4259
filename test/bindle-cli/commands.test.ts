// The commands for what is on a server, and for keys.

import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { hash } from "bcryptjs";
import { Users } from "../../src/bindle-server/mod.ts";
import { openStandaloneBindle, parseBindleId } from "../../src/registry/mod.ts";
import { clientOf, signal, startServer, temporaryFolder } from "../bindle/bindles.ts";
import { BindleWorkplace, ID, MANIFEST } from "./workplace.ts";

test("info, search and yank tell of a bindle and withdraw it", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  const environment = { BINDLE_URL: server.url };
  await place.run(["bindle", "push"], environment);

  const info = await place.run(["bindle", "info", ID], environment);
  assert.match(info.stdout, /^example\.com\/printer\/1\.2\.3\n6 parcels, /);
  assert.match(info.stdout, /^ {2}[0-9a-f]{12} {2} +5 B {2}hello\.txt {2}\(files-files\)$/m);
  const toml = await place.run(["bindle", "info", ID, "--format", "toml"], environment);
  assert.match(toml.stdout, /^bindleVersion = "1\.0\.0"$/m);
  const json = await place.run(["bindle", "info", ID, "--format", "json"], environment);
  assert.equal(JSON.parse(json.stdout).bindle.version, "1.2.3");

  assert.equal((await place.run(["bindle", "search", "printer", "example"], environment)).stdout, `${ID}\n`);
  const none = await place.run(["bindle", "search", "absent"], environment);
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, "", "The server has no such bindle\n"]);

  assert.equal((await place.run(["bindle", "yank", ID], environment)).stdout, `yanked: ${ID}\n`);
  assert.equal((await place.run(["bindle", "search"], environment)).stdout, "");
  const yanked = await place.run(["bindle", "search", "--yanked"], environment);
  assert.equal(yanked.stdout, `${ID}  (yanked)\n`);
  const again = await place.run(["bindle", "push"], environment);
  assert.match(again.stderr, /this version was withdrawn \[BINDLE_YANKED\]\n {2}hint: Raise `version`/);
  const up = await place.run(["up", "--bindle", ID], environment);
  assert.equal(up.code, 1);
  assert.match(up.stderr, /it was yanked \[BINDLE_YANKED\]/);
});

test("what is signed with a key runs where the key is believed, and nowhere else", async () => {
  using place = new BindleWorkplace();
  using stranger = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  const environment = { BINDLE_URL: server.url };
  const created = await place.run(["bindle", "keys", "create", "--label", "Ann <ann@example.com>"]);
  const file = created.stdout.trim().split("secret key: ")[1] ?? "";
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(
    (await place.run(["bindle", "keys", "list"])).stdout,
    /^\S{44} {2}yours {2}Ann .*\(creator\)\n$/,
  );
  const pushed = await place.run(["bindle", "push", "--sign-key", file, "--label", "ann@"], environment);
  assert.equal(pushed.code, 0, pushed.stderr);

  const verify = ["info", ID, "--verify", "CreativeIntegrity"];
  const known = await place.run(["bindle", ...verify], environment);
  assert.match(known.stdout, /signed by Ann <ann@example\.com> as creator/);
  const refused = await stranger.run(["up", "-b", ID, "--verify", "CreativeIntegrity"], environment);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\[BINDLE_SIGNATURE\]\n {2}hint: .*spindle bindle keys/);

  const exported = await place.run(["bindle", "keys", "export"]);
  writeFileSync(join(stranger.folder, "ann.toml"), exported.stdout);
  assert.match((await stranger.run(["bindle", "keys", "add", "ann.toml"])).stdout, /^added: \S{44} {2}Ann/);
  assert.equal((await stranger.run(["bindle", ...verify], environment)).code, 0);
  const unknown = await place.run(["bindle", "info", ID, "--verify", "Creative"], environment);
  assert.match(unknown.stderr, /\[BINDLE_STRATEGY_UNKNOWN\]/);
});

test("a server with users takes pushes of users only", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  const users = join(folder.path, "users");
  writeFileSync(users, `ann:${await hash("secret", 4)}\n`);
  const authenticator = await Users.load(users);
  await using server = await startServer(join(folder.path, "store"), {
    authentication: { kind: "required", authenticator },
  });
  const environment = { BINDLE_URL: server.url };
  const anonymous = await place.run(["bindle", "push"], environment);
  assert.match(anonymous.stderr, /\[BINDLE_UNAUTHORIZED\]\n {2}hint: Give `--username`/);
  const wrong = await place.run(["bindle", "push", "--username", "ann", "--password", "x"], environment);
  assert.match(wrong.stderr, /refused the user name or the password \[BINDLE_UNAUTHORIZED\]/);
  const half = await place.run(["bindle", "push", "--username", "ann"], environment);
  assert.deepEqual([half.code, half.stderr.includes("--username and --password go together")], [2, true]);
  const right = await place.run(["bindle", "push"], {
    ...environment,
    BINDLE_USERNAME: "ann",
    BINDLE_PASSWORD: "secret",
  });
  assert.equal(right.code, 0, right.stderr);
});

test("push does not replace what a server has", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  await place.run(["bindle", "push", "--server", server.url]);
  place.write("static/hello.txt", "changed");
  const { code, stdout, stderr } = await place.run(["bindle", "push", "--bindle-server", server.url]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /\[BINDLE_EXISTS\]\n {2}hint: Raise `version`/);
});

test("push sends what an earlier push has left", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  await place.run(["bindle", "prepare", "-d", "staging"]);
  const { invoice } = await openStandaloneBindle(join(place.folder, "staging"), parseBindleId(ID));
  using client = clientOf(server.url);
  await client.createInvoice(invoice, { signal });

  const early = await place.run(["up", "-b", ID, "--server", server.url]);
  assert.match(early.stderr, /\[BINDLE_INCOMPLETE\]\n {2}hint: Push the bindle again/);
  const { stderr } = await place.run(["bindle", "push", "--server", server.url]);
  assert.match(stderr, /^Sent what an earlier push had left: 6 parcels/m);
  await using spindle = await place.up(["-b", ID, "--server", server.url]);
  assert.equal((await spindle.fetch("/spin/")).status, 200);
});

const mistakes = [
  { args: ["up", "-b", "hello"], code: 2, says: /\[BINDLE_ID_INVALID\]\n {2}hint: Write it like/ },
  {
    args: ["up", "-b", "hello/1.0"],
    code: 2,
    says: /"1\.0" is not a semantic version.*\[BINDLE_ID_INVALID\]/,
  },
  { args: ["up", "-b", ID], code: 2, says: /none is named \[BINDLE_SERVER_URL\]\n {2}hint: .*BINDLE_URL/ },
  { args: ["up", "-b", ID, "--server", "ftp://x"], code: 2, says: /\[BINDLE_SERVER_URL\]/ },
  { args: ["up", "-b", ID, "-f", "."], code: 2, says: /more than one application/ },
  {
    args: ["up", "-b", ID, "--direct-mounts"],
    code: 2,
    says: /--direct-mounts needs the application's own files/,
  },
  { args: ["up", "-b", ID, "--bindle-dir", "."], code: 1, says: /\[BINDLE_STANDALONE\]/ },
  {
    args: ["bindle", "push", "--server", "http://127.0.0.1:1/v1/", "-f", "no"],
    code: 1,
    says: /\[APPLICATION_NOT_FOUND\]/,
  },
  { args: ["bindle", "push", ID], code: 2, says: /--path and an id go together/ },
  {
    args: ["bindle", "prepare", "-d", "spin.toml"],
    code: 1,
    says: /spin\.toml: it is not a directory \[BINDLE_STANDALONE\]\n {2}hint: Choose another directory/,
  },
  {
    args: ["bindle", "search", "--server", "http://ann:secret@x/v1/"],
    code: 2,
    says: /"http:\/\/\*\*\*@x\/v1\/": user and password do not belong into the URL/,
  },
  { args: ["bindle", "push", "--label", "Ann"], code: 2, says: /with --sign-key/ },
  { args: ["bindle", "push", "--role", "creator"], code: 2, says: /with --sign-key/ },
  { args: ["bindle", "push", "-p", ".", ID, "-f", "."], code: 2, says: /--path pushes a bindle as it is/ },
  { args: ["bindle", "push", "-p", ".", ID, "--buildinfo", "a"], code: 2, says: /--path pushes a bindle/ },
  { args: ["bindle", "prepare", "-d", "x", "--buildinfo", "a b"], code: 2, says: /\[BINDLE_ID_INVALID\]/ },
  {
    args: ["bindle", "push", "--server", "http://127.0.0.1:1/v1/", "--sign-key", "none.toml"],
    code: 1,
    says: /none\.toml has no secret keys \[BINDLE_KEY_MISSING\]\n {2}hint: .*keys create/,
  },
  {
    args: ["up", "-b", ID, "--bindle-dir", ".", "--verify", "Greedy"],
    code: 2,
    says: /\[BINDLE_STRATEGY_UNKNOWN\]/,
  },
  { args: ["up", "-f", ".", "--bindle-dir", "."], code: 2, says: /--bindle-dir is for a bindle/ },
  { args: ["up", "--verify", "GreedyVerification"], code: 2, says: /--verify is for a bindle/ },
  { args: ["bindle", "push", "--sign-key", "k", "--role", "boss"], code: 2, says: /The roles are creator, / },
  { args: ["bindle", "keys", "create", "--label", "a", "--role", "boss"], code: 2, says: /The roles are / },
  { args: ["bindle", "search", "--limit", "256"], code: 2, says: /at most 255/ },
  {
    args: ["bindle", "serve", "--listen", "127.0.0.1:0", "--tls-cert", "spin.toml", "--tls-key", "spin.toml"],
    code: 1,
    says: /\[TLS_FILES_UNUSABLE\]\n {2}hint: .*--tls-cert/,
  },
  { args: ["bindle", "pish"], code: 2, says: /Did you mean push/ },
  { args: ["bindle", "info"], code: 2, says: /hint: See `spindle bindle info --help`/ },
  {
    args: ["bindle", "serve", "--listen", "0.0.0.0:0"],
    code: 1,
    says: /\[BINDLE_USERS_INVALID\]\n {2}hint: .*--htpasswd-file/,
  },
];

for (const { args, code, says } of mistakes) {
  test(`spindle ${args.join(" ")} is answered with ${String(says)}`, async () => {
    using place = new BindleWorkplace();
    const ran = await place.run(args);
    assert.match(ran.stderr, says);
    assert.equal(ran.code, code);
  });
}

test("push says how to give an application an id", async () => {
  using place = new BindleWorkplace(MANIFEST.replace('version = "1.2.3"\n', ""));
  const { stderr } = await place.run(["bindle", "push", "--server", "http://127.0.0.1:1/v1/"]);
  assert.match(stderr, /\[BINDLE_UNSUPPORTED\]\n {2}hint: Set `name` without spaces, and `version`/);
});

test("commands say that a server has them elsewhere, has no keys, or has no provider", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  const root = server.url.replace("v1/", "");
  const elsewhere = await place.run(["bindle", "info", ID, "--server", root]);
  assert.match(elsewhere.stderr, /or it has them elsewhere \[BINDLE_NOT_FOUND\]\n {2}hint: .*"\/v1\/"/);
  const keys = await place.run(["bindle", "keys", "fetch", "--server", server.url]);
  assert.match(keys.stderr, /has no keys: it signs nothing\n$/);
  const login = await place.run(["bindle", "login", "--server", server.url]);
  assert.match(login.stderr, /no identity provider \[BINDLE_LOGIN_FAILED\]\n {2}hint: .*`--username`/);
});
