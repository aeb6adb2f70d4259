// `bindle login`: the device flow, and what other commands make of it.

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { PENDING, startProvider, tokenAnswer, tokenFor } from "../bindle/provider.ts";
import { BindleWorkplace } from "./workplace.ts";

test("bindle login says where to go, and later commands say who asks", async () => {
  using place = new BindleWorkplace();
  const token = tokenFor(3600);
  await using provider = await startProvider([PENDING, tokenAnswer(token)]);
  const file = join(place.folder, "token.toml");
  const environment = { BINDLE_URL: provider.url, BINDLE_TOKEN_FILE: file };
  const { code, stdout, stderr } = await place.run(["bindle", "login"], environment);
  assert.deepEqual(
    { code, stdout, stderr },
    {
      code: 0,
      stdout: `logged in to ${provider.url}\n`,
      stderr: "Open https://id.example.com/device and enter the code ABCD-EFGH\n",
    },
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await place.run(["bindle", "info", "hello/1.0.0"], environment)).code, 0);
  const basic = ["--username", "ann", "--password", "secret"];
  await place.run(["bindle", "info", "hello/1.0.0", ...basic], environment);
  assert.deepEqual(provider.authorizations, [
    `Bearer ${token}`,
    `Basic ${Buffer.from("ann:secret").toString("base64")}`,
  ]);
});

test("bindle login says that the login was refused", async () => {
  using place = new BindleWorkplace();
  await using provider = await startProvider([{ error: "access_denied" }]);
  const { code, stderr } = await place.run(["bindle", "login", "--server", provider.url]);
  assert.equal(code, 1);
  assert.match(stderr, /: the login was refused \[BINDLE_LOGIN_FAILED\]\n {2}hint: .*`spindle bindle login`/);
});

test("bindle login takes the place of a login that has expired, and of a file that is none", async () => {
  using place = new BindleWorkplace();
  const file = join(place.folder, "token.toml");
  const [old, fresh] = [tokenFor(-10), tokenFor(3600)];
  const expired = { error: "invalid_grant" };
  await using provider = await startProvider([tokenAnswer(old), expired, tokenAnswer(fresh)]);
  const environment = { BINDLE_URL: provider.url, BINDLE_TOKEN_FILE: file };
  await place.run(["bindle", "login"], environment);
  const { code, stderr } = await place.run(["bindle", "info", "hello/1.0.0"], environment);
  assert.equal(code, 1);
  assert.match(stderr, /it has expired.*\[BINDLE_LOGIN_FAILED\]\n {2}hint: .*`spindle bindle login`/);
  for (const before of ["an expired login", "what is no login"]) {
    if (before === "what is no login") writeFileSync(file, "no login");
    assert.equal((await place.run(["bindle", "login"], environment)).code, 0, before);
    assert.ok(readFileSync(file, "utf8").includes(fresh), before);
  }
});
