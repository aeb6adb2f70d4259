// Where Bindle's own programs keep keys, tokens and bindles, which ours share.

import { homedir } from "node:os";
import { join } from "node:path";

import { cacheDirectoryOf } from "../up/directories.ts";

/** Below the user's settings, as each system has it. */
export function configPath(...names: readonly string[]): string {
  const { APPDATA, XDG_CONFIG_HOME } = process.env;
  const home = homedir();
  switch (process.platform) {
    case "darwin":
      return join(home, "Library", "Application Support", "bindle", ...names);
    case "win32":
      return join(APPDATA ?? join(home, "AppData", "Roaming"), "bindle", ...names);
    default:
      return join(XDG_CONFIG_HOME || join(home, ".config"), "bindle", ...names);
  }
}

export function keyringPath({ keyring }: { readonly keyring?: string }): string {
  return keyring ?? configPath("keyring.toml");
}

export function secretKeysPath({ secretKeys }: { readonly secretKeys?: string }): string {
  return secretKeys ?? configPath("secret_keys.toml");
}

/** Each server has a token of its own: one that is meant for one server is not shown to another. */
export function tokenPath(server: URL, { tokenFile }: { readonly tokenFile?: string }): string {
  return tokenFile ?? configPath("tokens", `${server.host.replace(/[^\w.-]/g, "_")}.toml`);
}

/** Where `spindle bindle serve` stores what is pushed to it. */
export function storePath(): string {
  const { LOCALAPPDATA, XDG_DATA_HOME } = process.env;
  const home = homedir();
  switch (process.platform) {
    case "darwin":
      return join(home, "Library", "Application Support", "spindle", "bindles");
    case "win32":
      return join(LOCALAPPDATA ?? join(home, "AppData", "Local"), "spindle", "bindles");
    default:
      return join(XDG_DATA_HOME || join(home, ".local", "share"), "spindle", "bindles");
  }
}

/** Where bindles that were fetched are kept. */
export function bindleCacheOf(options: { readonly cacheDir?: string }): string {
  return join(cacheDirectoryOf(options), "bindle");
}
