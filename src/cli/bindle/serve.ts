// `spindle bindle serve`: a Bindle server in this process.

import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { createSecureContext } from "node:tls";

import { type Authentication, BindleServer, Users } from "../../bindle-server/mod.ts";
import { SpindleError } from "../../errors/mod.ts";
import {
  fileStateOf,
  loadKeyring,
  loadSecretKeys,
  parseStrategy,
  type SecretKeys,
} from "../../registry/mod.ts";
import { parseListenAddress } from "../../trigger/mod.ts";
import { version } from "../program.ts";
import type { ServeOptions } from "./commands.ts";
import { keyringPath, storePath } from "./places.ts";

export async function serve(options: ServeOptions): Promise<{ stop(): Promise<void> }> {
  const listen = parseListenAddress(options.listen);
  const authentication = await authenticationOf(options, listen.host);
  const directory = options.dir ?? storePath();
  const hostKeys = await hostKeysOf(options);
  const tls = await tlsOf(options);
  const server = await BindleServer.start({
    directory,
    listen,
    authentication,
    keyring: await loadKeyring(keyringPath(options)),
    hostKeys,
    ...(options.strategy !== undefined && { strategy: parseStrategy(options.strategy) }),
    ...(tls && { tls }),
    ...(options.maxParcelSize !== undefined && { limits: { parcelBytes: options.maxParcelSize } }),
    version: version(),
    report: (message) => process.stderr.write(`warning: ${message}\n`),
  });
  process.stdout.write(`Serving bindles on ${server.url}\n`);
  process.stderr.write(`Storing them in ${directory}\n`);
  return server;
}

/** Whoever is not asked who they are should at least be on this machine. */
async function authenticationOf(
  { htpasswdFile, unauthenticated }: ServeOptions,
  host: string,
): Promise<Authentication> {
  if (htpasswdFile !== undefined) return { kind: "required", authenticator: await Users.load(htpasswdFile) };
  if (unauthenticated || isLoopback(host)) return { kind: "none" };
  throw new SpindleError(
    "BINDLE_USERS_INVALID",
    `Cannot serve bindles on ${host}: everybody who reaches this address could change them`,
    { hint: "Give `--htpasswd-file`, or `--unauthenticated` if that is what you want." },
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** Whoever names a file of keys expects signatures: without a key for them there would be none. */
async function hostKeysOf({ signingKeys }: ServeOptions): Promise<SecretKeys> {
  if (signingKeys === undefined) return { version: "1.0", key: [] };
  const keys = await loadSecretKeys(signingKeys);
  if (keys.key.some(({ roles }) => roles.includes("host"))) return keys;
  const lacking = keys.key.length === 0 ? "has no secret keys" : 'has no secret key for the role "host"';
  throw new SpindleError("BINDLE_KEY_MISSING", `Cannot sign what is pushed: ${signingKeys} ${lacking}`, {
    hint: "Make one with `spindle bindle keys create --role host`, or correct `--signing-keys`.",
  });
}

async function tlsOf({
  tlsCert,
  tlsKey,
}: ServeOptions): Promise<{ readonly certificate: string; readonly key: string } | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  try {
    const [certificate, key] = [await readFile(tlsCert, "utf8"), await readFile(tlsKey, "utf8")];
    createSecureContext({ cert: certificate, key });
    return { certificate, key };
  } catch (cause) {
    const state = fileStateOf(cause) ?? "they are no certificate and its key, in PEM";
    const message = `Cannot use the certificate "${tlsCert}" and the key "${tlsKey}": ${state}`;
    const hint = "Correct `--tls-cert` and `--tls-key`.";
    throw new SpindleError("TLS_FILES_UNUSABLE", message, { hint, cause });
  }
}
