// Logs in to servers that take tokens: the device flow of OAuth 2.0 (RFC 8628), and what is kept of it.
//
// The file is that of the reference (`src/client/tokens.rs` of deislabs/bindle at v0.9.2): the answer of
// the token endpoint, and where to ask for another one. What servers want to see is the id_token, a JWT.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { SpindleError } from "../../errors/mod.ts";
import { makeDirectory } from "../../paths/mod.ts";
import { explained, readDocument } from "./answer.ts";
import type { TokenSource } from "./credentials.ts";
import { formatDocument, parseDocument } from "./document.ts";
import { fileStateOf, systemCodeOf } from "./system-error.ts";
import { present, readTable, ShapeError, type Table, TableReader } from "./table-reader.ts";
import { type Abortable, Transport, TransportError, type TransportOptions } from "./transport.ts";
import { writeWholeFile } from "./whole-file.ts";

/** What a user is told to do, in whatever browser they like. */
export interface LoginPrompt {
  readonly url: string;
  readonly code: string;
}

interface Token {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly scope?: string;
  readonly id_token: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly token_url: string;
}

interface DeviceDetails extends LoginPrompt {
  readonly deviceCode: string;
  readonly intervalMs: number;
  readonly expiresMs: number;
  readonly clientId: string;
  readonly tokenUrl: string;
}

/** A token is refreshed this long before it expires. */
const REFRESH_EARLY_MS = 60_000;
/** RFC 8628, 3.5: what `slow_down` adds to the interval. */
const SLOW_DOWN_MS = 5000;
const INTERVAL_MS = 5000;
/** A login that takes longer is given up, however long the code is good for. */
const EXPIRES_MS_MAX = 30 * 60_000;

/** The part of a client that a login needs. */
interface LoginServer {
  readonly server: string;
  getDocument<T>(
    path: string,
    options: Abortable & { readonly action: string },
    read: (value: unknown) => T,
  ): Promise<T>;
}

/** What is asked of a token endpoint, in the words of RFC 6749 and RFC 8628. */
type Grant = Readonly<Record<string, string>>;

/**
 * Logs in: asks the server how, tells the user through `prompt`, waits until they have done it, and
 * keeps the token in `file`, which only they can read.
 *
 * @throws SpindleError BINDLE_LOGIN_FAILED
 */
export async function login(
  client: LoginServer,
  options: TransportOptions &
    Abortable & { readonly file: string; readonly prompt: (prompt: LoginPrompt) => void },
): Promise<void> {
  const { signal } = options;
  const action = `Cannot log in to ${client.server}`;
  const details = await client
    .getDocument("login?provider=default", { action, signal }, readDetails)
    .catch(withoutProvider);
  options.prompt({ url: details.url, code: details.code });
  using transport = new Transport(options);
  try {
    const ask = (grant: Grant) => askForToken(transport, details.tokenUrl, { grant, signal });
    const answer = await pollForToken(details, ask, { action, signal });
    await saveToken(
      options.file,
      tokenOf(answer, { client_id: details.clientId, token_url: details.tokenUrl }),
    );
  } catch (error) {
    throw error instanceof ShapeError
      ? loginFailed(action, `the provider's answer has no token: ${error.message}`)
      : explained(error, { action: `${action}: ${details.tokenUrl}`, credentials: { kind: "anonymous" } });
  }
}

/** Most servers know nobody, or users with passwords. */
function withoutProvider(error: unknown): never {
  if (!(error instanceof SpindleError) || !["BINDLE_REFUSED", "BINDLE_NOT_FOUND"].includes(error.code)) {
    throw error;
  }
  throw new SpindleError("BINDLE_LOGIN_FAILED", `${error.message}: it has no identity provider`, {
    hint: "Give `--username` and `--password` with each command, if it wants to know who asks.",
  });
}

async function pollForToken(
  details: DeviceDetails,
  ask: (grant: Grant) => Promise<Table>,
  { action, signal }: Abortable & { readonly action: string },
): Promise<Table> {
  const grant = {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: details.deviceCode,
    client_id: details.clientId,
  };
  const deadline = performance.now() + details.expiresMs;
  let intervalMs = details.intervalMs;
  while (performance.now() < deadline) {
    await delay(intervalMs, undefined, { signal });
    const answer = await ask(grant);
    const { error } = answer;
    if (error === undefined) return answer;
    if (error === "slow_down") intervalMs += SLOW_DOWN_MS;
    else if (error !== "authorization_pending") throw loginFailed(action, reasonOf(answer));
  }
  throw loginFailed(action, "nobody confirmed it in time");
}

function reasonOf(answer: Table): string {
  if (answer.error === "access_denied") return "the login was refused";
  if (answer.error === "expired_token") return "nobody confirmed it in time";
  return `the provider answered "${answer.error_description ?? answer.error}"`;
}

function loginFailed(action: string, state: string): SpindleError {
  return new SpindleError("BINDLE_LOGIN_FAILED", `${action}: ${state}`, {
    hint: "Log in again with `spindle bindle login`.",
  });
}

async function askForToken(
  transport: Transport,
  tokenUrl: string,
  { grant, signal }: Abortable & { readonly grant: Grant },
): Promise<Table> {
  const url = URL.parse(tokenUrl);
  if (url === null) throw new TransportError("answer", `it names the token URL "${tokenUrl}"`);
  const form = Buffer.from(new URLSearchParams(grant).toString());
  const body = {
    size: form.length,
    async *open() {
      yield form;
    },
  };
  const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
  // An error is an answer too: "not yet" comes with status 400.
  return await transport.exchange({ method: "POST", url, headers, body, signal }, (answer) =>
    readDocument(answer, readTable),
  );
}

/** Whose tokens are used for requests; refreshed before they expire. */
export class LoginSession implements TokenSource {
  readonly #file: string;
  readonly #options: TransportOptions;
  #token: Token;
  /** Requests that come while a token is refreshed wait for the same one. */
  #refreshing: Promise<void> | undefined;

  private constructor(file: string, token: Token, options: TransportOptions) {
    this.#file = file;
    this.#token = token;
    this.#options = options;
  }

  /** What `login()` has left in the file, or undefined if there is nothing. */
  static async open(file: string, options: TransportOptions = {}): Promise<LoginSession | undefined> {
    try {
      const bytes = await readFile(file);
      return new LoginSession(file, tokenOf(parseDocument(bytes, "toml"), {}), options);
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      const state = error instanceof ShapeError ? error.message : fileStateOf(error);
      throw state === undefined ? error : loginFailed(`Cannot use the login in ${file}`, state);
    }
  }

  /** A token that is good for a while. */
  async token(signal: AbortSignal): Promise<string> {
    if (Date.now() > expiryMsOf(this.#token) - REFRESH_EARLY_MS) {
      this.#refreshing ??= this.#refresh(signal).finally(() => {
        this.#refreshing = undefined;
      });
      await this.#refreshing;
    }
    return this.#token.id_token;
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { refresh_token, client_id, token_url } = this.#token;
    const action = "Cannot go on with the login";
    if (refresh_token === undefined) throw loginFailed(action, "it has expired");
    using transport = new Transport(this.#options);
    const grant = { grant_type: "refresh_token", refresh_token, client_id };
    const answer = await askForToken(transport, token_url, { grant, signal });
    if (answer.error !== undefined) throw loginFailed(action, `it has expired: ${reasonOf(answer)}`);
    // A provider that gives no new refresh token means the old one to be used again.
    this.#token = tokenOf({ refresh_token, ...answer }, { client_id, token_url });
    await saveToken(this.#file, this.#token);
  }
}

/** @throws ShapeError */
function tokenOf(value: unknown, extra: { readonly client_id?: string; readonly token_url?: string }): Token {
  const table = new TableReader(value, { name: "" });
  const id_token = table.string("id_token");
  return present<Token>({
    access_token: table.string("access_token"),
    token_type: table.string("token_type"),
    expires_in: table.optionalCount("expires_in"),
    refresh_token: table.optionalString("refresh_token"),
    scope: table.optionalString("scope"),
    id_token,
    issuer: claimsOf(id_token).optionalString("iss") ?? "",
    client_id: extra.client_id ?? table.string("client_id"),
    token_url: extra.token_url ?? table.string("token_url"),
  });
}

function expiryMsOf({ id_token }: Token): number {
  return (claimsOf(id_token).optionalCount("exp") ?? 0) * 1000;
}

/** What a JWT says. Whether that is true is for servers to check. */
function claimsOf(jwt: string): TableReader {
  const payload = Buffer.from(jwt.split(".")[1] ?? "", "base64url");
  return new TableReader(parseDocument(payload, "json"), { name: "id_token" });
}

async function saveToken(file: string, token: Token): Promise<void> {
  const directory = path.dirname(file);
  try {
    makeDirectory(directory);
    const options = { temporaryDirectory: directory, mode: 0o600 };
    await writeWholeFile(file, options, (handle) => handle.writeFile(formatDocument(token, "toml")));
  } catch (error) {
    const state = fileStateOf(error);
    throw state === undefined ? error : loginFailed(`Cannot keep the login in ${file}`, state);
  }
}

/** @throws ShapeError */
function readDetails(value: unknown): DeviceDetails {
  const table = new TableReader(value, { name: "" });
  const seconds = table.optionalCount("interval");
  return {
    // Some providers spell it so.
    url: table.optionalString("verification_uri") ?? table.string("verification_url"),
    code: table.string("user_code"),
    deviceCode: table.string("device_code"),
    intervalMs: seconds === undefined ? INTERVAL_MS : seconds * 1000,
    expiresMs: Math.min(table.count("expires_in") * 1000, EXPIRES_MS_MAX),
    clientId: table.string("client_id"),
    tokenUrl: table.string("token_url"),
  };
}
