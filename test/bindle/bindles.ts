// Bindles made for a test, servers to bring them to, and folders that go when the test is over.

import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { BindleServer, type BindleServerOptions } from "../../src/bindle-server/mod.ts";
import {
  BINDLE_VERSION,
  BindleClient,
  type BindleClientOptions,
  type BindleSource,
  type Invoice,
  type Parcel,
  parseBindleId,
} from "../../src/registry/mod.ts";

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<Folder> {
  const folder = await mkdtemp(path.join(tmpdir(), "spindle-bindle-"));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A bindle of text files, by name. */
export function bindleOf(
  id: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  more: Partial<Invoice> = {},
): BindleSource {
  const contents = new Map<string, Uint8Array>();
  const parcel: Parcel[] = Object.entries(files).map(([name, text]) => {
    const bytes = Buffer.from(text);
    contents.set(sha256(bytes), bytes);
    return { label: { sha256: sha256(bytes), mediaType: "text/plain", name, size: bytes.length } };
  });
  return {
    invoice: { bindleVersion: BINDLE_VERSION, bindle: parseBindleId(id), parcel, ...more },
    contentOf(digest) {
      const bytes = contents.get(digest);
      return bytes && { kind: "bytes", bytes };
    },
  };
}

/** A server on a free port that stores in `directory`, and takes everything unless told otherwise. */
export function startServer(
  directory: string,
  options: Partial<BindleServerOptions> = {},
): Promise<BindleServer> {
  return BindleServer.start({
    directory,
    listen: { host: "127.0.0.1", port: 0 },
    authentication: { kind: "none" },
    keyring: { version: "1.0", key: [] },
    hostKeys: { version: "1.0", key: [] },
    version: "0.0.0",
    report: (message) => {
      throw new Error(message);
    },
    ...options,
  });
}

/** A client that does not wait long for what will not come. */
export function clientOf(server: string, options: Partial<BindleClientOptions> = {}): BindleClient {
  const patience = { attempts: 2, backOffMs: 10, connectMs: 2000, silenceMs: 2000, ...options.patience };
  return new BindleClient({ server, ...options, patience });
}

export const { signal } = new AbortController();
