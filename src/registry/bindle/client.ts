// Speaks with a Bindle server: each method is one request of the protocol.
//
// Servers of the reference answer in TOML or JSON, whichever is named first; JSON is ten times quicker to
// read. Requests carry TOML, which every server takes.

import type { IncomingMessage } from "node:http";

import { SpindleError } from "../../errors/mod.ts";
import {
  type Errand,
  explained,
  type Meaning,
  notBindle,
  readDocument,
  throwRefusal,
  URL_HINT,
} from "./answer.ts";
import { type BindleId, formatBindleId } from "./bindle-id.ts";
import { authorizationOf, type Credentials } from "./credentials.ts";
import { MEDIA_TYPES } from "./document.ts";
import type { Invoice, Label } from "./invoice.ts";
import { formatInvoice } from "./invoice-text.ts";
import { type Keyring, readKeyring } from "./keyring.ts";
import { checked, ParcelMismatch } from "./parcel-check.ts";
import { bodyOf, type ParcelContent } from "./parcel-content.ts";
import { type CreatedInvoice, type Matches, readCreated, readMatches, readMissing } from "./protocol.ts";
import { readInvoice } from "./read-invoice.ts";
import { type Abortable, Transport, type TransportOptions, type TransportRequest } from "./transport.ts";

export interface BindleClientOptions extends TransportOptions {
  /** The base URL, with its prefix: `http://127.0.0.1:8080/v1/`. */
  readonly server: string;
  readonly credentials?: Credentials;
}

export interface BindleQuery {
  /** Each of its words has to be a part of the name. */
  readonly query?: string;
  /** A version, or a range such as `^1.2`. */
  readonly version?: string;
  readonly offset?: number;
  /** At most 255. */
  readonly limit?: number;
  readonly strict?: boolean;
  /** Yanked bindles too. */
  readonly yanked?: boolean;
}

const PARCEL_NOT_FOUND: Meaning = {
  code: "BINDLE_INCOMPLETE",
  state: "the server lacks it",
  hint: "Push the bindle again: only what is missing is sent.",
};

/** What 404 means of a URL that has not the usual end. */
const ELSEWHERE: Meaning = {
  code: "BINDLE_NOT_FOUND",
  state: "the server has no such bindle, or it has them elsewhere",
  hint: URL_HINT,
};

const ACCEPT = `${MEDIA_TYPES.json}, ${MEDIA_TYPES.toml}`;

export class BindleClient implements Disposable {
  /** The base URL, ending in a slash. */
  readonly server: string;
  readonly #credentials: Credentials;
  readonly #transport: Transport;

  /** @throws SpindleError BINDLE_SERVER_URL */
  constructor({ server, credentials = { kind: "anonymous" }, ...transport }: BindleClientOptions) {
    this.server = baseUrlOf(server);
    this.#credentials = credentials;
    this.#transport = new Transport(transport);
  }

  /** Gets an invoice. One that was yanked is given only to those who say that they know. */
  getInvoice(
    id: BindleId,
    { signal, yanked = false }: Abortable & { readonly yanked?: boolean },
  ): Promise<Invoice> {
    const path = `_i/${pathOf(id)}${yanked ? "?yanked=true" : ""}`;
    const action = `Cannot fetch ${formatBindleId(id)} from ${this.server}`;
    return this.#get(path, { action, signal }, (value) => readInvoice(value));
  }

  /** Registers a bindle by its invoice, and says which parcels the server lacks. */
  async createInvoice(invoice: Invoice, { signal }: Abortable): Promise<CreatedInvoice> {
    const errand = this.#errand(`Cannot push ${formatBindleId(invoice.bindle)} to ${this.server}`);
    const text = Buffer.from(formatInvoice(invoice));
    const body = {
      size: text.length,
      async *open() {
        yield text;
      },
    };
    const headers = { accept: ACCEPT, "content-type": MEDIA_TYPES.toml };
    return await this.#exchange(errand, { method: "POST", path: "_i", headers, body, signal }, (answer) =>
      readDocument(answer, readCreated),
    );
  }

  /** Sends one parcel of a bindle that the server knows. */
  async uploadParcel(
    id: BindleId,
    { label, content }: { readonly label: Label; readonly content: ParcelContent },
    { signal }: Abortable,
  ): Promise<void> {
    const action = `Cannot push "${label.name}" of ${formatBindleId(id)} to ${this.server}`;
    const path = `_i/${pathOf(id)}@${label.sha256}`;
    const headers = { accept: ACCEPT, "content-type": "application/octet-stream" };
    const body = bodyOf(content, label);
    const errand = { ...this.#errand(action), mismatchHint: "The file has changed: push again." };
    await this.#exchange(errand, { method: "POST", path, headers, body, signal }, drain);
  }

  /**
   * Gets one parcel. Its bytes are `receive`d as they come; the last of them only if all are those of the
   * label. An answer that breaks off is received again from its beginning.
   */
  async downloadParcel<T>(
    id: BindleId,
    label: Label,
    { signal, receive }: Abortable & { receive(chunks: AsyncIterable<Uint8Array>): Promise<T> },
  ): Promise<T> {
    const action = `Cannot fetch "${label.name}" of ${formatBindleId(id)} from ${this.server}`;
    const path = `_i/${pathOf(id)}@${label.sha256}`;
    const request = { method: "GET", path, headers: { accept: "*/*" }, signal } as const;
    return await this.#exchange(this.#errand(action, PARCEL_NOT_FOUND), request, async (answer) => {
      try {
        refuseOtherSize(answer, label);
        return await receive(checked(answer, label));
      } catch (error) {
        const { "content-type": mediaType = "" } = answer.headers;
        const isPage = mediaType.startsWith("text/html") && mediaType !== label.mediaType;
        throw error instanceof ParcelMismatch && isPage ? notBindle(answer, mediaType) : error;
      }
    });
  }

  /** The parcels of a bindle that the server lacks. */
  missingParcels(id: BindleId, { signal }: Abortable): Promise<readonly Label[]> {
    const action = `Cannot ask ${this.server} what it lacks of ${formatBindleId(id)}`;
    return this.#get(`_r/missing/${pathOf(id)}`, { action, signal }, readMissing);
  }

  query(query: BindleQuery, { signal }: Abortable): Promise<Matches> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
    return this.#get(`_q?${parameters}`, { action: `Cannot search ${this.server}`, signal }, readMatches);
  }

  /** Withdraws a bindle: whoever uses it can still do so, nobody else should begin to. */
  async yank(id: BindleId, { signal }: Abortable): Promise<void> {
    const errand = this.#errand(`Cannot yank ${formatBindleId(id)} on ${this.server}`);
    const headers = { accept: ACCEPT };
    await this.#exchange(errand, { method: "DELETE", path: `_i/${pathOf(id)}`, headers, signal }, drain);
  }

  /** The public keys with which the server signs what it hosts. */
  hostKeys({ signal }: Abortable): Promise<Keyring> {
    return this.#get(
      "bindle-keys",
      { action: `Cannot fetch the keys of ${this.server}`, signal },
      readKeyring,
    );
  }

  /** Any other document of the API. */
  getDocument<T>(
    path: string,
    options: Abortable & { readonly action: string },
    read: (value: unknown) => T,
  ): Promise<T> {
    return this.#get(path, options, read);
  }

  #get<T>(
    path: string,
    { action, signal }: Abortable & { readonly action: string },
    read: (value: unknown) => T,
  ): Promise<T> {
    const request = { method: "GET", path, headers: { accept: ACCEPT }, signal } as const;
    return this.#exchange(this.#errand(action), request, (answer) => readDocument(answer, read));
  }

  #errand(action: string, notFound?: Meaning): Errand {
    const meaning = notFound ?? (this.server.endsWith("/v1/") ? undefined : ELSEWHERE);
    return { action, credentials: this.#credentials, ...(meaning && { notFound: meaning }) };
  }

  async #exchange<T>(
    errand: Errand,
    { path, ...request }: Omit<TransportRequest, "url"> & { readonly path: string },
    read: (answer: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    try {
      const authorization = await authorizationOf(this.#credentials, request.signal);
      const headers = { ...request.headers, ...(authorization !== undefined && { authorization }) };
      const url = new URL(path, this.server);
      return await this.#transport.exchange({ ...request, url, headers }, (answer) => {
        const isSuccess = [200, 201, 202].includes(answer.statusCode ?? 0);
        return isSuccess ? read(answer) : throwRefusal(answer, errand);
      });
    } catch (error) {
      throw explained(error, errand);
    }
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}

function baseUrlOf(text: string): string {
  const url = URL.parse(text.endsWith("/") ? text : `${text}/`);
  if (url && ["http:", "https:"].includes(url.protocol) && url.username === "" && url.search === "")
    return url.href;
  const state = url?.username ? "user and password do not belong into the URL" : "it is not an HTTP URL";
  throw new SpindleError("BINDLE_SERVER_URL", `Cannot use the Bindle server "${masked(text)}": ${state}`, {
    hint: url?.username
      ? "Give them with `--username` and `--password`."
      : 'Write it like "http://127.0.0.1:8080/v1/".',
  });
}

/** Without the password, if it has one; also where it is too odd for a URL. */
function masked(text: string): string {
  return text.replace(/^([^@]*?\/\/)?[^/?#]*@|^.*@/s, "$1***@");
}

/** An id in a URL. Its slashes and plus signs stand for themselves. */
function pathOf(id: BindleId): string {
  return encodeURI(formatBindleId(id));
}

/** Something else in place of a parcel is told before it is read. */
function refuseOtherSize({ headers }: IncomingMessage, label: Label): void {
  const { "content-length": length } = headers;
  if (length === undefined || Number(length) === label.size) return;
  throw new ParcelMismatch("size", `has ${length} bytes, not the ${label.size} that the invoice says`);
}

async function drain(answer: IncomingMessage): Promise<void> {
  for await (const _ of answer);
}
