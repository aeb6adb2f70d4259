// The Bindle API: which request is answered by what.
//
// Paths, statuses and texts are those of the reference (`src/server/` of deislabs/bindle at v0.9.2), but
// where it has a mistake: HEAD answers with the status of GET, yanked bindles are not found by queries,
// and a parcel is present only if all of it is.

import type { IncomingMessage } from "node:http";

import {
  type BindleId,
  checked,
  checkSignature,
  checkSignatures,
  DOCUMENT_BYTES_MAX,
  type DocumentFormat,
  type Invoice,
  type Label,
  type Matches,
  ParcelMismatch,
  publicKeyOf,
  readInvoice,
  type SecretKey,
  type SecretKeys,
  SignatureError,
  signInvoice,
  type Trust,
} from "../registry/mod.ts";
import { type Authentication, admit } from "./gate.ts";
import { REFUSALS } from "./refusal.ts";
import { documentReply, type Reply, textReply } from "./reply.ts";
import {
  acceptedFormat,
  type BindleTail,
  parseFlag,
  parseId,
  parseNumber,
  parseParameters,
  parseTail,
  type RequestTarget,
  readBody,
  targetOf,
} from "./request.ts";
import { type IndexedBindle, SearchError, type SearchIndex, type SearchQuery } from "./search-index.ts";
import type { BindleStore, StoredInvoice } from "./store.ts";

export interface ApiOptions {
  readonly store: BindleStore;
  readonly index: SearchIndex;
  /** When all that is stored has been indexed. */
  readonly indexed: Promise<void>;
  readonly authentication: Authentication;
  /** What is demanded of invoices; without it, that no signature is wrong. */
  readonly trust?: Trust;
  /** The first one for the role "host" signs what is accepted. */
  readonly hostKeys: SecretKeys;
  readonly version: string;
  readonly invoiceBytesMax: number;
  readonly documentMsMax: number;
  readonly parcelBytesMax: number;
}

const PREFIX = "/v1/";
const QUERY_NAMES = {
  q: "query",
  query: "query",
  v: "version",
  version: "version",
  o: "offset",
  offset: "offset",
  l: "limit",
  limit: "limit",
  strict: "strict",
  yanked: "yanked",
} as const;
const LIMIT = 50;
const LIMIT_MAX = 255;
/** A page of long invoices has fewer of them, but one at least. Clients read documents of this size. */
const PAGE_BYTES_MAX = DOCUMENT_BYTES_MAX / 2;

export class BindleApi {
  readonly #options: ApiOptions;
  readonly #hostKey: SecretKey | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#hostKey = options.hostKeys.key.find(({ roles }) => roles.includes("host"));
  }

  /** @throws Refusal */
  async answer(request: IncomingMessage): Promise<Reply> {
    const target = targetOf(request.url ?? "");
    if (target.path === "/healthz") {
      return documentReply(200, { status: "OK", version: this.#options.version }, "json");
    }
    if (!target.path.startsWith(PREFIX)) throw REFUSALS.notFound();
    await admit(request, this.#options.authentication);
    return await this.#route(request, { ...target, path: target.path.slice(PREFIX.length) });
  }

  #route(request: IncomingMessage, { path, query }: RequestTarget): Promise<Reply> {
    const format = acceptedFormat(request.headers.accept);
    const tail = (prefix: string) => (path.startsWith(prefix) ? path.slice(prefix.length) : undefined);
    if (path === "_q") return dispatch(request, { GET: () => this.#query(query, format) });
    if (path === "_i") return dispatch(request, { POST: () => this.#createInvoice(request, format) });
    if (path === "login") return dispatch(request, { GET: () => refuseLogin(query) });
    if (path === "bindle-keys") return dispatch(request, { GET: async () => this.#keys(query, format) });
    const missing = tail("_r/missing/");
    if (missing !== undefined)
      return dispatch(request, { GET: () => this.#missing(parseId(missing), format) });
    const bindle = tail("_i/");
    if (bindle === undefined) throw REFUSALS.notFound();
    return this.#routeBindle(request, { tail: parseTail(bindle), query, format });
  }

  #routeBindle(
    request: IncomingMessage,
    {
      tail,
      query,
      format,
    }: { readonly tail: BindleTail; readonly query: URLSearchParams; readonly format: DocumentFormat },
  ): Promise<Reply> {
    const { sha256 } = tail;
    if (sha256 === undefined) {
      return dispatch(request, {
        GET: () => this.#getInvoice(tail.id, { yanked: parseFlag(query.get("yanked") ?? undefined), format }),
        DELETE: () => this.#yank(tail.id, format),
      });
    }
    return dispatch(request, {
      GET: () => this.#getParcel({ ...tail, sha256 }),
      POST: () => this.#createParcel(request, { tail: { ...tail, sha256 }, format }),
    });
  }

  async #query(parameters: URLSearchParams, format: DocumentFormat): Promise<Reply> {
    const { query = "", version = "", ...rest } = parseParameters(parameters, QUERY_NAMES);
    const offset = parseNumber(rest.offset, { absent: 0, max: Number.MAX_SAFE_INTEGER });
    const limit = parseNumber(rest.limit, { absent: LIMIT, max: LIMIT_MAX });
    const yanked = parseFlag(rest.yanked);
    parseFlag(rest.strict);
    await this.#options.indexed;
    const found = this.#search({ query, version, yanked });
    const page = await this.#pageOf(found.slice(offset, offset + limit));
    const matches: Matches = {
      query,
      strict: true,
      offset,
      limit,
      total: found.length,
      more: found.length > offset + page.taken,
      yanked,
      invoices: page.invoices,
    };
    return documentReply(200, matches, format);
  }

  #search(query: SearchQuery): readonly IndexedBindle[] {
    try {
      return this.#options.index.search(query);
    } catch (error) {
      throw error instanceof SearchError ? REFUSALS.search(error.message) : error;
    }
  }

  /** The first invoices of these bindles, and how many bindles were gone through for them. */
  async #pageOf(
    bindles: readonly IndexedBindle[],
  ): Promise<{ readonly invoices: readonly Invoice[]; readonly taken: number }> {
    const invoices: Invoice[] = [];
    let bytes = 0;
    for (const [taken, id] of bindles.entries()) {
      const stored = await this.#options.store.getInvoice(id);
      if (!stored) continue;
      bytes += Buffer.byteLength(stored.text);
      if (bytes > PAGE_BYTES_MAX && invoices.length > 0) return { invoices, taken };
      invoices.push(stored.invoice);
    }
    return { invoices, taken: bindles.length };
  }

  async #createInvoice(request: IncomingMessage, format: DocumentFormat): Promise<Reply> {
    const { store, index, invoiceBytesMax, documentMsMax } = this.#options;
    const received = await readBody(request, {
      bytesMax: invoiceBytesMax,
      msMax: documentMsMax,
      read: (value) => readInvoice(value),
    });
    const invoice = this.#accept(received);
    if ((await store.createInvoice(invoice)) === "exists") throw REFUSALS.exists();
    index.put({ ...invoice.bindle, yanked: false });
    const missing = await store.missing(invoice.parcel?.map(({ label }) => label) ?? []);
    if (missing.length === 0) return documentReply(201, { invoice }, format);
    return documentReply(202, { invoice, missing }, format);
  }

  /** Judges an invoice, and signs it. */
  #accept(invoice: Invoice): Invoice {
    const { trust, parcelBytesMax } = this.#options;
    const signed = signatureRefused(() => {
      if (trust) checkSignatures(invoice, trust);
      else for (const signature of invoice.signature ?? []) checkSignature(invoice, signature);
      return this.#hostKey ? signInvoice(invoice, this.#hostKey, { role: "host", at: new Date() }) : invoice;
    });
    if (invoice.yanked) throw REFUSALS.createYanked();
    const giant = invoice.parcel?.find(({ label }) => label.size > parcelBytesMax);
    if (giant) throw REFUSALS.tooLarge(`parcel ${giant.label.sha256}`, parcelBytesMax);
    return signed;
  }

  async #getInvoice(
    id: BindleId,
    { yanked, format }: { readonly yanked: boolean; readonly format: DocumentFormat },
  ): Promise<Reply> {
    const { invoice, text } = await this.#find(id, { yanked });
    return format === "toml" ? textReply(200, text, format) : documentReply(200, invoice, format);
  }

  async #yank(id: BindleId, format: DocumentFormat): Promise<Reply> {
    const { invoice } = await this.#find(id, { yanked: true });
    if (!invoice.yanked) await this.#options.store.replaceInvoice({ ...invoice, yanked: true });
    this.#options.index.put({ ...id, yanked: true });
    return documentReply(200, { message: "invoice yanked" }, format);
  }

  async #missing(id: BindleId, format: DocumentFormat): Promise<Reply> {
    const { invoice } = await this.#find(id, { yanked: false });
    const missing = await this.#options.store.missing(invoice.parcel?.map(({ label }) => label) ?? []);
    return documentReply(200, { missing }, format);
  }

  async #createParcel(
    request: IncomingMessage,
    { tail, format }: { readonly tail: ParcelTail; readonly format: DocumentFormat },
  ): Promise<Reply> {
    const { store } = this.#options;
    const label = await this.#labelOf(tail);
    if (await store.hasParcel(label)) throw REFUSALS.exists();
    const length = request.headers["content-length"];
    if (length !== undefined && Number(length) !== label.size) throw REFUSALS.size();
    try {
      const chunks = request.iterator({ destroyOnReturn: false });
      await store.createParcel(label, checked(chunks, label));
    } catch (error) {
      if (!(error instanceof ParcelMismatch)) throw error;
      throw error.kind === "size" ? REFUSALS.size() : REFUSALS.digest();
    }
    return documentReply(200, { message: "parcel created" }, format);
  }

  async #getParcel(tail: ParcelTail): Promise<Reply> {
    const label = await this.#labelOf(tail);
    const { mediaType, size } = label;
    const file = await this.#options.store.openParcel(label);
    if (!file) throw REFUSALS.notFound();
    // A media type is any text; as a header it could be more than one.
    const type = /^[\x20-\x7e]+$/.test(mediaType) ? mediaType : "application/octet-stream";
    return { status: 200, headers: { "content-type": type }, body: { kind: "file", file, size } };
  }

  async #labelOf({ id, text, sha256 }: ParcelTail): Promise<Label> {
    const label = (await this.#find(id, { yanked: false })).labels.get(sha256);
    if (!label) throw REFUSALS.parcel(sha256, text);
    return label;
  }

  async #find(id: BindleId, { yanked }: { readonly yanked: boolean }): Promise<StoredInvoice> {
    const stored = await this.#options.store.getInvoice(id);
    if (!stored) throw REFUSALS.notFound();
    if (stored.invoice.yanked && !yanked) throw REFUSALS.yanked();
    return stored;
  }

  /** Public keys of the server; the protocol knows others, this server does not have them. */
  #keys(parameters: URLSearchParams, format: DocumentFormat): Reply {
    const { roles } = parseParameters(parameters, { roles: "roles" });
    if (roles !== undefined && !["host", "h"].includes(roles.trim().toLowerCase())) throw REFUSALS.roles();
    const { version, key } = this.#options.hostKeys;
    const entries = key
      .filter((secret) => secret.roles.includes("host"))
      .map((secret) => publicKeyOf({ ...secret, roles: ["host"] }));
    return documentReply(200, { version, key: entries }, format);
  }
}

type ParcelTail = BindleTail & { readonly sha256: string };

type Method = "GET" | "POST" | "DELETE";

/** HEAD is answered as GET is; the body is left out when it is sent. */
function dispatch(
  { method }: IncomingMessage,
  handlers: Partial<Readonly<Record<Method, () => Promise<Reply>>>>,
): Promise<Reply> {
  const name = method === "HEAD" ? "GET" : method;
  const handler = Object.entries(handlers).find(([candidate]) => candidate === name)?.[1];
  if (!handler) throw REFUSALS.method(Object.keys(handlers).join(", "));
  return handler();
}

function signatureRefused<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof SignatureError ? REFUSALS.signature(error.message) : error;
  }
}

/** What a server of the reference answers that has no identity provider. */
async function refuseLogin(parameters: URLSearchParams): Promise<never> {
  throw parameters.has("provider") ? REFUSALS.login() : REFUSALS.query();
}
