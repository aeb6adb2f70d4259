// What all guests of a process share of the network: connections, limits, and the way to themselves.

import { type LookupAddress, lookup } from "node:dns";
import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import tls from "node:tls";
import type { BytePipe } from "../bytes/mod.ts";
import { BlockedNetworks } from "./blocked-networks.ts";
import type { Agents, Timeouts } from "./exchange.ts";
import { OutboundError } from "./outbound-error.ts";

/** What a guest asks of another component of its application. */
export interface ChainedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name, value, name, value, ... */
  readonly headers: readonly string[];
  readonly body: Uint8Array | BytePipe;
}

export interface ChainedResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

export interface SendOptions {
  /** The trigger's data of the call that sends; a chained call gets to see it. */
  readonly call: unknown;
  readonly signal: AbortSignal;
}

/** What a listener offers to guests of its own application. */
export interface OwnService {
  /** Where the listener is reached, such as `http://127.0.0.1:3000`. */
  readonly origin: string;
  /** Gives a request to another component. What it throws ends the guest that asked. */
  chain(componentId: string, request: ChainedRequest, options: SendOptions): Promise<ChainedResponse>;
}

export interface OutboundNetworkOptions {
  /** Takes what the operator should read when a guest is denied something. */
  readonly report: (text: string) => void;
  readonly timeouts?: Partial<Timeouts>;
  /** Most bytes of the headers and the body of one response. */
  readonly responseBytesMax?: number;
  /** Most requests under way at once; more are refused. */
  readonly requestsMax?: number;
  readonly redirectsMax?: number;
  readonly blocked?: BlockedNetworks;
  /** Certificates to trust besides those that Node trusts, in PEM. */
  readonly certificates?: readonly string[];
}

/** What Spin lets a guest wait in each phase. The deadline of the call is the tighter limit. */
const TIMEOUTS_DEFAULT: Timeouts = { connectMs: 600_000, firstByteMs: 600_000, betweenBytesMs: 600_000 };
/** What Spin buffers for a guest at most (`crates/world/src/lib.rs` at v4.0.2). */
const RESPONSE_BYTES_MAX = 128 * 1024 * 1024;
/** As many as the HTTP trigger runs calls by default: a guest waits for one request at a time. */
const REQUESTS_MAX = 1000;
/** What the client of Spin follows. */
const REDIRECTS_MAX = 10;
/** Idle connections that are kept for each destination: each costs a socket here and one there. */
const IDLE_CONNECTIONS_MAX = 16;
/** How long an idle connection is kept. Most servers keep theirs no longer. */
const IDLE_MS_MAX = 60_000;

export class OutboundNetwork implements Disposable {
  readonly report: (text: string) => void;
  readonly timeouts: Timeouts;
  readonly responseBytesMax: number;
  readonly redirectsMax: number;
  readonly blocked: BlockedNetworks;
  readonly #certificates: readonly string[];
  #agents: Agents | undefined;
  readonly #requestsMax: number;
  #requestCount = 0;
  #own: OwnService | undefined;

  constructor(options: OutboundNetworkOptions) {
    this.report = options.report;
    this.timeouts = { ...TIMEOUTS_DEFAULT, ...options.timeouts };
    this.responseBytesMax = options.responseBytesMax ?? RESPONSE_BYTES_MAX;
    this.redirectsMax = options.redirectsMax ?? REDIRECTS_MAX;
    this.blocked = options.blocked ?? new BlockedNetworks();
    this.#requestsMax = options.requestsMax ?? REQUESTS_MAX;
    this.#certificates = options.certificates ?? [];
  }

  /** Made for the first request: most components send none, and it takes all that Node has for TLS. */
  get agents(): Agents {
    this.#agents ??= createAgents(this.blocked, this.#certificates);
    return this.#agents;
  }

  /** Absent until a listener has opened. */
  get own(): OwnService | undefined {
    return this.#own;
  }

  /** Tells where the application itself listens. */
  attach(own: OwnService): void {
    this.#own = own;
  }

  /**
   * Counts a request until the result is disposed.
   *
   * @throws OutboundError too-many-requests
   */
  admit(): Disposable {
    if (this.#requestCount >= this.#requestsMax) {
      throw new OutboundError("too-many-requests", `${this.#requestsMax} requests are under way already`);
    }
    this.#requestCount++;
    return { [Symbol.dispose]: () => void this.#requestCount-- };
  }

  /** Closes idle connections; a request that is under way ends with an error. */
  [Symbol.dispose](): void {
    this.#agents?.http.destroy();
    this.#agents?.https.destroy();
  }
}

function createAgents(blocked: BlockedNetworks, certificates: readonly string[]): Agents {
  const shared = {
    keepAlive: true,
    maxFreeSockets: IDLE_CONNECTIONS_MAX,
    timeout: IDLE_MS_MAX,
    ...(!blocked.isEmpty && { lookup: lookupOutside(blocked) }),
  };
  const trust = certificates.length > 0 && { ca: [...tls.getCACertificates("default"), ...certificates] };
  return { http: new http.Agent(shared), https: new https.Agent({ ...shared, ...trust }) };
}

/** A look-up that leaves out blocked addresses, and fails if that leaves none. */
function lookupOutside(blocked: BlockedNetworks): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const open = addresses.filter(({ address }) => !blocked.blocks(address));
      const [first] = open;
      if (!first) return callback(blockedError(hostname, addresses), []);
      if (options.all) return callback(null, open);
      callback(null, first.address, first.family);
    });
  };
}

function blockedError(hostname: string, addresses: readonly LookupAddress[]): OutboundError {
  const list = addresses.map(({ address }) => address).join(", ");
  return new OutboundError("destination-blocked", `"${hostname}" lies in a blocked network: ${list}`);
}
