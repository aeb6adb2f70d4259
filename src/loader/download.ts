// Downloads a file whose digest is known, or leaves nothing behind.
//
// The file is written beside its target under a name of its own, hashed on the way, and only renamed
// once it is whole, right, and on the disk. So whatever has the target's name can be trusted after a
// crash, and two processes that download the same file do not disturb each other.

import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface DownloadRequest {
  readonly url: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** Absolute path of the file to make. */
  readonly target: string;
  readonly bytesMax: number;
  readonly signal: AbortSignal;
  readonly patience?: Partial<Patience>;
}

/** How long to wait, and how often to try again. */
export interface Patience {
  readonly attempts: number;
  /** Before the second attempt; twice as long before each further one. */
  readonly backOffMs: number;
  /** Without a byte from the server. */
  readonly silenceMs: number;
  /** For one attempt, however steadily it trickles. */
  readonly attemptMs: number;
}

const PATIENCE: Patience = { attempts: 4, backOffMs: 500, silenceMs: 30_000, attemptMs: 15 * 60_000 };
/** A server that says `Retry-After` is given this long at most. */
const RETRY_AFTER_MS_MAX = 30_000;
const REDIRECTS_MAX = 10;

/** Why a file could not be downloaded; the message is the state that was found. */
export class DownloadError extends Error {
  /** "digest" and "size": the file is not the one that is wanted. "network": it could not be had. */
  readonly kind: "digest" | "size" | "network";
  readonly hint: string | undefined;
  /** Whether another attempt may end better, and when: undefined if not. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: DownloadError["kind"],
    state: string,
    options: { readonly hint?: string; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(state, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Downloads the file to its target; throws DownloadError, or the reason of the signal. */
export async function download(request: DownloadRequest): Promise<void> {
  const patience = { ...PATIENCE, ...request.patience };
  await mkdir(path.dirname(request.target), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptDownload(request, patience);
    } catch (error) {
      request.signal.throwIfAborted();
      const isLast = attempt >= patience.attempts;
      if (!(error instanceof DownloadError) || error.retryAfterMs === undefined || isLast) throw error;
      const backOffMs = patience.backOffMs * 2 ** (attempt - 1);
      const waitMs = Math.max(backOffMs, Math.min(error.retryAfterMs, RETRY_AFTER_MS_MAX));
      await delay(waitMs, undefined, { signal: request.signal });
    }
  }
}

async function attemptDownload(request: DownloadRequest, patience: Patience): Promise<void> {
  const partial = path.join(path.dirname(request.target), `.download-${randomUUID()}`);
  using silence = new SilenceTimer(patience.silenceMs);
  const signal = AbortSignal.any([request.signal, silence.signal, AbortSignal.timeout(patience.attemptMs)]);
  try {
    const response = await follow(request.url, signal);
    checkResponse(response, request.bytesMax);
    await using file = await open(partial, "wx");
    await receive(response, file, { ...request, silence });
    await file.sync();
    await rename(partial, request.target);
  } catch (error) {
    throw toDownloadError(error, request.signal);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Follows redirects by hand, so that a loop of them is told apart from a broken connection. */
async function follow(url: string, signal: AbortSignal): Promise<Response> {
  let current = parseUrl(url);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    // The digest is that of the file itself, not of a compressed form.
    const headers = { "accept-encoding": "identity" };
    const response = await fetch(current, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    current = parseUrl(location, current);
  }
  throw new DownloadError("network", `it is redirected more than ${REDIRECTS_MAX} times`);
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new DownloadError("network", `"${text}" is not an HTTP URL`);
  }
  if (url.username !== "") throw new DownloadError("network", "a URL with a user name is not supported");
  return url;
}

function checkResponse(response: Response, bytesMax: number): void {
  const { status, statusText, headers } = response;
  if (!response.ok) {
    const isTemporary = status >= 500 || status === 429 || status === 408;
    const retryAfterMs = Number(headers.get("retry-after") ?? 0) * 1000 || 0;
    throw new DownloadError("network", `the server answered ${status} ${statusText}`.trimEnd(), {
      ...(isTemporary && { retryAfterMs }),
    });
  }
  if (Number(headers.get("content-length") ?? 0) > bytesMax) throw tooLarge(bytesMax);
}

function tooLarge(bytesMax: number): DownloadError {
  return new DownloadError("size", `it is larger than ${bytesMax / 2 ** 20} MiB`);
}

interface Receiving extends DownloadRequest {
  readonly silence: SilenceTimer;
}

async function receive(response: Response, file: FileHandle, receiving: Receiving): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    receiving.silence.restart();
    bytes += chunk.byteLength;
    if (bytes > receiving.bytesMax) throw tooLarge(receiving.bytesMax);
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  const actual = `sha256:${hash.digest("hex")}`;
  if (actual === receiving.digest) return;
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  const hint = isPage
    ? "The server sent an HTML page: check the URL."
    : "Check the URL; if the file has changed on purpose, correct `digest`.";
  throw new DownloadError("digest", `its digest is ${actual}, expected ${receiving.digest}`, { hint });
}

/** Whatever the network threw, in words; it may work at another time. */
function toDownloadError(error: unknown, callers: AbortSignal): unknown {
  if (error instanceof DownloadError || callers.aborted) return error;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new DownloadError("network", "the server takes too long", { retryAfterMs: 0, cause: error });
  }
  if (!(error instanceof TypeError)) return error;
  // fetch() says "fetch failed" or "terminated", and why in the cause.
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  return new DownloadError("network", reason || "the connection was lost", { retryAfterMs: 0, cause: error });
}

/** Aborts when nothing has happened for a while. */
class SilenceTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(silenceMs: number) {
    const reason = new DOMException("no byte from the server", "TimeoutError");
    this.#timer = setTimeout(() => this.#controller.abort(reason), silenceMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
