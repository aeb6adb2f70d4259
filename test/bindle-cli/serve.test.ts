// `bindle serve` with flags that would leave it less safe than they say, and commands that are told too much.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startServer, temporaryFolder } from "../bindle/bindles.ts";
import { BindleWorkplace, ID } from "./workplace.ts";

const SERVE = ["bindle", "serve", "--listen", "127.0.0.1:0", "--dir", "store"];

const refused = [
  { flags: ["--signing-keys", "nope"], says: /nope has no secret keys \[BINDLE_KEY_MISSING\]\n {2}hint: / },
  { flags: ["--signing-keys", "creator.toml"], says: /for the role "host" \[BINDLE_KEY_MISSING\]/ },
  { flags: ["--htpasswd-file", "nope"], says: /no such file or directory \[BINDLE_USERS_INVALID\]/ },
  { flags: ["--htpasswd-file", "empty"], says: /it has none \[BINDLE_USERS_INVALID\]/ },
];
for (const { flags, says } of refused) {
  test(`bindle serve ${flags.join(" ")} does not start`, async () => {
    using place = new BindleWorkplace();
    place.write("empty", "");
    place.write(
      "creator.toml",
      'version = "1.0"\n[[key]]\nlabel = "Ann"\nkeypair = "x"\nroles = ["creator"]\n',
    );
    const { code, stdout, stderr } = await place.run([...SERVE, ...flags]);
    assert.match(stderr, says);
    assert.deepEqual([code, stdout], [1, ""]);
  });
}

test("bindle serve does not start where another server stores", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using _ = await startServer(folder.path);
  const { code, stderr } = await place.run([...SERVE, "--dir", folder.path]);
  assert.match(stderr, /\[BINDLE_STORE_BUSY\]\n {2}hint: Stop it/);
  assert.equal(code, 1);
});

const excessive = [
  ["prepare", "-d", "x"],
  ["push", "-p", ".", ID],
  ["info", ID],
  ["get", ID, "-d", "x"],
  ["yank", ID],
  ["login"],
  ["keys", "create", "--label", "Ann"],
  ["keys", "list"],
  ["keys", "export"],
  ["keys", "add", "file"],
  ["keys", "fetch"],
  ["serve"],
];
test("bindle commands refuse an argument too many", async () => {
  using place = new BindleWorkplace();
  for (const command of excessive) {
    const { code, stdout, stderr } = await place.run(["bindle", ...command, "stray"]);
    assert.match(stderr, /^error: too many arguments/, command.join(" "));
    assert.deepEqual([code, stdout], [2, ""], command.join(" "));
  }
});
