// Names a bindle: a path-like name and a semantic version, written `NAME/VERSION`.
//
// Servers know bindles by the SHA-256 of that text, and clients put it into URLs as it is. A name is
// therefore held to what a URL carries unchanged; the reference (`src/id.rs` of deislabs/bindle at
// v0.9.2) stores others too, but no client could ask it for them.

import { createHash } from "node:crypto";
import { SpindleError } from "../../errors/mod.ts";

export interface BindleId {
  readonly name: string;
  /** A full semantic version, such as `1.2.3` or `1.2.3-rc.1+build`. */
  readonly version: string;
}

const NAME_LENGTH_MAX = 1024;
const VERSION_LENGTH_MAX = 256;

/** The grammar of Semantic Versioning 2.0.0. */
const VERSION =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** What ends or splits a path in a URL, or does not survive one. */
const NOT_IN_A_NAME = /[\s\p{Cc}?#@%\\]/u;

/**
 * Reads `NAME/VERSION`, or the URI `bindle:NAME/VERSION`.
 *
 * @throws SpindleError BINDLE_ID_INVALID
 */
export function parseBindleId(text: string): BindleId {
  const id = text.replace(/^bindle:/, "");
  const slash = id.lastIndexOf("/");
  const problem =
    slash < 1 || slash === id.length - 1
      ? "it is not NAME/VERSION"
      : problemOfBindleId({ name: id.slice(0, slash), version: id.slice(slash + 1) });
  if (problem === undefined) return { name: id.slice(0, slash), version: id.slice(slash + 1) };
  throw new SpindleError("BINDLE_ID_INVALID", `Cannot read the bindle id "${text}": ${problem}`, {
    hint: 'Write it like "example.com/hello/1.2.3".',
  });
}

/** What is wrong with an id, as the end of a sentence. */
export function problemOfBindleId({ name, version }: BindleId): string | undefined {
  if (!VERSION.test(version) || version.length > VERSION_LENGTH_MAX) {
    return `"${version}" is not a semantic version, such as 1.2.3`;
  }
  if (name.length > NAME_LENGTH_MAX) return `its name is longer than ${NAME_LENGTH_MAX} characters`;
  const character = NOT_IN_A_NAME.exec(name)?.[0];
  if (character !== undefined) return `its name contains ${JSON.stringify(character)}`;
  const segment = name.split("/").find((part) => ["", ".", ".."].includes(part));
  if (segment !== undefined)
    return segment === "" ? "its name has an empty part" : `its name has a part "${segment}"`;
  return undefined;
}

export function formatBindleId({ name, version }: BindleId): string {
  return `${name}/${version}`;
}

/** The name of a bindle on disk: 64 hexadecimal digits. */
export function digestOfBindleId(id: BindleId): string {
  return createHash("sha256").update(formatBindleId(id)).digest("hex");
}
