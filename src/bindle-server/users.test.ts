import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { hashSync } from "bcryptjs";

import { Users } from "./users.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spindle-users-"));
});
after(() => rm(folder, { recursive: true }));

async function usersOf(text: string): Promise<Users> {
  const file = path.join(folder, "htpasswd");
  await writeFile(file, text);
  return await Users.load(file);
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const hashOf = (password: string) => hashSync(password, 4);

test("Users.judge() knows users by their passwords, the second time without a hash", async () => {
  const users = await usersOf(
    `# people\n\nann:${hashOf("é🦀:x")}\r\nbob:${hashOf("b").replace("$2b$", "$2y$")}\n`,
  );
  for (let time = 1; time <= 2; time++) {
    assert.deepEqual(await users.judge(basic("ann:é🦀:x")), { kind: "user", name: "ann" });
    assert.deepEqual(await users.judge(basic("bob:b")), { kind: "user", name: "bob" });
  }
});

test("Users.judge() knows a hash that another implementation made", async () => {
  const users = await usersOf("ann:$2y$05$8e.B3.Ss4HFDS3z/ll4R0e5.3xsdJuSxxdI3CcU1YyOsgxfrKSRQO\n");
  assert.deepEqual(await users.judge(basic("ann:sesame")), { kind: "user", name: "ann" });
});

const wrong = ["ann:b", "ann:", "ann", "", "nobody:a", ":a"];
for (const text of wrong) {
  test(`Users.judge() refuses "${text}"`, async () => {
    const users = await usersOf(`ann:${hashOf("a")}`);
    assert.deepEqual(await users.judge(basic(text)), { kind: "wrong" });
  });
}

test("Users.judge() refuses what is not Basic authentication", async () => {
  const users = await usersOf(`ann:${hashOf("a")}`);
  for (const header of [
    "",
    "Basic",
    "Basic !",
    `Bearer ${basic("ann:a").slice(6)}`,
    `Basic ${"A".repeat(1e5)}`,
  ]) {
    assert.deepEqual(await users.judge(header), { kind: "wrong" }, header.slice(0, 20));
  }
});

test("Users.judge() lets only some wait for a hash", async () => {
  const users = await usersOf(`ann:${hashOf("a")}`);
  const verdicts = await Promise.all(
    Array.from({ length: 40 }, (_, index) => users.judge(basic(`ann:${index}`))),
  );
  assert.equal(verdicts.filter(({ kind }) => kind === "busy").length, 8);
});

const damaged = [
  { text: "", state: "it has none" },
  { text: "# people\n\n", state: "it has none" },
  { text: "ann", state: "line 1 has no bcrypt hash" },
  { text: "\nann:secret", state: "line 2 has no bcrypt hash" },
  { text: "ann:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", state: "line 1 has no bcrypt hash" },
  { text: `ann:${hashOf("a").replace("$04$", "$31$")}`, state: "line 1 has no bcrypt hash" },
  { text: `:${hashOf("a")}`, state: "line 1 has no bcrypt hash" },
];
for (const { text, state } of damaged) {
  test(`Users.load() refuses ${JSON.stringify(text.slice(0, 12))}`, async () => {
    await assert.rejects(usersOf(text), {
      code: "BINDLE_USERS_INVALID",
      message: `Cannot use the users in ${path.join(folder, "htpasswd")}: ${state}`,
    });
  });
}

test("Users.load() says that there is no file", async () => {
  await assert.rejects(Users.load(path.join(folder, "none")), {
    code: "BINDLE_USERS_INVALID",
    message: /no such file or directory$/,
  });
});
