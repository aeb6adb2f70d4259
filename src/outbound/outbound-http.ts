// HTTP requests of a component: policy first, then the wire.
//
// A destination is checked against the allow-list before any look-up, and against the blocked networks
// after DNS, for each redirect anew. Requests to the app itself (`/path`, `http://self.alt/path`) go to
// its own listener; requests to `COMPONENT.spin.internal` never leave the process.

import { isIP } from "node:net";
import type { BytePipe } from "../bytes/mod.ts";
import { AllowedHosts, SERVICE_CHAINING_DOMAIN } from "../manifest/mod.ts";
import { CallMeter, type OutboundLimits } from "./call-meter.ts";
import {
  type ExchangeOptions,
  exchange,
  headerValue,
  type Timeouts,
  type WireRequest,
  type WireResponse,
  withoutConnectionHeaders,
  withoutHeaders,
} from "./exchange.ts";
import type { ChainedResponse, OutboundNetwork, OwnService, SendOptions } from "./network.ts";
import { OutboundError } from "./outbound-error.ts";
import { pipeOf } from "./pipe-of.ts";

export interface OutboundRequest {
  readonly method: string;
  /** Absolute, or a path of the app itself. */
  readonly url: string;
  /** Name, value, name, value, ... */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** An answer, wholly in memory. */
export interface OutboundResponse {
  readonly status: number;
  /** Name, value, name, value, ...; names in lower case. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** A request whose body may still be on its way. */
export interface StreamedRequest extends Omit<OutboundRequest, "body"> {
  readonly body: BytePipe;
  /** Those that are not here are the network's. */
  readonly timeouts?: Partial<Timeouts>;
}

export interface StreamedResponse extends Omit<OutboundResponse, "body"> {
  /** Cancel it if it is not wanted to its end. */
  readonly body: BytePipe;
}

/** A destination that the allow-list has let pass. */
type Destination =
  | { readonly kind: "network"; readonly url: URL }
  | { readonly kind: "self"; readonly url: URL }
  | { readonly kind: "component"; readonly url: URL; readonly componentId: string; readonly own: OwnService };

type Hop = Destination & Omit<WireRequest, "url">;
type HopOptions = Pick<ExchangeOptions, "signal" | "counter" | "closed"> & {
  readonly timeouts?: Partial<Timeouts> | undefined;
};

const COMPONENT_SUFFIX = `.${SERVICE_CHAINING_DOMAIN}`;
const SELF_HOST = "self.alt";
/** What allows it in a manifest. */
const SELF_WORD = "self";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Redirects that repeat method and body; after the others the request becomes a GET. */
const REPEATING_REDIRECTS: ReadonlySet<number> = new Set([307, 308]);
/** Headers about a body that a redirect dropped. */
const BODY_HEADERS: ReadonlySet<string> = new Set(["content-encoding", "content-type"]);
/** Headers that another origin must not get to see. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "www-authenticate",
]);

export class OutboundHttp {
  readonly #componentId: string;
  readonly #allowedHosts: AllowedHosts;
  readonly #network: OutboundNetwork;
  #byHost: OutboundHttp | undefined;
  #meter: CallMeter | undefined;

  constructor(
    network: OutboundNetwork,
    component: { readonly id: string; readonly allowedHosts: AllowedHosts },
  ) {
    this.#network = network;
    this.#componentId = component.id;
    this.#allowedHosts = component.allowedHosts;
  }

  /** The same for one call, whose requests are counted. */
  forCall(limits: OutboundLimits): OutboundHttp {
    return this.#metered(new CallMeter(limits));
  }

  #metered(meter: CallMeter | undefined): OutboundHttp {
    const metered = new OutboundHttp(this.#network, {
      id: this.#componentId,
      allowedHosts: this.#allowedHosts,
    });
    metered.#meter = meter;
    return metered;
  }

  /** The same network by an older rule: an allowed host is allowed with every scheme and port. */
  get byHost(): OutboundHttp {
    if (!this.#byHost) {
      const items = this.#allowedHosts.items.map((item) => ({
        ...item,
        scheme: "*",
        port: { kind: "any" } as const,
      }));
      this.#byHost = new OutboundHttp(this.#network, {
        id: this.#componentId,
        allowedHosts: new AllowedHosts(items),
      }).#metered(this.#meter);
    }
    return this.#byHost;
  }

  /**
   * Sends a request, follows redirects, and buffers the answer.
   *
   * @throws OutboundError whose `fault` says why there is no answer
   */
  async send(request: OutboundRequest, options: SendOptions): Promise<OutboundResponse> {
    using _ = this.#network.admit();
    const { method, headers, body } = request;
    this.#meter?.countRequest(lengthOf(headers) + body.length);
    let hop: Hop = { ...this.#resolve(request.url), method, body, headers };
    for (let redirects = 0; ; redirects++) {
      if (hop.kind === "component") return await this.#chain(hop, options);
      using response = await this.#exchange(hop, options);
      const next = this.#redirected(hop, response);
      if (!next) return await this.#buffered(response);
      if (redirects === this.#network.redirectsMax) {
        throw new OutboundError(
          "too-many-redirects",
          `${hop.url.href} leads to more than ${redirects} redirects`,
        );
      }
      hop = next;
    }
  }

  /**
   * Sends a request as its body comes, and gives the answer when its head is there. A redirect is an answer.
   *
   * @throws OutboundError whose `fault` says why there is no answer; the body is cancelled then
   */
  async open(request: StreamedRequest, options: SendOptions): Promise<StreamedResponse> {
    const { method, headers, timeouts } = request;
    try {
      using admission = new DisposableStack();
      admission.use(this.#network.admit());
      this.#meter?.countRequest(lengthOf(headers));
      const body = request.body.trailers ? request.body : (request.body.whole ?? request.body);
      const hop: Hop = { ...this.#resolve(request.url), method, headers, body };
      if (hop.kind === "component") return streamed(await this.#chained(hop, options));
      const counter = this.#meter;
      const held = admission.move();
      const closed = () => held.dispose();
      return await this.#exchange(hop, { ...options, timeouts, counter, closed });
    } catch (error) {
      request.body.cancel();
      throw error;
    }
  }

  async #chain(hop: Hop & { readonly kind: "component" }, options: SendOptions): Promise<OutboundResponse> {
    return await this.#buffered(await this.#chained(hop, options));
  }

  #chained(hop: Hop & { readonly kind: "component" }, options: SendOptions): Promise<ChainedResponse> {
    const { method, url, headers, body, own, componentId } = hop;
    const target = url.pathname + url.search;
    return own.chain(
      componentId,
      { method, target, headers: withoutConnectionHeaders(headers), body },
      options,
    );
  }

  async #buffered({ status, headers, body }: WireResponse | ChainedResponse): Promise<OutboundResponse> {
    const { responseBytesMax } = this.#network;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const count = (more: number) => {
      bytes += more;
      this.#meter?.countResponse(more);
      if (bytes <= responseBytesMax) return;
      throw new OutboundError("response-too-large", `The response is larger than ${responseBytesMax} bytes`);
    };
    count(lengthOf(headers));
    for await (const chunk of body instanceof Uint8Array ? [body] : (body ?? [])) {
      count(chunk.length);
      chunks.push(chunk);
    }
    const [first] = chunks;
    return { status, headers, body: first && chunks.length === 1 ? first : Buffer.concat(chunks) };
  }

  #exchange(hop: Hop, options: HopOptions): Promise<WireResponse> {
    const { agents } = this.#network;
    const timeouts = { ...this.#network.timeouts, ...options.timeouts };
    return exchange(withCredentials(hop), { ...options, agents, timeouts });
  }

  /** Where a URL leads, if the component may go there. */
  #resolve(text: string): Destination {
    if (text.startsWith("/")) return this.#toSelf(text);
    const url = URL.parse(text);
    if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
      throw new OutboundError("invalid-url", `"${text}" is not an HTTP URL`);
    }
    url.hash = "";
    if (url.hostname === SELF_HOST) return this.#toSelf(url.pathname + url.search);
    if (!this.#allows(url)) throw this.#denied(url.origin, url.hostname);
    const { own } = this.#network;
    if (own && url.hostname.endsWith(COMPONENT_SUFFIX)) {
      return { kind: "component", url, own, componentId: url.hostname.slice(0, -COMPONENT_SUFFIX.length) };
    }
    this.#checkAddress(url.hostname.replace(/^\[(.*)\]$/, "$1"));
    return { kind: "network", url };
  }

  #allows(url: URL): boolean {
    return this.#allowedHosts.allows({
      scheme: url.protocol.slice(0, -1),
      host: url.hostname,
      port: url.port === "" ? undefined : Number(url.port),
    });
  }

  #toSelf(path: string): Destination {
    if (!this.#allowedHosts.allowsSelf(["http", "https"])) throw this.#denied("http://self", SELF_HOST);
    // Joined as text: as a relative reference, "//host/" would lead to another host.
    const url = this.#network.own && URL.parse(this.#network.own.origin + path);
    if (!url) throw new OutboundError("invalid-url", `"${path}" leads nowhere: nothing listens`);
    return { kind: "self", url };
  }

  /** A host name is checked when it is looked up; an address is never looked up. */
  #checkAddress(host: string): void {
    if (isIP(host) === 0 || !this.#network.blocked.blocks(host)) return;
    throw new OutboundError("destination-blocked", `${host} lies in a blocked network`);
  }

  #denied(destination: string, host: string): OutboundError {
    const reason =
      host === SELF_WORD
        ? `"${SELF_WORD}" is a word of manifests, and no host`
        : "its manifest does not allow it";
    const advice =
      host === SELF_WORD
        ? `To call the application itself, ask for the path alone, or for http://${SELF_HOST} and the path, and add`
        : "To allow this request, add";
    this.#network.report(
      `Component "${this.#componentId}" may not connect to ${destination}: ${reason}.\n` +
        `${advice} 'allowed_outbound_hosts = ["${destination}"]' to the manifest component section.`,
    );
    return new OutboundError("destination-not-allowed", `${destination} is not an allowed destination`);
  }

  /** The next hop, if the response is a redirect that can be followed. */
  #redirected(hop: Hop, response: WireResponse): Hop | undefined {
    if (!REDIRECTS.has(response.status)) return undefined;
    const location = headerValue(response.headers, "location");
    const url = location === undefined ? null : URL.parse(location, hop.url);
    if (!url) return undefined;
    const staysHome = hop.kind === "self" && url.origin === hop.url.origin;
    const destination = staysHome ? this.#toSelf(url.pathname + url.search) : this.#resolve(url.href);
    const repeats = REPEATING_REDIRECTS.has(response.status) || hop.method === "HEAD";
    const dropped = new Set([
      ...(repeats ? [] : BODY_HEADERS),
      ...(url.origin === hop.url.origin ? [] : SECRET_HEADERS),
    ]);
    return {
      ...destination,
      method: repeats ? hop.method : "GET",
      headers: withoutHeaders(hop.headers, dropped),
      body: repeats ? hop.body : new Uint8Array(),
    };
  }
}

/** The answer of a component as one that comes over the wire. */
function streamed({ status, headers, body }: ChainedResponse): StreamedResponse {
  return { status, headers, body: pipeOf(body) };
}

/** Turns `user:password@` of the URL into a header, as every client does. */
function withCredentials(hop: Hop): Hop {
  const { username, password } = hop.url;
  if (username === "" && password === "") return hop;
  const url = new URL(hop.url);
  url.username = url.password = "";
  if (headerValue(hop.headers, "authorization") !== undefined) return { ...hop, url };
  const credentials = Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString("base64");
  return { ...hop, url, headers: [...hop.headers, "authorization", `Basic ${credentials}`] };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new OutboundError("invalid-url", "The user or password of a URL is not UTF-8", { cause });
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
