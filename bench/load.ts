// The load generator, in a process of its own: keeps a number of connections busy with one request each.
//
// It is forked: for each LoadOrder it is sent, it sends a LoadResult back. Every answer must have the status 200,
// a length or chunks, and the body that is expected; anything else ends the process with an error. An answer that
// comes in one piece, as nearly all do, is compared without being parsed.

import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { BODY } from "./answer.ts";
import { Latencies } from "./latencies.ts";

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** What is asked for; "/" by default. */
  readonly path?: string;
  /** Length of the body of each request, which is a GET without one. */
  readonly bodyBytes?: number;
  /** Answers may have any body, of the same length each time. */
  readonly anyBody?: boolean;
  /**
   * Sleeps while no answer is there. By default the generator keeps looking: what the kernel needs to wake a sleeping
   * client counts as the server's, and only a server that is slower than its clients would have to pay it.
   */
  readonly maySleep?: boolean;
}

export interface LoadResult {
  readonly requests: number;
  /** As long as it took in truth. */
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const STATUS_LINE = Buffer.from("HTTP/1.1 200 ");
const EXPECTED_BODY = Buffer.from(BODY);
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
/** An answer of the benchmark is far smaller; a server that sends more is not the one we want. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** A server that lets a connection wait this long is stuck. */
const STALL_MS = 10_000;

interface Run {
  readonly request: Buffer;
  readonly isExpected: (answer: Buffer) => boolean;
  readonly latencies: Latencies;
  readonly endMs: number;
  readonly fail: (error: Error) => void;
}

/** Sends one request after the other on one connection, until the time is over. */
class Connection {
  readonly #run: Run;
  readonly #socket: Socket;
  #sentMs = 0;
  /** Length of the answer to the first request: those that follow have the same. */
  #answerBytes = 0;
  #partial: Buffer | undefined;
  readonly done: Promise<void>;

  constructor(port: number, run: Run) {
    this.#run = run;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(ANSWER_BYTES_MAX),
        callback: (length, buffer) => {
          // The buffer is the one given above.
          this.#read((buffer as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.setTimeout(STALL_MS, () => run.fail(new Error(`No answer within ${STALL_MS} ms`)));
    this.#socket.on("connect", () => this.#send());
    this.#socket.on("error", run.fail);
    this.#socket.on("close", () => {
      if (performance.now() < run.endMs) run.fail(new Error("The server closed a connection"));
      resolve();
    });
  }

  #send(): void {
    this.#sentMs = performance.now();
    this.#socket.write(this.#run.request);
  }

  #read(piece: Buffer): void {
    const received = this.#partial ? Buffer.concat([this.#partial, piece]) : piece;
    if (received.length !== this.#answerBytes) {
      const length = this.#measure(received);
      if (length === undefined || received.length < length) {
        this.#partial = Buffer.from(received);
        return;
      }
      this.#answerBytes = length;
    }
    this.#partial = undefined;
    if (this.#run.isExpected(received)) this.#next();
    else this.#run.fail(new Error(`Unexpected answer: ${JSON.stringify(received.toString("latin1"))}`));
  }

  /** Reads how long the whole answer is; nothing if its head is not complete. */
  #measure(received: Buffer): number | undefined {
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd < 0 && received.length < ANSWER_BYTES_MAX) return undefined;
    const head = received.toString("latin1", 0, headEnd);
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      const end = received.indexOf(LAST_CHUNK, headEnd);
      return end < 0 ? undefined : end + LAST_CHUNK.length;
    }
    const bodyBytes = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (bodyBytes === undefined)
      this.#run.fail(new Error("An answer has no Content-Length, or too long a head"));
    return headEnd + HEAD_END.length + Number(bodyBytes ?? 0);
  }

  #next(): void {
    const nowMs = performance.now();
    this.#run.latencies.add(nowMs - this.#sentMs);
    if (nowMs < this.#run.endMs) this.#send();
    else this.#socket.destroy();
  }
}

function isOk(answer: Buffer): boolean {
  return answer.compare(STATUS_LINE, 0, STATUS_LINE.length, 0, STATUS_LINE.length) === 0;
}

function isExpected(answer: Buffer): boolean {
  const bodyAt = answer.length - EXPECTED_BODY.length;
  return (
    isOk(answer) &&
    answer.compare(EXPECTED_BODY, 0, EXPECTED_BODY.length, bodyAt) === 0 &&
    answer.compare(HEAD_END, 0, HEAD_END.length, bodyAt - HEAD_END.length, bodyAt) === 0
  );
}

function requestOf({ path = "/", bodyBytes }: LoadOrder): Buffer {
  const fields = ["Host: 127.0.0.1", "User-Agent: spindle-bench", "Accept: */*"];
  if (bodyBytes !== undefined) fields.push(`Content-Length: ${bodyBytes}`);
  const method = bodyBytes === undefined ? "GET" : "POST";
  const head = `${method} ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`;
  return Buffer.from(head.padEnd(head.length + (bodyBytes ?? 0), "x"));
}

/** As long as callbacks are due, the event loop asks the kernel for news without waiting for them. */
function stayAwake(endMs: number): void {
  if (performance.now() < endMs) setImmediate(stayAwake, endMs);
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const startMs = performance.now();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const run = {
    request: requestOf(order),
    isExpected: order.anyBody ? isOk : isExpected,
    latencies: new Latencies(),
    endMs: startMs + order.seconds * 1000,
    fail,
  };
  const connections = Array.from({ length: order.connections }, () => new Connection(order.port, run));
  if (!order.maySleep) stayAwake(run.endMs);
  await Promise.race([failed, Promise.all(connections.map(({ done }) => done))]);
  return {
    requests: run.latencies.total,
    seconds: (performance.now() - startMs) / 1000,
    p50Ms: run.latencies.percentile(0.5),
    p99Ms: run.latencies.percentile(0.99),
  };
}

// A rejection that nobody handles ends the process, as it should.
process.on("message", async (order: LoadOrder) => process.send?.(await load(order)));
