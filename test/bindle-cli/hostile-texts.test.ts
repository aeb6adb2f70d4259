// What strangers wrote, in an invoice or an answer, cannot control the terminal that shows it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bindleOf, clientOf, signal, startServer, temporaryFolder } from "../bindle/bindles.ts";
import { BindleWorkplace } from "./workplace.ts";

const EVIL = "x\u001b]0;t\u0007\u009b2J\u202e\nerror: y";
// The line ends are Spindle's own.
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|^error: y/m;

test("info shows no control characters of a bindle, in any format", async () => {
  using place = new BindleWorkplace();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  const { invoice } = bindleOf("hello/1.0.0", { [EVIL]: "text" }, { group: [{ name: EVIL }] });
  const bindle = { ...invoice.bindle, description: EVIL, authors: [EVIL] };
  await clientOf(server.url).createInvoice({ ...invoice, bindle }, { signal });
  for (const format of ["text", "toml", "json"]) {
    const args = ["bindle", "info", "hello/1.0.0", "--server", server.url, "--format", format];
    const { code, stdout, stderr } = await place.run(args);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout, CONTROLS);
    if (format === "json") assert.equal(JSON.parse(stdout).bindle.description, EVIL);
  }
  const get = await place.run(["bindle", "get", "hello/1.0.0", "--server", server.url, "-d", "x"]);
  assert.match(get.stderr, /\[BINDLE_INCOMPLETE\]/);
  assert.doesNotMatch(get.stderr, CONTROLS);
});
