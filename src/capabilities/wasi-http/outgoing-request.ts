// `outgoing-request` and `request-options`: what a guest asks of others.

import { err, ok, type Result } from "../../wasi/mod.ts";
import type { Fields } from "./fields.ts";
import { GET, type Method, methodName, type Scheme, schemeName } from "./method.ts";
import { HELD_BYTES_MAX, OutgoingBody, statedLength } from "./outgoing-body.ts";

const PATH_WITH_QUERY = /^[/?]?[!-"$-;=?-~\x80-\uffff]*$/;
const AUTHORITY = /^([\w.~!$&'()*+,;=:%-]*@)?(\[[0-9A-Za-z:.%]+\]|[\w.~!$&'()*+,;=%-]+)(:[0-9]{1,5})?$/;
const PORT_ALONE = /^:[0-9]{1,5}$/;
const PORT_MAX = 65_535;

type Done = Result<undefined, undefined>;

/** What a request costs besides its parts. */
const REQUEST_BYTES = 512;

export class OutgoingRequest implements Disposable {
  readonly headers: Fields;
  #method: Method = GET;
  #pathWithQuery: string | undefined;
  #scheme: Scheme | undefined;
  #authority: string | undefined;
  #body: OutgoingBody | undefined;
  #heldBytes = 0;

  /** Takes the headers: they cannot be changed any more. */
  constructor(headers: Fields) {
    this.headers = headers.freeze();
    this.#hold(REQUEST_BYTES);
  }

  get method(): Method {
    return this.#method;
  }

  setMethod(method: Method): Done {
    if (methodName(method) === undefined) return err(undefined);
    this.#hold(methodName(method)?.length);
    this.#method = method;
    return ok();
  }

  get pathWithQuery(): string | undefined {
    return this.#pathWithQuery;
  }

  setPathWithQuery(text: string | undefined): Done {
    if (text !== undefined && !PATH_WITH_QUERY.test(text)) return err(undefined);
    this.#hold(text?.length);
    this.#pathWithQuery = text;
    return ok();
  }

  get scheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): Done {
    if (scheme && schemeName(scheme) === undefined) return err(undefined);
    this.#hold(scheme && schemeName(scheme)?.length);
    this.#scheme = scheme;
    return ok();
  }

  get authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(text: string | undefined): Done {
    if (text !== undefined && !isAuthority(text)) return err(undefined);
    this.#hold(text?.length);
    this.#authority = text;
    return ok();
  }

  /** The body, if the guest has asked for it. */
  get takenBody(): OutgoingBody | undefined {
    return this.#body;
  }

  /** Errors: it was taken before, or the `content-length` is no number. */
  body(): Result<OutgoingBody, undefined> {
    const length = statedLength(this.headers);
    if (this.#body || length === "invalid") return err(undefined);
    this.#hold(HELD_BYTES_MAX);
    this.#body = new OutgoingBody("request", length);
    return ok(this.#body);
  }

  /** To be called when the message is let go of unsent: nobody reads its body then. */
  [Symbol.dispose](): void {
    this.#body?.pipe.cancel();
    this.release();
  }

  /** Whoever sends the message holds it from here on. */
  release(): void {
    this.headers.release();
    this.headers.held?.remove(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #hold(bytes = 0): void {
    this.headers.held?.add(bytes);
    this.#heldBytes += bytes;
  }

  /**
   * An absolute URL, or a path of the app itself where there is no authority, or one without a host: SDKs
   * for Rust make `:443` of a URL that is only a path. HTTPS if nothing is said.
   */
  get url(): string {
    const path = this.#pathWithQuery ?? "/";
    const absolute = path.startsWith("/") ? path : `/${path}`;
    if (this.#authority === undefined || this.#authority.startsWith(":")) return absolute;
    const scheme = this.#scheme ? schemeName(this.#scheme) : "https";
    return `${scheme}://${this.#authority}${absolute}`;
  }
}

function isAuthority(text: string): boolean {
  const port = AUTHORITY.exec(text)?.[3] ?? PORT_ALONE.exec(text)?.[0];
  return (
    (AUTHORITY.test(text) || PORT_ALONE.test(text)) &&
    (port === undefined || Number(port.slice(1)) <= PORT_MAX)
  );
}

/** Durations in nanoseconds; without one, what the host has set holds. */
export class RequestOptions {
  connectTimeout: bigint | undefined;
  firstByteTimeout: bigint | undefined;
  betweenBytesTimeout: bigint | undefined;
}
