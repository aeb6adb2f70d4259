// What shells complete after `spindle bindle`: the script is asked by a real bash.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

import { BindleWorkplace } from "./workplace.ts";

const cases = [
  { typed: ["b"], words: ["bindle"] },
  { typed: ["bindle", "pu"], words: ["push"] },
  { typed: ["bindle", "keys", "e"], words: ["export"] },
  { typed: ["bindle", "push", "--si"], words: ["--sign-key"] },
  { typed: ["bindle", "push", "-k", "--ro"], words: ["--role"] },
  { typed: ["bindle", "serve", "--ht"], words: ["--htpasswd-file"] },
  { typed: ["up", "--from", "bindle", "--bindle-"], words: ["--bindle-dir"] },
  { typed: ["bindle", "nothing", "--la"], words: [] },
];

const ASK = `
eval "$(cat)"
COMP_WORDS=(spindle "$@"); COMP_CWORD=$#
_spindle
printf '%s\\n' "\${COMPREPLY[@]}"`;

test("bash completes commands of commands, and their flags", {
  skip: spawnSync("bash", ["--version"]).status !== 0,
}, async () => {
  using place = new BindleWorkplace();
  const { stdout: script } = await place.run(["maintenance", "generate-completions", "bash"]);
  for (const { typed, words } of cases) {
    const { stdout } = spawnSync("bash", ["-c", ASK, "bash", ...typed], { input: script, encoding: "utf8" });
    assert.deepEqual(stdout.split("\n").filter(Boolean), words, typed.join(" "));
  }
});

test("fish is told which words come after which", async () => {
  using place = new BindleWorkplace();
  const { stdout } = await place.run(["maintenance", "generate-completions", "fish"]);
  assert.match(
    stdout,
    /^complete -c spindle -n '__fish_seen_subcommand_from bindle; and not __fish_seen_subcommand_from prepare push .*' -f -a yank -d 'withdraw a bindle'$/m,
  );
  assert.match(
    stdout,
    /^complete -c spindle -n '__fish_seen_subcommand_from bindle; and __fish_seen_subcommand_from push' -l sign-key -r /m,
  );
});
