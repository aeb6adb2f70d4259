// Clients and servers for the interoperation of Bindle programs: ours, and the reference's behind the same face.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { BindleServer, Users } from "../../src/bindle-server/mod.ts";
import {
  BindleCache,
  BindleClient,
  type BindleId,
  formatBindleId,
  type Invoice,
  loadKeyring,
  loadSecretKeys,
  openStandaloneBindle,
  parseInvoice,
  parseStrategy,
  pushBindle,
  saveKeyring,
  withKeys,
} from "../../src/registry/mod.ts";

/** Files that a server is started with. */
export interface ServerFiles {
  readonly directory: string;
  readonly keyring: string;
  readonly signingKeys: string;
  /** Without it, everybody may do everything. */
  readonly htpasswd?: string;
}

export interface Running extends AsyncDisposable {
  readonly url: string;
}

export interface User {
  readonly name: string;
  readonly password: string;
}

/** What a client is told for every command. */
export interface Context {
  readonly server: string;
  readonly keyring: string;
  /** An empty folder of its own. */
  readonly cache: string;
  readonly user?: User;
  readonly signal: AbortSignal;
}

/** A bindle that was fetched. */
export interface Pulled {
  readonly invoice: Invoice;
  /** Throws if it is not there. */
  parcel(sha256: string): Promise<Buffer>;
}

export interface ClientParty {
  readonly name: string;
  /** Pushes a standalone bindle below `directory`. */
  push(context: Context, directory: string, id: BindleId): Promise<void>;
  /** Fetches all of a bindle that the server's key has signed. */
  pull(context: Context, id: BindleId): Promise<Pulled>;
  yank(context: Context, id: BindleId): Promise<void>;
  search(context: Context, query: string, version: string): Promise<readonly string[]>;
  /** Adds the server's keys to the keyring. */
  fetchKeys(context: Context): Promise<void>;
}

export interface ServerParty {
  readonly name: string;
  start(files: ServerFiles): Promise<Running>;
}

/** What servers demand here of invoices. */
const SERVER_STRATEGY = "CreativeIntegrity";
/** What clients demand; the reference's default. */
const CLIENT_STRATEGY = "MultipleAttestationGreedy[Host]";
const START_MS_MAX = 10_000;
const COMMAND_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;

export const ourServer: ServerParty = {
  name: "our server",
  async start({ directory, keyring, signingKeys, htpasswd }) {
    const server = await BindleServer.start({
      directory,
      listen: { host: "127.0.0.1", port: 0 },
      authentication:
        htpasswd === undefined
          ? { kind: "none" }
          : { kind: "required", authenticator: await Users.load(htpasswd) },
      keyring: await loadKeyring(keyring),
      strategy: parseStrategy(SERVER_STRATEGY),
      hostKeys: await loadSecretKeys(signingKeys),
      version: "0.0.0",
      report: (message) => console.error(message),
    });
    return server;
  },
};

export const ourClient: ClientParty = {
  name: "our client",
  async push(context, directory, id) {
    using client = clientOf(context);
    await pushBindle(client, await openStandaloneBindle(directory, id), context);
  },
  async pull(context, id) {
    using client = clientOf(context);
    const cache = new BindleCache(context.cache);
    const { signal } = context;
    const trust = { keyring: await loadKeyring(context.keyring), strategy: parseStrategy(CLIENT_STRATEGY) };
    const bindle = await cache.openBindle(client, id, { signal, trust });
    const labels = bindle.invoice.parcel?.map(({ label }) => label) ?? [];
    await bindle.fetch(labels, { signal });
    return {
      invoice: bindle.invoice,
      parcel: (sha256) =>
        readFile(bindle.pathOf(labels.find((label) => label.sha256 === sha256) ?? unlisted(sha256))),
    };
  },
  async yank(context, id) {
    using client = clientOf(context);
    await client.yank(id, context);
  },
  async search(context, query, version) {
    using client = clientOf(context);
    const { invoices } = await client.query({ query, version }, context);
    return invoices.map(({ bindle }) => formatBindleId(bindle));
  },
  async fetchKeys(context) {
    using client = clientOf(context);
    const { key } = await client.hostKeys(context);
    await saveKeyring(context.keyring, withKeys(await loadKeyring(context.keyring), key));
  },
};

function clientOf({ server, user }: Context): BindleClient {
  const credentials = user && ({ kind: "basic", user: user.name, password: user.password } as const);
  return new BindleClient({ server, ...(credentials && { credentials }), patience: { attempts: 1 } });
}

function unlisted(sha256: string): never {
  throw new Error(`The invoice does not list ${sha256}`);
}

/** The programs `bindle-server` and `bindle` of the reference, in a folder. */
export function referenceParties(programs: string): {
  readonly client: ClientParty;
  readonly server: ServerParty;
} {
  return {
    client: referenceClient(path.join(programs, "bindle")),
    server: referenceServer(path.join(programs, "bindle-server")),
  };
}

function referenceServer(program: string): ServerParty {
  return {
    name: "their server",
    async start({ directory, keyring, signingKeys, htpasswd }) {
      const address = `127.0.0.1:${await freePort()}`;
      const home = path.dirname(directory);
      const child = spawn(
        program,
        [
          ...["--directory", directory, "--address", address, "--keyring", keyring],
          ...["--signing-keys", signingKeys, "--strategy", SERVER_STRATEGY],
          ...(htpasswd === undefined ? ["--unauthenticated"] : ["--htpasswd-file", htpasswd]),
        ],
        { stdio: ["ignore", "ignore", "ignore"], env: { HOME: home, XDG_CONFIG_HOME: home } },
      );
      const url = `http://${address}/v1/`;
      await answering(`${url}_q`);
      return {
        url,
        async [Symbol.asyncDispose]() {
          child.kill();
          await once(child, "exit");
        },
      };
    },
  };
}

function referenceClient(program: string): ClientParty {
  const run = async (context: Context, ...args: readonly string[]): Promise<string> => {
    const { server, keyring, cache, user, signal } = context;
    await mkdir(cache, { recursive: true });
    const flags = [
      "--server",
      server,
      "--keyring",
      keyring,
      "--bindle-dir",
      cache,
      "--strategy",
      CLIENT_STRATEGY,
    ];
    const identity = user ? ["--http-user", user.name, "--http-password", user.password] : [];
    const { stdout } = await promisify(execFile)(program, [...flags, ...identity, ...args], {
      signal,
      timeout: COMMAND_MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { HOME: cache, XDG_CONFIG_HOME: cache, XDG_CACHE_HOME: cache },
    });
    return stdout;
  };
  return {
    name: "their client",
    async push(context, directory, id) {
      await run(context, "push", "--path", directory, formatBindleId(id));
    },
    async pull(context, id) {
      await run(context, "get", formatBindleId(id));
      // Not `info`: it may end before it has printed everything.
      const file = path.join(context.cache, "invoice.toml");
      await run(context, "get-invoice", formatBindleId(id), "--output", file);
      return {
        invoice: parseInvoice(await readFile(file), file),
        parcel: (sha256) => readFile(path.join(context.cache, "parcels", sha256, "parcel.dat")),
      };
    },
    async yank(context, id) {
      await run(context, "yank", formatBindleId(id));
    },
    async search(context, query, version) {
      const filter = version === "" ? [] : ["--bindle-version", version];
      const found = JSON.parse(
        await run(context, "search", "--query", query, ...filter, "--output-format", "json"),
      );
      return found.invoices.map((invoice: Invoice) => formatBindleId(invoice.bindle));
    },
    async fetchKeys(context) {
      await run(context, "keys", "fetch");
    },
  };
}

/** A port that was free a moment ago: the reference cannot be told to choose one. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  // It listens on a TCP port.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answering(url: string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while (performance.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await delay(50);
  }
  throw new Error(`${url} does not answer`);
}
