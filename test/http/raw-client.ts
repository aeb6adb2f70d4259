// A client that sends the bytes it is told, and gives back the bytes it gets.

import { once } from "node:events";
import net from "node:net";
import { formatAddress, type ListenAddress } from "../../src/trigger/mod.ts";

/** No test waits longer than this for anything. */
const PATIENCE_MS = 10_000;

export class RawClient implements Disposable {
  readonly socket: net.Socket;
  /** One character per byte; what has been read is taken off. */
  #received = "";
  #isEnded = false;
  #onChange: () => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#received += bytes.toString("latin1");
      this.#onChange();
    });
    // A reset is an end like any other here.
    for (const end of ["end", "error", "close"]) {
      socket.on(end, () => {
        this.#isEnded = true;
        this.#onChange();
      });
    }
  }

  static async connect(address: ListenAddress): Promise<RawClient> {
    const socket = net.connect(address);
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Gives the next whole reply. `to` is the method it replies to: the reply to HEAD has no body. */
  async reply(to = "GET"): Promise<string> {
    for (;;) {
      const length = replyLength(this.#received, to);
      if (length !== undefined) return this.#take(length);
      if (this.#isEnded) throw new Error(`closed after ${JSON.stringify(this.#received)}`);
      await this.#more();
    }
  }

  /** Gives the next `count` bytes, or fewer if the connection is closed before. */
  async bytes(count: number): Promise<string> {
    while (this.#received.length < count && !this.#isEnded) await this.#more();
    return this.#take(Math.min(count, this.#received.length));
  }

  /** Gives what comes up to a text, and the text; or what came before the connection was closed. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text) && !this.#isEnded) await this.#more();
    const found = this.#received.indexOf(text);
    return this.#take(found < 0 ? this.#received.length : found + text.length);
  }

  /** Gives all that comes until the connection is closed. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await this.#more();
    return this.#take(this.#received.length);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #take(count: number): string {
    const taken = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return taken;
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("nothing came")), PATIENCE_MS);
      this.#onChange = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Sends one request on a connection of its own, and gives the reply, or "" if there was none. */
export async function request(address: ListenAddress, text: string): Promise<string> {
  using client = await RawClient.connect(address);
  client.send(text);
  const method = text.slice(0, text.indexOf(" "));
  try {
    return undated(await client.reply(method));
  } catch {
    return undated(await client.rest());
  }
}

/** Shorthand: `GET path` with the address as host. */
export async function get(address: ListenAddress, path: string): Promise<string> {
  return request(address, `GET ${path} HTTP/1.1\r\nHost: ${formatAddress(address)}\r\n\r\n`);
}

/** Puts DATE for the only thing in a reply that changes. */
export function undated(reply: string): string {
  return reply.replace(/^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/gm, "date: DATE\r");
}

export function statusOf(reply: string): number {
  return Number(reply.split(" ", 2)[1]);
}

export function bodyOf(reply: string): string {
  return reply.slice(reply.indexOf("\r\n\r\n") + 4);
}

/** Gives how many of the bytes are the first reply, once it is whole. */
function replyLength(received: string, method: string): number | undefined {
  const head = received.indexOf("\r\n\r\n") + 4;
  if (head < 4) return undefined;
  const text = received.slice(0, head).toLowerCase();
  const status = statusOf(received);
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) return head;
  if (text.includes("\r\ntransfer-encoding: chunked\r\n")) {
    const end = received.indexOf("0\r\n\r\n", head);
    return end < 0 ? undefined : end + 5;
  }
  const length = /\r\ncontent-length: (\d+)\r\n/.exec(text)?.[1];
  if (length === undefined || received.length < head + Number(length)) return undefined;
  return head + Number(length);
}
