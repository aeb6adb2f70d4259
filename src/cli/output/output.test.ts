// What guests print: on its way to the terminal and to log files.

import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { GuestOutput, type GuestOutputOptions } from "./guest-output.ts";
import { LinePrefix } from "./line-prefix.ts";
import { LogFile } from "./log-file.ts";
import { logFileName } from "./log-file-name.ts";
import { TerminalWriter } from "./terminal-writer.ts";

const MIB = 1024 * 1024;
const bytes = (text: string) => Buffer.from(text);

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "spindle-output-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A terminal that takes `room` bytes before it has to be read again. */
class FakeTerminal {
  text = "";
  room = Number.POSITIVE_INFINITY;
  readonly writer = new TerminalWriter((chunk) => {
    const taken = Math.min(this.room, chunk.length);
    this.room -= taken;
    this.text += Buffer.from(chunk.subarray(0, taken)).toString();
    return taken;
  });
}

test("TerminalWriter passes on what was printed in one turn together", async () => {
  const terminal = new FakeTerminal();
  terminal.writer.write(bytes("a"));
  terminal.writer.write(bytes("é🦀"));
  assert.equal(terminal.text, "");
  await setImmediate();
  assert.equal(terminal.text, "aé🦀");
});

test("TerminalWriter.writeLine() ends what a guest has left unfinished", () => {
  const terminal = new FakeTerminal();
  terminal.writer.writeLine("first");
  terminal.writer.write(bytes("of a guest"));
  terminal.writer.writeLine("second");
  terminal.writer.write(bytes("whole\n"));
  terminal.writer.writeLine("third");
  terminal.writer.flush();
  assert.equal(terminal.text, "first\nof a guest\nsecond\nwhole\nthird\n");
});

test("TerminalWriter goes on where a busy terminal stopped", () => {
  const terminal = new FakeTerminal();
  terminal.room = 3;
  terminal.writer.write(bytes("abcdef"));
  terminal.writer.flush();
  assert.equal(terminal.text, "abc");
  terminal.room = 100;
  terminal.writer.flush();
  assert.equal(terminal.text, "abcdef");
});

test("TerminalWriter drops what nobody reads, and says how much", () => {
  const terminal = new FakeTerminal();
  terminal.room = 0;
  for (let mebibytes = 0; mebibytes < 5; mebibytes++) terminal.writer.write(new Uint8Array(MIB).fill(0x61));
  terminal.room = Number.POSITIVE_INFINITY;
  terminal.writer.flush();
  assert.equal(terminal.text.slice(0, MIB), "a".repeat(MIB));
  assert.match(terminal.text.slice(MIB), /^\n\[4194304 bytes of output were dropped here.*\]\n$/);
});

test("TerminalWriter.close() gives up on a terminal that takes nothing", async () => {
  const terminal = new FakeTerminal();
  terminal.room = 0;
  terminal.writer.write(bytes("a"));
  await terminal.writer.close();
  assert.equal(terminal.text, "");
});

test("LinePrefix begins each line with the component, whatever the pieces it comes in", () => {
  const lines: string[] = [];
  const prefix = new LinePrefix("api", (line) => lines.push(Buffer.from(line).toString()));
  for (const piece of ["on", "e\ntw", "o\n\n", "thr"]) prefix.write(bytes(piece));
  assert.deepEqual(lines, ["[api] one\n", "[api] two\n", "[api] \n"]);
  prefix.flush();
  assert.equal(lines.at(-1), "[api] thr\n");
});

test("LinePrefix ends a line that the guest never ends", () => {
  const lines: Uint8Array[] = [];
  const prefix = new LinePrefix("api", (line) => lines.push(line));
  for (let written = 0; written < MIB; written += 1024) prefix.write(new Uint8Array(1024).fill(0x61));
  prefix.flush();
  const longest = Math.max(...lines.map((line) => line.length));
  assert.ok(lines.length > 32 && longest < 32 * 1024, `${lines.length} lines, the longest ${longest}`);
});

const NAMES = [
  { id: "hello", name: "hello_stdout.txt", because: "most ids are fine as they are" },
  { id: "a/b\\c:d", name: "abcd_stdout.txt", because: "separators would leave the directory" },
  { id: "..", name: "_stdout.txt", because: "it is another directory" },
  { id: "con", name: "_stdout.txt", because: "it is a device on Windows" },
  { id: "é🦀", name: "é🦀_stdout.txt", because: "letters are letters" },
  { id: "x\0\x1by", name: "xy_stdout.txt", because: "control characters are not part of names" },
];
for (const { id, name, because } of NAMES) {
  test(`logFileName() of ${JSON.stringify(id)} is "${name}": ${because}`, () => {
    assert.equal(logFileName(id, "stdout"), name);
  });
}

test("logFileName() fits into a directory entry, cut between characters", () => {
  const name = logFileName("é".repeat(400), "stderr");
  assert.equal(Buffer.byteLength(name), 255);
  assert.ok(!name.includes("\ufffd"));
});

function report(): { readonly messages: string[]; readonly take: (message: string) => void } {
  const messages: string[] = [];
  return { messages, take: (message) => messages.push(message) };
}

test("LogFile appends to what is there", () => {
  const path = join(directory, "a.txt");
  writeFileSync(path, "before\n");
  const file = new LogFile(path, assert.fail);
  file.write(bytes("after\n"));
  file.close();
  assert.equal(readFileSync(path, "utf8"), "before\nafter\n");
});

test("LogFile writes by itself, once per turn of the event loop", async () => {
  const path = join(directory, "a.txt");
  const file = new LogFile(path, assert.fail);
  file.write(bytes("a"));
  file.write(bytes("b"));
  await setImmediate();
  assert.equal(readFileSync(path, "utf8"), "ab");
  file.close();
});

test("LogFile begins a new file when the old one was moved or its directory removed", () => {
  const path = join(directory, "logs", "a.txt");
  mkdirSync(join(directory, "logs"));
  let nowMs = 0;
  const file = new LogFile(path, assert.fail, () => nowMs);
  renameSync(path, join(directory, "rotated.txt"));
  nowMs += 2000;
  file.write(bytes("one"));
  file.flush();
  assert.equal(readFileSync(path, "utf8"), "one");
  rmSync(join(directory, "logs"), { recursive: true });
  nowMs += 2000;
  file.write(bytes("two"));
  file.close();
  assert.equal(readFileSync(path, "utf8"), "two");
});

test("LogFile tells once that the disk is full, and goes on", { skip: process.platform !== "linux" }, () => {
  const { messages, take } = report();
  const file = new LogFile("/dev/full", take);
  for (const text of ["one", "two"]) {
    file.write(bytes(text));
    file.flush();
  }
  assert.equal(messages.length, 1);
  assert.match(messages[0] ?? "", /Cannot write the log file \/dev\/full.*ENOSPC/);
});

const OPTIONS: Omit<GuestOutputOptions, "logDirectory"> = {
  follow: () => true,
  linePrefix: false,
  report: assert.fail,
};

test("GuestOutput writes to the component's files and, if it is followed, to the terminal", () => {
  const terminal = new FakeTerminal();
  const logDirectory = join(directory, "deep", "logs");
  const output = new GuestOutput(terminal.writer, {
    ...OPTIONS,
    logDirectory,
    follow: (id) => id === "seen",
  });
  for (const id of ["seen", "unseen"]) {
    const { stdout, stderr } = output.sinksOf(id);
    stdout.write(bytes(`${id} out\n`));
    stderr.write(bytes(`${id} err\n`));
  }
  output.flush();
  assert.equal(terminal.text, "seen out\nseen err\n");
  assert.equal(readFileSync(join(logDirectory, "unseen_stdout.txt"), "utf8"), "unseen out\n");
  assert.equal(readFileSync(join(logDirectory, "seen_stderr.txt"), "utf8"), "seen err\n");
});

test("GuestOutput shows everything on the terminal when there is no log directory", () => {
  const terminal = new FakeTerminal();
  const output = new GuestOutput(terminal.writer, {
    ...OPTIONS,
    logDirectory: undefined,
    follow: () => false,
  });
  output.sinksOf("a").stdout.write(bytes("x"));
  output.flush();
  assert.equal(terminal.text, "x");
});

test("GuestOutput keeps a copy: a guest may overwrite its memory at once", () => {
  const terminal = new FakeTerminal();
  const output = new GuestOutput(terminal.writer, { ...OPTIONS, logDirectory: undefined });
  const memory = bytes("before");
  output.sinksOf("a").stdout.write(memory);
  memory.fill(0);
  output.flush();
  assert.equal(terminal.text, "before");
});

test("GuestOutput empties logs, and nothing else, if asked to", () => {
  for (const name of ["a_stdout.txt", "old_stderr.txt", "notes.txt"])
    writeFileSync(join(directory, name), "x");
  new GuestOutput(new FakeTerminal().writer, { ...OPTIONS, logDirectory: directory }).truncate();
  const sizes = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).length]);
  assert.deepEqual(Object.fromEntries(sizes), { "a_stdout.txt": 0, "old_stderr.txt": 0, "notes.txt": 1 });
});

test("GuestOutput refuses a log directory where none can be made, though those above it are there", {
  skip: process.platform !== "linux",
}, () => {
  const options = { ...OPTIONS, logDirectory: "/proc/nobody/logs" };
  assert.throws(() => new GuestOutput(new FakeTerminal().writer, options), {
    code: "LOG_DIRECTORY_UNUSABLE",
  });
});

test("GuestOutput refuses a log directory that cannot be made", () => {
  writeFileSync(join(directory, "file"), "");
  const logDirectory = join(directory, "file", "logs");
  assert.throws(() => new GuestOutput(new FakeTerminal().writer, { ...OPTIONS, logDirectory }), {
    code: "LOG_DIRECTORY_UNUSABLE",
  });
});
