// What the answers of Bindle servers mean: documents, or one of the reasons why there is none.

import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";

import { type ErrorCode, printableLine, SpindleError } from "../../errors/mod.ts";
import { type Credentials, refusalOf } from "./credentials.ts";
import { DOCUMENT_BYTES_MAX, formatOfMediaType, parseDocument } from "./document.ts";
import { ParcelMismatch } from "./parcel-check.ts";
import { ShapeError, TableReader } from "./table-reader.ts";
import { readBytes, readSomeBytes, TransportError } from "./transport.ts";

/** What a request was for, to begin a message with: "Cannot fetch hello/1.0.0 from http://…". */
export interface Errand {
  readonly action: string;
  readonly credentials: Credentials;
  /** What 404 means, if not that there is no such bindle. */
  readonly notFound?: Meaning;
  /** What to do if a parcel is not what the invoice says. */
  readonly mismatchHint?: string;
}

export interface Meaning {
  readonly code: ErrorCode;
  readonly state: string;
  readonly hint?: string;
}

export const YANKED_HINT = "Use a newer version; `spindle bindle search` lists them.";
const TELL_HINT = "Check the URL of the server. If it is right, tell who runs the server.";
export const URL_HINT = 'The URL of a Bindle server usually ends in "/v1/".';

/** Reads a document of either format, and what `read` makes of it. */
export async function readDocument<T>(answer: IncomingMessage, read: (value: unknown) => T): Promise<T> {
  const mediaType = answer.headers["content-type"] ?? "";
  const format = formatOfMediaType(mediaType);
  if (format === undefined) throw notBindle(answer, mediaType);
  const bytes = await readBytes(answer, DOCUMENT_BYTES_MAX);
  try {
    return read(parseDocument(bytes, format));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new TransportError("answer", `its answer cannot be read: ${error.message}`, { cause: error });
  }
}

export function notBindle(answer: IncomingMessage, mediaType: string): TransportError {
  const status = `${answer.statusCode} ${STATUS_CODES[answer.statusCode ?? 0] ?? ""}`.trimEnd();
  const state = mediaType.startsWith("text/html")
    ? `it answered ${status} with an HTML page`
    : `it answered ${status} without a message`;
  return new TransportError("answer", `${state}: this is no Bindle server, or not its base URL`, {
    hint: URL_HINT,
  });
}

/** Throws what an answer means that has another status than those of success. */
export async function throwRefusal(answer: IncomingMessage, errand: Errand): Promise<never> {
  const { statusCode = 0 } = answer;
  const text = await errorTextOf(answer);
  // Who guards the way to a server, such as a proxy, says 401 in its own words.
  if (statusCode === 401) throw unauthorized(errand);
  if (text === undefined && statusCode < 500) throw notBindle(answer, answer.headers["content-type"] ?? "");
  const { code, state, hint } = meaningOf(statusCode, text ?? "no message", errand);
  throw new SpindleError(
    code,
    printableLine(`${errand.action}: ${state}`),
    hint === undefined ? {} : { hint },
  );
}

export function unauthorized({ action, credentials }: Errand): SpindleError {
  const { state, hint } = refusalOf(credentials);
  return new SpindleError("BINDLE_UNAUTHORIZED", printableLine(`${action}: ${state}`), { hint });
}

function meaningOf(status: number, text: string, { notFound }: Errand): Meaning {
  if (status === 403 && text.includes("yanked")) {
    return { code: "BINDLE_YANKED", state: "it was yanked", hint: YANKED_HINT };
  }
  if (status === 403) {
    const hint = "Give `--username` and `--password`, or log in with `spindle bindle login`.";
    return { code: "BINDLE_UNAUTHORIZED", state: `the server does not allow it: ${text}`, hint };
  }
  if (status === 404 && notFound) return notFound;
  if (status === 404) {
    const hint = "See what it has with `spindle bindle search`.";
    return { code: "BINDLE_NOT_FOUND", state: "the server has no such bindle", hint };
  }
  const answered = `the server answered ${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
  if (status === 409) return { code: "BINDLE_EXISTS", state: `${answered}: ${text}` };
  const state = `${answered}: ${text}`;
  if (status < 500) return { code: "BINDLE_REFUSED", state };
  return { code: "BINDLE_SERVER_FAILED", state, hint: "Try again later, or tell who runs the server." };
}

/** The message that a Bindle server sends with an error. Some say that it is TOML, some say nothing. */
async function errorTextOf(answer: IncomingMessage): Promise<string | undefined> {
  const bytes = await readSomeBytes(answer);
  try {
    const format = formatOfMediaType(answer.headers["content-type"] ?? "") ?? "toml";
    return new TableReader(parseDocument(bytes, format), { name: "" }).optionalString("error");
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}

/** What an exchange threw, as an error of its errand. */
export function explained(error: unknown, { action, mismatchHint = TELL_HINT }: Errand): unknown {
  if (error instanceof ParcelMismatch) {
    return new SpindleError(
      "BINDLE_PARCEL_MISMATCH",
      printableLine(`${action}: the parcel ${error.message}`),
      {
        hint: mismatchHint,
        cause: error.cause,
      },
    );
  }
  if (!(error instanceof TransportError)) return error;
  const isAnswer = error.kind === "answer";
  const code = isAnswer ? "BINDLE_SERVER_ANSWER" : "BINDLE_SERVER_UNREACHABLE";
  const hint = error.hint ?? (isAnswer ? TELL_HINT : "Try again later, or ask who runs the server.");
  return new SpindleError(code, printableLine(`${action}: ${error.message}`), { hint });
}
