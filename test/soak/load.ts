// The process that sends requests of all kinds, good and bad, for as long as it is told each time.
//
// It talks to its parent by messages: { port, milliseconds } in, a LoadReport out.

import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../fuzz/random.ts";
import { BODY_BYTES_MAX, LARGE_FILE_BYTES } from "./application.ts";

export interface LoadOrder {
  readonly port: number;
  readonly milliseconds: number;
  readonly seed: number;
  /** Whether there is a component at /guest/. */
  readonly hasGuest: boolean;
}

export interface LoadReport {
  readonly requests: number;
  /** Replies that nobody expected, a few of them. */
  readonly surprises: readonly string[];
}

/** Clients at once. */
const CLIENTS = 12;
const SURPRISES_MAX = 10;
const LARGE_BODY_BYTES = 1024 * 1024;

interface Expected {
  readonly path: string;
  readonly status: readonly number[];
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bodyBytes?: number;
  /** Length of the reply's body, where that is known. */
  readonly replyBytes?: number;
  /** The connection is cut before the reply is complete. */
  readonly isCut?: boolean;
  /** On a connection of its own: the server closes it where it answers before it has read the body. */
  readonly isAlone?: boolean;
  /** How often, against the others. */
  readonly weight: number;
}

/** A busy machine may be late for any of them, and then answers 503 or 504. */
const LATE = [503, 504];

const REQUESTS: readonly Expected[] = [
  { path: "/hello/", status: [200], replyBytes: 19, weight: 30 },
  { path: "/wagi/x?a=b", status: [200], method: "POST", bodyBytes: 1000, weight: 15 },
  { path: "/files/small.txt", status: [200], replyBytes: 5, weight: 10 },
  { path: "/files/large.bin", status: [200], replyBytes: LARGE_FILE_BYTES, weight: 3 },
  { path: "/files/missing", status: [404], weight: 3 },
  { path: "/fresh/", status: [200], weight: 8 },
  { path: "/waiting/", status: [200], headers: { "x-target": "/hello/" }, weight: 6 },
  {
    path: "/echo/echo",
    status: [200],
    method: "POST",
    isAlone: true,
    bodyBytes: LARGE_BODY_BYTES,
    replyBytes: LARGE_BODY_BYTES,
    weight: 3,
  },
  {
    path: "/echo/echo",
    status: [413],
    method: "POST",
    isAlone: true,
    bodyBytes: BODY_BYTES_MAX + 1,
    weight: 1,
  },
  { path: "/nowhere", status: [404], weight: 2 },
  { path: "/hostile/unreachable", status: [500], weight: 5 },
  { path: "/hostile/exit/3", status: [500], weight: 3 },
  { path: "/hostile/recurse", status: [500], weight: 2 },
  { path: "/hostile/memory", status: [500], weight: 1 },
  { path: "/hostile/headers-many", status: [500], weight: 1 },
  { path: "/hostile/loop", status: [504], weight: 1 },
  { path: "/hostile-wagi/?partial", status: [500], weight: 2 },
  { path: "/hostile-wagi/?loop", status: [504], weight: 1 },
  { path: "/component/", status: [200], replyBytes: 19, weight: 20 },
  {
    path: "/late-echo",
    status: [200],
    method: "POST",
    isAlone: true,
    bodyBytes: LARGE_BODY_BYTES,
    replyBytes: LARGE_BODY_BYTES,
    weight: 3,
  },
  { path: "/pieces", status: [200], replyBytes: 18, weight: 5 },
  { path: "/after", status: [200], replyBytes: 19, weight: 3 },
  { path: "/bodiless", status: [200], replyBytes: 0, weight: 2 },
  { path: "/length/9/9", status: [200], replyBytes: 9, weight: 2 },
  { path: "/length/9/5", status: [200], isCut: true, weight: 2 },
  { path: "/proxy/hello.spin.internal/", status: [200], replyBytes: 19, weight: 4 },
  { path: "/none", status: [500], weight: 2 },
  { path: "/trap-in", status: [200], isCut: true, weight: 2 },
  { path: "/trap-after", status: [200], replyBytes: 19, weight: 2 },
  { path: "/twice", status: [200], isCut: true, weight: 1 },
  { path: "/unfinished", status: [200], isCut: true, weight: 2 },
  { path: "/wait", status: [504], weight: 1 },
];
/** Whose guest it is knows its paths. */
const GUEST_REQUEST: Expected = { path: "/guest/", status: [200, 404], weight: 10 };

function weighted(requests: readonly Expected[]): readonly Expected[] {
  return requests.flatMap((request) => Array<Expected>(request.weight).fill(request));
}

/** Bytes that are sent before the client leaves. */
const ABANDONED = [
  "GET /hello/ HTTP/1.1\r\n",
  "GET /hello/ HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /hostile/loop HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /files/large.bin HTTP/1.1\r\nhost: a\r\n\r\n",
  "POST /echo/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nnot all of it",
  "POST /wagi/ HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
  "\0\0\0 garbage\r\n\r\n",
  "GET /waiting/ HTTP/1.1\r\nhost: a\r\nx-target: /hostile/loop\r\n\r\n",
  "GET /flood HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /wait HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /proxy/streaming.spin.internal/flood HTTP/1.1\r\nhost: a\r\n\r\n",
  "POST /late-echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nnot all of it",
];

class Client {
  readonly #port: number;
  readonly #random: Random;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #surprises: string[];
  /** An agent forgets sockets of requests that are answered before they are sent. */
  readonly #sockets = new Set<net.Socket>();
  readonly #mix: readonly Expected[];
  #previous = "";
  requests = 0;

  constructor({ port, hasGuest }: LoadOrder, random: Random, surprises: string[]) {
    this.#port = port;
    this.#random = random;
    this.#surprises = surprises;
    this.#mix = weighted(hasGuest ? [...REQUESTS, GUEST_REQUEST] : REQUESTS);
  }

  async run(untilMs: number): Promise<void> {
    for (; performance.now() < untilMs; this.requests++) {
      if (this.#random.oneIn(25)) await this.#abandon(this.#random.pick(ABANDONED));
      else await this.#ask(this.#random.pick(this.#mix));
    }
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #ask(expected: Expected): Promise<void> {
    try {
      const { status, bytes, isCut } = await this.#exchange(expected);
      if (LATE.includes(status) && !expected.status.includes(status)) return;
      const isRight = expected.replyBytes === undefined || expected.replyBytes === bytes;
      if (!expected.status.includes(status) || !isRight || isCut !== (expected.isCut ?? false))
        this.#note(`${expected.path}: ${status}, ${bytes} bytes${isCut ? ", cut" : ""}`);
      this.#previous = `${expected.path} (${status})`;
    } catch (error) {
      // The server may close a connection whose body it refused before all of it is sent.
      if (!expected.status.includes(413)) this.#note(`${expected.path}: ${error}`);
    }
  }

  #note(what: string): void {
    if (this.#surprises.length < SURPRISES_MAX) this.#surprises.push(`${what}, after ${this.#previous}`);
  }

  #exchange({
    path,
    method = "GET",
    headers = {},
    bodyBytes,
    isAlone = false,
  }: Expected): Promise<{ status: number; bytes: number; isCut: boolean }> {
    return new Promise((resolve, reject) => {
      const agent = isAlone ? false : this.#agent;
      const options = { host: "127.0.0.1", port: this.#port, path, method, headers, agent };
      const request = http.request(options, (response) => {
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        const { statusCode: status = 0 } = response;
        response.on("end", () => resolve({ status, bytes, isCut: false }));
        response.on("error", () => resolve({ status, bytes, isCut: true }));
      });
      request.on("error", reject);
      request.on("socket", (socket) => this.#sockets.add(socket));
      request.end(bodyBytes === undefined ? undefined : Buffer.alloc(bodyBytes));
    });
  }

  /** Sends a little, waits a little, and leaves without a word. */
  async #abandon(text: string): Promise<void> {
    const socket = net.connect(this.#port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(text, "latin1");
    await sleep(this.#random.below(30));
    if (this.#random.oneIn(2)) socket.destroy();
    else socket.resetAndDestroy();
  }
}

process.on("message", async (order: LoadOrder) => {
  const { milliseconds, seed } = order;
  const surprises: string[] = [];
  const untilMs = performance.now() + milliseconds;
  const clients = Array.from(
    { length: CLIENTS },
    (_, index) => new Client(order, new Random(seed + index), surprises),
  );
  await Promise.all(clients.map((client) => client.run(untilMs)));
  const report: LoadReport = {
    requests: clients.reduce((sum, { requests }) => sum + requests, 0),
    surprises,
  };
  process.send?.(report);
});
