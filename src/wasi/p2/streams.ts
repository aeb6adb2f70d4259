// wasi:io/streams and wasi:io/error: what a guest can do with any stream.

import { type InputStream, IoError, type OutputStream } from "../sandbox/streams.ts";
import { untilReady } from "../sandbox/wait.ts";
import type { Wasi } from "../wasi.ts";
import {
  dispose,
  err,
  type GuestCaller,
  ok,
  type Result,
  Version,
  type VersionName,
  type WasiInterface,
  withdrawn,
} from "./interfaces.ts";

/** Bytes that one read, skip or splice moves at most, however many are asked for. */
export const READ_BYTES_MAX = 64 * 1024;

/** Bytes of one blocking write: the interface promises no more. */
const BLOCKING_WRITE_BYTES_MAX = 4096;

const NOTHING = new Uint8Array(0);
const ZEROES = new Uint8Array(READ_BYTES_MAX);

type StreamError =
  | { readonly tag: "closed" }
  | { readonly tag: "last-operation-failed"; readonly val: IoError };
type StreamResult<T> = Result<T, StreamError>;

const DONE: StreamResult<undefined> = ok();
const CLOSED: StreamResult<never> = err({ tag: "closed" });

const ERROR_TEXT = "resource error { to-debug-string: func() -> string; }";

const errorFunctions = {
  "[method]error.to-debug-string": (_wasi: Wasi, _caller: GuestCaller, error: IoError) => error.message,
};

export function errorInterface(version: VersionName): WasiInterface {
  return { wit: `interface wasi:io/error@${version} { ${ERROR_TEXT} }`, functions: errorFunctions };
}

export function streamsInterface(version: VersionName): WasiInterface {
  const isOctober = version === Version.OCTOBER;
  // The first draft has the resource `error` in here, and splices consume what they read from.
  const source = isOctober ? "input-stream" : "borrow<input-stream>";
  return {
    wit: `interface wasi:io/streams@${version} {
      use wasi:io/poll@${version}.{pollable};
      ${isOctober ? ERROR_TEXT : `use wasi:io/error@${version}.{error};`}
      variant stream-error { last-operation-failed(error), closed }
      resource input-stream {
        read: func(len: u64) -> result<list<u8>, stream-error>;
        blocking-read: func(len: u64) -> result<list<u8>, stream-error>;
        skip: func(len: u64) -> result<u64, stream-error>;
        blocking-skip: func(len: u64) -> result<u64, stream-error>;
        subscribe: func() -> pollable;
      }
      resource output-stream {
        check-write: func() -> result<u64, stream-error>;
        write: func(contents: list<u8>) -> result<_, stream-error>;
        blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
        flush: func() -> result<_, stream-error>;
        blocking-flush: func() -> result<_, stream-error>;
        subscribe: func() -> pollable;
        write-zeroes: func(len: u64) -> result<_, stream-error>;
        blocking-write-zeroes-and-flush: func(len: u64) -> result<_, stream-error>;
        splice: func(src: ${source}, len: u64) -> result<u64, stream-error>;
        blocking-splice: func(src: ${source}, len: u64) -> result<u64, stream-error>;
        ${isOctober ? "forward: func(src: input-stream) -> result<u64, stream-error>;" : ""}
      }
    }`,
    functions: {
      ...inputFunctions,
      ...outputFunctions,
      ...(isOctober && { ...errorFunctions, ...withdrawn(["[method]output-stream.forward"]) }),
      ...(isOctober && { "[method]output-stream.splice": consuming(splice) }),
    },
    waiting: {
      ...waitingFunctions,
      ...(isOctober && { "[method]output-stream.blocking-splice": consuming(blockingSplice) }),
    },
    resources: { "input-stream": dispose, "output-stream": dispose },
  };
}

const inputFunctions = {
  "[method]input-stream.read": (_wasi: Wasi, caller: GuestCaller, stream: InputStream, length: bigint) =>
    read(caller, stream, length),

  "[method]input-stream.skip": (_wasi: Wasi, caller: GuestCaller, stream: InputStream, length: bigint) =>
    lengthOf(read(caller, stream, length)),

  "[method]input-stream.subscribe": (_wasi: Wasi, _caller: GuestCaller, stream: InputStream) => stream,
};

const outputFunctions = {
  "[method]output-stream.check-write"(_wasi: Wasi, caller: GuestCaller, stream: OutputStream) {
    return attempt(() => {
      const room = stream.room(caller);
      return room === undefined ? CLOSED : ok(BigInt(room));
    });
  },

  /** Writing more than `check-write` has said is a trap, as WASI wants it. */
  "[method]output-stream.write"(
    _wasi: Wasi,
    caller: GuestCaller,
    stream: OutputStream,
    bytes: Uint8Array,
  ): StreamResult<undefined> {
    return attempt(() => {
      if (!hasRoomFor(caller, stream, bytes.length)) return CLOSED;
      stream.write(caller, bytes);
      return DONE;
    });
  },

  "[method]output-stream.write-zeroes"(
    _wasi: Wasi,
    caller: GuestCaller,
    stream: OutputStream,
    length: bigint,
  ): StreamResult<undefined> {
    return attempt(() => {
      if (!hasRoomFor(caller, stream, Number(length))) return CLOSED;
      for (let left = Number(length); left > 0; left -= ZEROES.length) {
        stream.write(caller, ZEROES.subarray(0, left));
      }
      return DONE;
    });
  },

  "[method]output-stream.flush"(_wasi: Wasi, caller: GuestCaller, stream: OutputStream) {
    return attempt(() => {
      if (stream.room(caller) === undefined) return CLOSED;
      stream.flush(caller);
      return DONE;
    });
  },

  "[method]output-stream.subscribe": (_wasi: Wasi, _caller: GuestCaller, stream: OutputStream) => stream,

  "[method]output-stream.splice": splice,
};

const waitingFunctions = {
  "[method]input-stream.blocking-read": blockingRead,

  "[method]input-stream.blocking-skip"(
    wasi: Wasi,
    caller: GuestCaller,
    stream: InputStream,
    length: bigint,
  ): StreamResult<bigint> | Promise<StreamResult<bigint>> {
    const bytes = blockingRead(wasi, caller, stream, length);
    return bytes instanceof Promise ? bytes.then(lengthOf) : lengthOf(bytes);
  },

  "[method]output-stream.blocking-write-and-flush": writeAndFlush,

  "[method]output-stream.blocking-flush": (wasi: Wasi, caller: GuestCaller, stream: OutputStream) =>
    writeAndFlush(wasi, caller, stream, NOTHING),

  "[method]output-stream.blocking-write-zeroes-and-flush": (
    wasi: Wasi,
    caller: GuestCaller,
    stream: OutputStream,
    length: bigint,
  ) => writeAndFlush(wasi, caller, stream, ZEROES.subarray(0, atOnce(length))),

  "[method]output-stream.blocking-splice": blockingSplice,
};

function read(caller: GuestCaller, stream: InputStream, length: bigint): StreamResult<Uint8Array> {
  return attempt(() => {
    const bytes = stream.read(caller, atOnce(length));
    return bytes ? ok(bytes) : CLOSED;
  });
}

function blockingRead(
  wasi: Wasi,
  caller: GuestCaller,
  stream: InputStream,
  length: bigint,
): StreamResult<Uint8Array> | Promise<StreamResult<Uint8Array>> {
  const bytes = read(caller, stream, length);
  if (bytes.tag === "err" || bytes.val.length > 0 || stream.isReady(caller)) return bytes;
  wasi.shift(caller);
  return untilReady(caller, [stream]).then(() => read(caller, stream, length));
}

function writeAndFlush(
  wasi: Wasi,
  caller: GuestCaller,
  stream: OutputStream,
  bytes: Uint8Array,
): StreamResult<undefined> | Promise<StreamResult<undefined>> {
  if (bytes.length > BLOCKING_WRITE_BYTES_MAX) {
    throw new Error(`The guest writes ${bytes.length} bytes at once, more than ${BLOCKING_WRITE_BYTES_MAX}`);
  }
  let left = bytes;
  try {
    const room = stream.room(caller);
    if (room === undefined) return CLOSED;
    if (room >= bytes.length) {
      stream.write(caller, bytes);
      stream.flush(caller);
      if (stream.isReady(caller)) return afterFlush(caller, stream);
      left = NOTHING;
    }
  } catch (thrown) {
    return failed(thrown);
  }
  wasi.shift(caller);
  return writeAndFlushLater(caller, stream, left).catch(failed);
}

async function writeAndFlushLater(
  caller: GuestCaller,
  stream: OutputStream,
  bytes: Uint8Array,
): Promise<StreamResult<undefined>> {
  for (let left = bytes; left.length > 0; ) {
    await untilReady(caller, [stream]);
    const room = stream.room(caller);
    if (room === undefined) return CLOSED;
    stream.write(caller, left.subarray(0, room));
    left = left.subarray(room);
  }
  stream.flush(caller);
  await untilReady(caller, [stream]);
  return afterFlush(caller, stream);
}

/** @throws IoError what became of the bytes that were flushed */
function afterFlush(caller: GuestCaller, stream: OutputStream): StreamResult<undefined> {
  return stream.room(caller) === undefined ? CLOSED : DONE;
}

function splice(
  _wasi: Wasi,
  caller: GuestCaller,
  stream: OutputStream,
  source: InputStream,
  length: bigint,
): StreamResult<bigint> {
  return attempt(() => {
    const room = stream.room(caller);
    if (room === undefined) return CLOSED;
    const bytes = room === 0 ? NOTHING : source.read(caller, Math.min(room, atOnce(length)));
    if (!bytes) return CLOSED;
    if (bytes.length > 0) stream.write(caller, bytes);
    return ok(BigInt(bytes.length));
  });
}

function blockingSplice(
  wasi: Wasi,
  caller: GuestCaller,
  stream: OutputStream,
  source: InputStream,
  length: bigint,
): StreamResult<bigint> | Promise<StreamResult<bigint>> {
  if (stream.isReady(caller) && source.isReady(caller)) return splice(wasi, caller, stream, source, length);
  wasi.shift(caller);
  return untilReady(caller, [stream, source]).then(() => splice(wasi, caller, stream, source, length));
}

type Splice<R> = (wasi: Wasi, caller: GuestCaller, to: OutputStream, from: InputStream, length: bigint) => R;

/** A splice that lets its source go afterwards. */
function consuming<R extends StreamResult<bigint> | Promise<StreamResult<bigint>>>(
  run: Splice<R>,
): Splice<R> {
  return (wasi, caller, to, from, length) => {
    const spliced = run(wasi, caller, to, from, length);
    if (spliced instanceof Promise) void spliced.finally(() => dispose(from)).catch(() => {});
    else dispose(from);
    return spliced;
  };
}

/** False: the stream is closed. */
function hasRoomFor(caller: GuestCaller, stream: OutputStream, length: number): boolean {
  const room = stream.room(caller);
  if (room !== undefined && length > room) {
    throw new Error(`The guest writes ${length} bytes to a stream that takes ${room} now`);
  }
  return room !== undefined;
}

function attempt<T>(run: () => StreamResult<T>): StreamResult<T> {
  try {
    return run();
  } catch (thrown) {
    return failed(thrown);
  }
}

function failed(thrown: unknown): StreamResult<never> {
  if (thrown instanceof IoError) return err({ tag: "last-operation-failed", val: thrown });
  throw thrown;
}

function lengthOf(bytes: StreamResult<Uint8Array>): StreamResult<bigint> {
  return bytes.tag === "ok" ? ok(BigInt(bytes.val.length)) : bytes;
}

function atOnce(length: bigint): number {
  return length < READ_BYTES_MAX ? Number(length) : READ_BYTES_MAX;
}
