// Where the listener listens: reading the address, and binding it.

import dns from "node:dns/promises";
import { type AddressInfo, createServer, isIP, type ListenOptions, type Server } from "node:net";
import { SpindleError } from "../../errors/mod.ts";

export interface ListenAddress {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface BindOptions {
  /** Tries the following ports too if this one is taken. */
  readonly findFreePort?: boolean;
  /** Lets other threads of this process listen on the same port, as far as the system has that. */
  readonly reusePort?: boolean;
}

const PORT_MAX = 65535;
/** Ports that are tried with `findFreePort`. */
const PORTS_TRIED_MAX = 10;

/**
 * Reads `host:port` or `[IPv6]:port`.
 *
 * @throws SpindleError LISTEN_ADDRESS_INVALID
 */
export function parseListenAddress(text: string): ListenAddress {
  const parts = /^(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host !== undefined && port <= PORT_MAX) return { host, port };
  throw new SpindleError(
    "LISTEN_ADDRESS_INVALID",
    `Cannot read the address to listen on "${text}": expected a host and a port`,
    { hint: 'Write it like "127.0.0.1:3000", "localhost:3000" or "[::1]:3000".' },
  );
}

/** Writes an address with its port, an IPv6 address in brackets. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Binds a server and begins to listen. Of the addresses that a name has, an IPv4 one is preferred.
 *
 * @throws SpindleError PORT_IN_USE, PORTS_ALL_IN_USE or LISTEN_FAILED
 */
export async function bind(
  server: Server,
  address: ListenAddress,
  options: BindOptions,
): Promise<ListenAddress> {
  const host = await resolve(address);
  const last = options.findFreePort ? address.port + PORTS_TRIED_MAX - 1 : address.port;
  for (let port = address.port; port <= Math.min(last, PORT_MAX); port++) {
    const error = await tryListen(server, { host, port, reusePort: options.reusePort ?? false });
    if (error === undefined) return boundTo(server);
    if (codeOf(error) !== "EADDRINUSE") throw listenFailed({ host, port }, error);
    if (!options.findFreePort) throw portInUse({ host, port });
  }
  throw portsInUse(address.port, Math.min(last, PORT_MAX));
}

async function resolve(address: ListenAddress): Promise<string> {
  if (isIP(address.host) !== 0) return address.host;
  try {
    return (await dns.lookup(address.host, { order: "ipv4first" })).address;
  } catch (error) {
    throw listenFailed(address, error);
  }
}

/**
 * Says which address could be bound now, without keeping it.
 *
 * @throws SpindleError as `bind()`
 */
export async function probe(address: ListenAddress, options: BindOptions): Promise<ListenAddress> {
  const server = createServer();
  const bound = await bind(server, address, options);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
  return bound;
}

/** Gives the error, if any: it is the caller's to say whether it is one. */
function tryListen(server: Server, address: ListenOptions): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const onError = (error: Error) => resolve(error);
    server.once("error", onError);
    server.listen(address, () => {
      server.off("error", onError);
      resolve(undefined);
    });
  });
}

function boundTo(server: Server): ListenAddress {
  // A server that listens on a TCP port has an address of this kind.
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

function portInUse(address: ListenAddress): SpindleError {
  return new SpindleError("PORT_IN_USE", `Cannot listen on ${formatAddress(address)}: it is already in use`, {
    hint: "Choose another address with `--listen`, or let Spindle search for a free port with `--find-free-port`.",
  });
}

function portsInUse(first: number, last: number): SpindleError {
  return new SpindleError(
    "PORTS_ALL_IN_USE",
    `Cannot find a free port: those from ${first} to ${last} are in use`,
    { hint: "Choose another port to begin with in `--listen`." },
  );
}

function listenFailed(address: ListenAddress, cause: unknown): SpindleError {
  const code = codeOf(cause);
  const found = (code && FOUND[code]) ?? (cause instanceof Error ? cause.message : String(cause));
  return new SpindleError("LISTEN_FAILED", `Cannot listen on ${formatAddress(address)}: ${found}`, { cause });
}

const FOUND: Readonly<Record<string, string>> = {
  EACCES: "this port is reserved, or forbidden for this user",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "no host has this name",
};

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
