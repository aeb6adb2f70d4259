// From the flags to a client for the server, and to the trust in what it has.

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

import { SpindleError } from "../../errors/mod.ts";
import {
  BindleClient,
  type Credentials,
  fileStateOf,
  LoginSession,
  loadKeyring,
  parseStrategy,
  type TransportOptions,
  type Trust,
} from "../../registry/mod.ts";
import { keyringPath, tokenPath } from "./places.ts";
import type { ServerOptions, TrustOptions } from "./server-options.ts";

/** @throws SpindleError BINDLE_SERVER_URL, TLS_FILES_UNUSABLE, BINDLE_LOGIN_FAILED */
export async function connect(options: ServerOptions): Promise<BindleClient> {
  return await connectAs(options, (server, transport) => credentialsOf(server, options, transport));
}

/** For a new login, which an earlier one must not stand in the way of. */
export async function connectWithoutLogin(options: ServerOptions): Promise<BindleClient> {
  return await connectAs(options, async () => passwordOf(options) ?? { kind: "anonymous" });
}

async function connectAs(
  options: ServerOptions,
  credentialsFor: (server: string, transport: TransportOptions) => Promise<Credentials>,
): Promise<BindleClient> {
  const { server } = options;
  if (server === undefined) {
    throw new SpindleError("BINDLE_SERVER_URL", "Cannot reach a Bindle server: none is named", {
      hint: "Give `--server http://127.0.0.1:8080/v1/`, or set BINDLE_URL.",
    });
  }
  const transport = await transportOptions(options);
  return new BindleClient({ server, credentials: await credentialsFor(server, transport), ...transport });
}

export async function transportOptions({ insecure, ca }: ServerOptions): Promise<TransportOptions> {
  const authorities = ca === undefined ? undefined : await readAuthorities(ca);
  return {
    proxyEnvironment: process.env,
    tls: { insecure: insecure ?? false, ...(authorities !== undefined && { ca: authorities }) },
  };
}

async function readAuthorities(file: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    // TLS would leave out in silence what it cannot read. This reads the first of them.
    new X509Certificate(text);
    return text;
  } catch (cause) {
    const state = fileStateOf(cause) ?? "there is no certificate in it, in PEM";
    const message = `Cannot read the certificate authorities in "${file}": ${state}`;
    throw new SpindleError("TLS_FILES_UNUSABLE", message, { hint: "Correct `--ca`.", cause });
  }
}

async function credentialsOf(
  server: string,
  options: ServerOptions,
  transport: TransportOptions,
): Promise<Credentials> {
  const basic = passwordOf(options);
  if (basic) return basic;
  const url = URL.parse(server);
  const session = url ? await LoginSession.open(tokenPath(url, options), transport) : undefined;
  return session ? { kind: "login", session } : { kind: "anonymous" };
}

function passwordOf({ username: user, password }: ServerOptions): Credentials | undefined {
  return user === undefined || password === undefined ? undefined : { kind: "basic", user, password };
}

/** Undefined if signatures were not asked for. */
export async function trustOf(options: TrustOptions): Promise<Trust | undefined> {
  if (options.verify === undefined) return undefined;
  const strategy = parseStrategy(options.verify);
  return { strategy, keyring: await loadKeyring(keyringPath(options)) };
}
