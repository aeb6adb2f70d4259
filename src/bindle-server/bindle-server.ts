// A Bindle server: listens, answers, and stops without breaking what is under way.

import { once } from "node:events";
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

import { SpindleError } from "../errors/mod.ts";
import {
  DOCUMENT_BYTES_MAX,
  fileStateOf,
  type Keyring,
  publicKeyOf,
  type SecretKeys,
  systemCodeOf,
  type VerificationStrategy,
  withKeys,
} from "../registry/mod.ts";
import { BindleApi } from "./api.ts";
import type { Authentication } from "./gate.ts";
import { Refusal } from "./refusal.ts";
import { documentReply, type Reply, sendReply } from "./reply.ts";
import { SearchIndex } from "./search-index.ts";
import { BindleStore } from "./store.ts";

export interface BindleServerOptions {
  /** Where bindles are stored. One server at a time uses it. */
  readonly directory: string;
  /** Without it, `127.0.0.1:8080`. Port 0 lets the system choose. */
  readonly listen?: { readonly host: string; readonly port: number };
  readonly authentication: Authentication;
  /** Keys, besides the server's own, that signatures are believed of. */
  readonly keyring: Keyring;
  /** What is demanded of invoices; without it, that no signature is wrong. */
  readonly strategy?: VerificationStrategy;
  /** The first one for the role "host" signs every invoice that is accepted. */
  readonly hostKeys: SecretKeys;
  /** In PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly limits?: Partial<BindleServerLimits>;
  /** Said at `/healthz`. */
  readonly version: string;
  /** Told what is wrong and nobody else is told: damaged files, faults of ours. */
  readonly report: (message: string) => void;
}

export interface BindleServerLimits {
  readonly invoiceBytes: number;
  readonly parcelBytes: number;
  readonly connections: number;
  /** A connection on which nothing happens for so long is closed. */
  readonly silenceMs: number;
  /** How long a document may take to arrive, and what is left of a request that is refused. */
  readonly documentMs: number;
  /** How long a stop waits for what is under way. */
  readonly stopMs: number;
}

const LIMITS: BindleServerLimits = {
  invoiceBytes: DOCUMENT_BYTES_MAX,
  parcelBytes: 2 ** 30,
  connections: 1024,
  silenceMs: 60_000,
  documentMs: 60_000,
  stopMs: 10_000,
};

export class BindleServer implements AsyncDisposable {
  /** The base URL for clients. */
  readonly url: string;
  readonly #server: Server;
  readonly #store: BindleStore;
  readonly #stopMs: number;

  private constructor(
    { server, store }: { readonly server: Server; readonly store: BindleStore },
    { url, stopMs }: { readonly url: string; readonly stopMs: number },
  ) {
    this.#server = server;
    this.#store = store;
    this.url = url;
    this.#stopMs = stopMs;
  }

  /** @throws SpindleError BINDLE_STORE_BUSY, BINDLE_STORE_UNUSABLE, LISTEN_FAILED, PORT_IN_USE, TLS_FILES_UNUSABLE */
  static async start(options: BindleServerOptions): Promise<BindleServer> {
    const limits = { ...LIMITS, ...options.limits };
    using stack = new DisposableStack();
    const store = stack.use(await BindleStore.open(options.directory));
    const index = new SearchIndex();
    const { keyring, strategy, hostKeys } = options;
    const ownKeys = hostKeys.key.map((secret) => publicKeyOf(secret));
    const api = new BindleApi({
      ...options,
      store,
      index,
      indexed: indexAll(store, index, options.report),
      ...(strategy && { trust: { strategy, keyring: withKeys(keyring, ownKeys) } }),
      invoiceBytesMax: limits.invoiceBytes,
      documentMsMax: limits.documentMs,
      parcelBytesMax: limits.parcelBytes,
    });
    const server = createServer(options, limits);
    server.on("request", (request, response) => {
      void serve(api, { server, request, response, documentMs: limits.documentMs }, options.report);
    });
    const host = await listen(server, options.listen ?? { host: "127.0.0.1", port: 8080 });
    const url = `${options.tls ? "https" : "http"}://${host}/v1/`;
    stack.move();
    return new BindleServer({ server, store }, { url, stopMs: limits.stopMs });
  }

  /** Takes no more connections, and resolves when those that there are have had their answers. */
  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.#stopMs);
    await closed;
    clearTimeout(timer);
    this.#store[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function indexAll(
  store: BindleStore,
  index: SearchIndex,
  report: (message: string) => void,
): Promise<void> {
  try {
    for await (const { bindle, yanked = false } of store.invoices(report)) {
      index.putOlder({ ...bindle, yanked });
    }
  } catch (error) {
    report(`Not all bindles can be searched for: ${error instanceof Error ? error.message : error}`);
  }
}

function createServer({ tls }: BindleServerOptions, limits: BindleServerLimits): Server {
  const server = tls ? https.createServer({ cert: tls.certificate, key: tls.key }) : http.createServer();
  server.maxConnections = limits.connections;
  server.timeout = limits.silenceMs;
  // A large parcel takes as long as it takes, as long as it comes.
  server.requestTimeout = 0;
  return server;
}

async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const action = `Cannot listen on ${host}:${port}`;
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    if (systemCodeOf(error) === "EADDRINUSE") {
      throw new SpindleError("PORT_IN_USE", `${action}: it is already in use`, {
        hint: "Choose another port.",
      });
    }
    const state = error instanceof Error ? error.message : String(error);
    throw new SpindleError("LISTEN_FAILED", `${action}: ${state}`, { cause: error });
  }
  // A server that listens on a TCP port has an address of this kind.
  const bound = server.address() as AddressInfo;
  return bound.family === "IPv6" ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

async function serve(
  api: BindleApi,
  exchange: {
    readonly server: Server;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly documentMs: number;
  },
  report: (message: string) => void,
): Promise<void> {
  const { server, request, response } = exchange;
  const reply = await api.answer(request).catch((error: unknown) => replyToError(error, { request, report }));
  // A server that stops waits for its connections to end.
  if (!server.listening) response.shouldKeepAlive = false;
  try {
    await sendReply(reply, exchange);
  } catch (error) {
    // The client has left, or the disk fails in the middle: either way the answer cannot be mended.
    response.destroy();
    if (fileStateOf(error) !== undefined) report(`${request.url}: ${fileStateOf(error)}`);
  }
}

function replyToError(
  error: unknown,
  { request, report }: { readonly request: IncomingMessage; readonly report: (message: string) => void },
): Reply {
  if (error instanceof Refusal) {
    const reply = documentReply(error.status, { error: error.message }, "toml");
    return { ...reply, headers: { ...reply.headers, ...error.headers } };
  }
  const state = fileStateOf(error);
  // A client that breaks off is no fault.
  if (!request.destroyed || state !== undefined) {
    report(`${request.method} ${request.url}: ${state ?? (error instanceof Error ? error.stack : error)}`);
  }
  return documentReply(500, { error: state ?? "internal error" }, "toml");
}
