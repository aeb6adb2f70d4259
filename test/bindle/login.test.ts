// Logging in to a server that leaves it to an identity provider: the device flow, and what is kept of it.

import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { LoginSession, login } from "../../src/registry/mod.ts";
import { clientOf, signal, temporaryFolder } from "./bindles.ts";
import { PENDING, startProvider, tokenAnswer, tokenFor } from "./provider.ts";

const PATIENCE = { attempts: 1 };

test("login() tells where to go, waits, and keeps a token that requests are made with", async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, "deep/.token");
  const idToken = tokenFor(3600);
  await using provider = await startProvider([PENDING, PENDING, tokenAnswer(idToken)]);
  using client = clientOf(provider.url);
  const prompts: unknown[] = [];
  await login(client, { file, signal, prompt: (prompt) => prompts.push([prompt.url, prompt.code]) });

  assert.deepEqual(prompts, [["https://id.example.com/device", "ABCD-EFGH"]]);
  assert.deepEqual(provider.grants[0], {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: "device",
    client_id: "spindle",
  });
  assert.equal(provider.grants.length, 3);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.match(await readFile(file, "utf8"), /^issuer = "https:\/\/id.example.com"$/m);

  const session = await LoginSession.open(file);
  assert.ok(session);
  using known = clientOf(provider.url, { credentials: { kind: "login", session } });
  await known.getInvoice({ name: "hello", version: "1.0.0" }, { signal });
  assert.deepEqual(provider.authorizations, [`Bearer ${idToken}`]);
});

const failures = [
  { answers: [{ error: "access_denied" }], says: /: the login was refused$/ },
  { answers: [PENDING, { error: "expired_token" }], says: /: nobody confirmed it in time$/ },
  { answers: [PENDING], details: { expires_in: 0 }, says: /: nobody confirmed it in time$/ },
  {
    answers: [{ error: "invalid_client", error_description: "Who?" }],
    says: /: the provider answered "Who\?"$/,
  },
  {
    answers: [{ access_token: "a" }],
    says: /: the provider's answer has no token: the field "id_token" is missing$/,
  },
];
for (const { answers, details, says } of failures) {
  test(`login() fails${says.source.slice(0, -1)}, and keeps nothing`, async () => {
    await using folder = await temporaryFolder();
    const file = path.join(folder.path, ".token");
    await using provider = await startProvider(answers, details);
    using client = clientOf(provider.url);
    await assert.rejects(login(client, { file, signal, patience: PATIENCE, prompt: () => undefined }), {
      code: "BINDLE_LOGIN_FAILED",
      message: says,
    });
    assert.equal(await LoginSession.open(file), undefined);
  });
}

test("login() says that the provider cannot be reached, or is none", async () => {
  for (const [token_url, code] of [
    ["http://127.0.0.1:9/token", "BINDLE_SERVER_UNREACHABLE"],
    ["gopher", "BINDLE_SERVER_ANSWER"],
  ] as const) {
    await using provider = await startProvider([], { token_url });
    using client = clientOf(provider.url);
    await assert.rejects(
      login(client, { file: "none", signal, patience: PATIENCE, prompt: () => undefined }),
      { code },
    );
  }
});

test("login() stops when it is told to", async () => {
  const controller = new AbortController();
  await using provider = await startProvider([PENDING]);
  using client = clientOf(provider.url);
  const prompt = () => controller.abort(new Error("enough"));
  await assert.rejects(login(client, { file: "none", signal: controller.signal, prompt }));
});

test("LoginSession refreshes a token that is about to expire, once for all who wait", async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, ".token");
  const [old, fresh] = [tokenFor(30), tokenFor(3600)];
  await using provider = await startProvider([tokenAnswer(old), tokenAnswer(fresh, "refresh 2")]);
  using client = clientOf(provider.url);
  await login(client, { file, signal, prompt: () => undefined });
  const session = await LoginSession.open(file, { patience: PATIENCE });
  assert.ok(session);
  assert.deepEqual(await Promise.all([session.token(signal), session.token(signal)]), [fresh, fresh]);
  assert.deepEqual(provider.grants.slice(1), [
    { grant_type: "refresh_token", refresh_token: "refresh 1", client_id: "spindle" },
  ]);
  assert.match(await readFile(file, "utf8"), /^refresh_token = "refresh 2"$/m);
});

test("a client says that a login has expired", async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, ".token");
  await using provider = await startProvider([tokenAnswer(tokenFor(-10)), { error: "invalid_grant" }]);
  using anonymous = clientOf(provider.url);
  await login(anonymous, { file, signal, prompt: () => undefined });
  const session = await LoginSession.open(file, { patience: PATIENCE });
  assert.ok(session);
  using client = clientOf(provider.url, { credentials: { kind: "login", session } });
  await assert.rejects(client.getInvoice({ name: "hello", version: "1.0.0" }, { signal }), {
    code: "BINDLE_LOGIN_FAILED",
    message: /it has expired: the provider answered "invalid_grant"$/,
  });
});

test("LoginSession.open() refuses a file that is no token", async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, ".token");
  for (const content of ["a = ", "", 'access_token = "a"\ntoken_type = "b"\nid_token = "no.jwt"\n']) {
    await writeFile(file, content);
    await assert.rejects(LoginSession.open(file), { code: "BINDLE_LOGIN_FAILED" }, content);
  }
});
