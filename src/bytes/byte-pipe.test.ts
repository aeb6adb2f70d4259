import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { BytePipe } from "./byte-pipe.ts";
import { drain } from "./drain.ts";
import { fill } from "./fill.ts";

const bytes = (text: string) => Buffer.from(text);
const textOf = (piece: Uint8Array | undefined) => piece && Buffer.from(piece).toString();

test("BytePipe.read() gives what was written, in order, and no more than asked for", () => {
  const pipe = new BytePipe();
  pipe.write(bytes("héllo"));
  pipe.write(bytes("🦀"));
  assert.equal(textOf(pipe.read(3)), "hé");
  assert.equal(textOf(pipe.read(100)), "llo");
  assert.equal(textOf(pipe.read()), "🦀");
  assert.equal(pipe.read(), undefined);
  assert.equal(pipe.state, "flowing");
});

test("BytePipe.state is what the reader sees: ended, or failed, once all is read", () => {
  const ended = BytePipe.of(bytes("a"));
  assert.equal(ended.state, "flowing");
  ended.read();
  assert.equal(ended.state, "ended");
  const failed = new BytePipe();
  failed.write(bytes("a"));
  failed.fail(new Error("broken"));
  assert.equal(failed.state, "flowing");
  failed.read();
  assert.equal(failed.state, "failed");
  assert.equal(failed.error?.message, "broken");
});

test("BytePipe.whole is there once the writer has ended, until something is read", () => {
  const pipe = new BytePipe();
  pipe.write(bytes("a"));
  pipe.write(bytes("b"));
  assert.equal(pipe.whole, undefined);
  pipe.end(["x-t", "1"]);
  assert.equal(textOf(pipe.whole), "ab");
  assert.equal(textOf(pipe.whole), "ab");
  assert.deepEqual(pipe.trailers, ["x-t", "1"]);
  assert.equal(textOf(pipe.read(1)), "a");
  assert.equal(pipe.whole, undefined);
  assert.equal(textOf(pipe.read()), "b");
});

test("BytePipe.whole of an empty body is empty, that of a failed one is absent", () => {
  assert.equal(BytePipe.of(bytes("")).whole?.length, 0);
  const failed = new BytePipe();
  failed.fail(new Error("broken"));
  assert.equal(failed.whole, undefined);
});

test("BytePipe.room shrinks to 0 at the capacity, and the writer is woken when it grows again", () => {
  const pipe = new BytePipe(4);
  let wakes = 0;
  const leave = pipe.onRoom(() => wakes++);
  pipe.write(bytes("abc"));
  assert.equal(pipe.room, 1);
  pipe.write(bytes("def"));
  assert.equal(pipe.room, 0);
  pipe.read(1);
  assert.equal(wakes, 1);
  assert.equal(pipe.room, 0, "it held more than it should");
  leave();
  pipe.read();
  assert.equal(wakes, 1);
});

test("BytePipe.cancel() throws away what was written and what is written later", () => {
  const pipe = new BytePipe();
  pipe.write(bytes("abc"));
  pipe.cancel();
  pipe.write(bytes("def"));
  assert.equal(pipe.isCancelled, true);
  assert.equal(pipe.read(), undefined);
  assert.equal(pipe.held, 0);
});

test("BytePipe.write() is a mistake of the program after the end", () => {
  assert.throws(() => BytePipe.of(bytes("a")).write(bytes("b")), /after its end/);
});

test("a BytePipe can be iterated as it is written, and throws what it failed with", async () => {
  const pipe = new BytePipe();
  const pieces: string[] = [];
  const reading = (async () => {
    for await (const piece of pipe) pieces.push(textOf(piece) ?? "");
  })();
  pipe.write(bytes("a"));
  await new Promise(setImmediate);
  pipe.write(bytes("b"));
  pipe.fail(new Error("broken"));
  await assert.rejects(reading, /broken/);
  assert.deepEqual(pieces, ["a", "b"]);
});

test("BytePipe.watchReaders() tells when somebody begins and ceases to wait", () => {
  const pipe = new BytePipe();
  const told: boolean[] = [];
  pipe.watchReaders((areWaiting) => told.push(areWaiting));
  const leave = pipe.onReadable(() => undefined);
  const leaveToo = pipe.onReadable(() => undefined);
  leave();
  leave();
  leaveToo();
  assert.deepEqual(told, [true, false]);
});

test("drain() passes on until the target is full, and goes on when it resumes", () => {
  const pipe = new BytePipe();
  const taken: string[] = [];
  let end = "";
  const draining = drain(pipe, {
    write: (piece) => {
      taken.push(textOf(piece) ?? "");
      return taken.length !== 1;
    },
    ended: () => {
      end = "ended";
    },
    failed: ({ message }) => {
      end = message;
    },
  });
  pipe.write(bytes("a"));
  pipe.write(bytes("b"));
  pipe.end();
  assert.deepEqual(taken, ["a"]);
  draining.resume();
  assert.deepEqual(taken, ["a", "b"]);
  assert.equal(end, "ended");
});

test("drain().stop() cancels the pipe", () => {
  const pipe = new BytePipe();
  const draining = drain(pipe, { write: () => true, ended: assert.fail, failed: assert.fail });
  draining.stop();
  assert.equal(pipe.isCancelled, true);
  pipe.end();
});

test("fill() holds the stream back while the pipe is full", async () => {
  const source = new PassThrough();
  const pipe = new BytePipe(4);
  fill(pipe, source, { cancelled: assert.fail });
  source.write("abcdef");
  source.end("ghi");
  await new Promise(setImmediate);
  assert.equal(textOf(pipe.read()), "abcdef");
  assert.equal(source.isPaused(), false);
  await new Promise(setImmediate);
  assert.equal(textOf(pipe.read()), "ghi");
  await new Promise(setImmediate);
  assert.equal(pipe.state, "ended");
});

test("fill() fails the pipe when the stream breaks, and tells when the reader has left", async () => {
  const broken = new PassThrough();
  const pipe = new BytePipe();
  fill(pipe, broken, { cancelled: assert.fail });
  broken.destroy(new Error("broken"));
  await new Promise(setImmediate);
  assert.equal(pipe.error?.message, "broken");

  let isTold = false;
  const left = new BytePipe();
  fill(left, new PassThrough(), {
    cancelled: () => {
      isTold = true;
    },
  });
  left.cancel();
  assert.equal(isTold, true);
});
