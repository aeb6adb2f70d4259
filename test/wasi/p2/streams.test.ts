// wasi:io and wasi:cli: standard streams, and what can be done with any stream.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Exited, Shifted } from "../abi-guest.ts";
import { Printed } from "../run-command.ts";
import { InterfaceGuest, OCTOBER, text } from "./interface-guest.ts";

const IN = "io/streams#[method]input-stream.";
const OUT = "io/streams#[method]output-stream.";
const CLOSED = { tag: "closed" };

function reader(stdin: string | Uint8Array): { readonly guest: InterfaceGuest; readonly input: unknown } {
  const guest = new InterfaceGuest({ gear: "first", call: { stdin: Buffer.from(stdin) } });
  return { guest, input: guest.call("cli/stdin#get-stdin") };
}

test("standard input is read on from where it was left, also by another handle, and then is closed", () => {
  const { guest, input } = reader("0123456789");
  assert.equal(text(guest.ok(`${IN}read`, input, 4n)), "0123");
  assert.equal(text(guest.ok(`${IN}read`, input, 0n)), "");
  assert.equal(guest.ok(`${IN}skip`, input, 2n), 2n);
  const again = guest.call("cli/stdin#get-stdin");
  assert.equal(text(guest.ok(`${IN}blocking-read`, again, 2n)), "67");
  assert.equal(guest.ok(`${IN}blocking-skip`, input, 100n), 2n);
  assert.deepEqual(guest.err(`${IN}read`, input, 1n), CLOSED);
  assert.deepEqual(guest.err(`${IN}blocking-skip`, again, 1n), CLOSED);
});

test("whoever asks for 2^64 - 1 bytes gets 64 KiB", () => {
  const { guest, input } = reader(Buffer.alloc(100_000));
  for (const fn of ["read", "blocking-read"]) {
    assert.ok(guest.ok<Uint8Array>(`${IN}${fn}`, input, 2n ** 64n - 1n).length <= 65_536);
  }
});

test("empty standard input is closed at once", () => {
  const { guest, input } = reader("");
  assert.deepEqual(guest.err(`${IN}blocking-read`, input, 1n), CLOSED);
});

test("what is printed in first gear is seen when the call commits", () => {
  using guest = new InterfaceGuest({ gear: "first" });
  const [stdout, stderr] = [guest.call("cli/stdout#get-stdout"), guest.call("cli/stderr#get-stderr")];
  assert.equal(guest.ok(`${OUT}check-write`, stdout), 65_536n);
  guest.ok(`${OUT}write`, stdout, Buffer.from("one "));
  guest.ok(`${OUT}blocking-write-and-flush`, stdout, Buffer.from("two"));
  guest.ok(`${OUT}blocking-write-and-flush`, stderr, Buffer.from("three"));
  guest.ok(`${OUT}flush`, stdout);
  guest.ok(`${OUT}blocking-flush`, stdout);
  assert.equal(guest.stdout.text, "");
  guest.wasi.commit();
  assert.deepEqual([guest.stdout.text, guest.stderr.text], ["one two", "three"]);
});

test("printing more than 64 KiB shifts, unless the sink keeps it in the call", () => {
  const page = Buffer.alloc(4096, "x");
  using shown = new InterfaceGuest({ gear: "first" });
  const stdout = shown.call("cli/stdout#get-stdout");
  for (let round = 0; round < 16; round++) shown.ok(`${OUT}blocking-write-and-flush`, stdout, page);
  assert.throws(() => shown.ok(`${OUT}write`, stdout, page), Shifted);
  const sink = new Printed("held");
  using held = new InterfaceGuest({ gear: "first", call: { stdout: sink.sink } });
  const kept = held.call("cli/stdout#get-stdout");
  for (let round = 0; round < 17; round++) held.ok(`${OUT}write`, kept, page);
  assert.equal(sink.text.length, 17 * 4096);
});

const traps = [
  { what: "a write of more than check-write has said", fn: "write", argument: Buffer.alloc(65_537) },
  { what: "2^63 zeroes", fn: "write-zeroes", argument: 2n ** 63n },
  { what: "a blocking write of 4,097 bytes", fn: "blocking-write-and-flush", argument: Buffer.alloc(4097) },
  { what: "4,097 zeroes, blocking", fn: "blocking-write-zeroes-and-flush", argument: 4097n },
];
for (const { what, fn, argument } of traps) {
  test(`${what} is a trap, and prints nothing`, () => {
    using guest = new InterfaceGuest();
    const stdout = guest.call("cli/stdout#get-stdout");
    assert.throws(() => guest.call(`${OUT}${fn}`, stdout, argument), /The guest writes/);
    assert.equal(guest.stdout.text, "");
  });
}

test("zeroes are written", () => {
  using guest = new InterfaceGuest();
  const stdout = guest.call("cli/stdout#get-stdout");
  guest.ok(`${OUT}write-zeroes`, stdout, 3n);
  guest.ok(`${OUT}blocking-write-zeroes-and-flush`, stdout, 4096n);
  guest.ok(`${OUT}write-zeroes`, stdout, 0n);
  assert.equal(guest.stdout.text, "\0".repeat(4099));
});

for (const fn of ["splice", "blocking-splice"]) {
  test(`${fn} moves what is there, 64 KiB at most, and is closed with its source`, () => {
    using guest = new InterfaceGuest({ call: { stdin: Buffer.alloc(70_000, "é") } });
    const [from, to] = [guest.call("cli/stdin#get-stdin"), guest.call("cli/stdout#get-stdout")];
    assert.equal(guest.ok(`${OUT}${fn}`, to, from, 10n), 10n);
    assert.equal(guest.ok(`${OUT}${fn}`, to, from, 2n ** 64n - 1n), 65_536n);
    assert.equal(guest.ok(`${OUT}${fn}`, to, from, 2n ** 64n - 1n), 4454n);
    assert.deepEqual(guest.err(`${OUT}${fn}`, to, from, 1n), CLOSED);
    assert.equal(guest.stdout.text, "é".repeat(35_000));
  });
}

test("standard streams are always ready", () => {
  const { guest, input } = reader("");
  for (const stream of [guest.call(`${IN}subscribe`, input), guest.call("cli/stdout#get-stdout")]) {
    assert.equal(guest.call("io/poll#[method]pollable.ready", stream), true);
    assert.equal(guest.call("io/poll#[method]pollable.block", stream), undefined);
  }
});

test("what was withdrawn from the draft of October is a trap that says so", () => {
  using guest = new InterfaceGuest({ version: OCTOBER });
  const message = /"\[method\]output-stream\.forward" was withdrawn/;
  assert.throws(() => guest.call(`${OUT}forward`, guest.call("cli/stdout#get-stdout"), {}), message);
});

test("arguments and environment are those of the call, behind the component's own", () => {
  using guest = new InterfaceGuest({
    environment: { A: "1", É: "🦀" },
    call: { args: ["program", "é"], environment: [["A", "2"]] },
  });
  assert.deepEqual(guest.call("cli/environment#get-arguments"), ["program", "é"]);
  assert.deepEqual(guest.call("cli/environment#get-environment"), [
    ["A", "1"],
    ["É", "🦀"],
    ["A", "2"],
  ]);
  assert.equal(guest.call("cli/environment#initial-cwd"), undefined);
});

test("no standard stream is a terminal", () => {
  using guest = new InterfaceGuest();
  for (const name of ["stdin", "stdout", "stderr"]) {
    assert.equal(guest.call(`cli/terminal-${name}#get-terminal-${name}`), undefined);
  }
});

const exits = [
  { path: "cli/exit#exit", status: { tag: "ok" }, code: 0 },
  { path: "cli/exit#exit", status: { tag: "err" }, code: 1 },
  { path: "cli/exit#exit-with-code", status: 42, code: 42 },
];
for (const { path, status, code } of exits) {
  test(`${path}(${JSON.stringify(status)}) ends the guest with ${code}`, () => {
    using guest = new InterfaceGuest();
    assert.throws(
      () => guest.call(path, status),
      (thrown) => thrown instanceof Exited && thrown.code === code,
    );
  });
}
