// From the flags to a client for the server, and to the trust in what it has.

import { readFile } from "node:fs/promises";

import { SpindleError } from "../../errors/mod.ts";
import {
  BindleClient,
  type Credentials,
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
  const { server } = options;
  if (server === undefined) {
    throw new SpindleError("BINDLE_SERVER_URL", "Cannot reach a Bindle server: none is named", {
      hint: "Give `--server http://127.0.0.1:8080/v1/`, or set BINDLE_URL.",
    });
  }
  const transport = await transportOptions(options);
  return new BindleClient({
    server,
    credentials: await credentialsOf(server, options, transport),
    ...transport,
  });
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
    return await readFile(file, "utf8");
  } catch (cause) {
    const message = `Cannot read the certificate authorities in "${file}"`;
    throw new SpindleError("TLS_FILES_UNUSABLE", message, { hint: "Correct `--ca`.", cause });
  }
}

async function credentialsOf(
  server: string,
  options: ServerOptions,
  transport: TransportOptions,
): Promise<Credentials> {
  const { username: user, password } = options;
  if (user !== undefined && password !== undefined) return { kind: "basic", user, password };
  const url = URL.parse(server);
  const session = url ? await LoginSession.open(tokenPath(url, options), transport) : undefined;
  return session ? { kind: "login", session } : { kind: "anonymous" };
}

/** Undefined if signatures were not asked for. */
export async function trustOf(options: TrustOptions): Promise<Trust | undefined> {
  if (options.verify === undefined) return undefined;
  const strategy = parseStrategy(options.verify);
  return { strategy, keyring: await loadKeyring(keyringPath(options)) };
}
