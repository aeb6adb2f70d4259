// Who may change what a server has: users and passwords from a file of Apache's htpasswd.
//
// Only bcrypt hashes are taken. They are slow on purpose, so that a password which was right is
// remembered for a while, and only a few others are tried at once.

import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { compare } from "bcryptjs";

import { SpindleError } from "../errors/mod.ts";
import { fileStateOf } from "../registry/mod.ts";

/** "busy": too many are waiting for theirs to be tried. */
export type Verdict = { readonly kind: "user"; readonly name: string } | { readonly kind: "wrong" | "busy" };

const HASH = /^\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/;
/** More than any user name and password have together. */
const HEADER_LENGTH_MAX = 2048;
const WAITING_MAX = 32;
const REMEMBERED_MAX = 1000;
const REMEMBERED_MS = 5 * 60_000;

export class Users {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #compare: typeof compare;
  /** Passwords are remembered by a digest that only this process can make. */
  readonly #secret = randomBytes(32);
  readonly #remembered = new Map<string, { readonly name: string; readonly untilMs: number }>();
  #waiting = 0;
  /** Comparisons run one after another: each takes the whole thread. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(hashes: ReadonlyMap<string, string>, compareWith: typeof compare) {
    this.#hashes = hashes;
    this.#compare = compareWith;
  }

  /**
   * Reads a file of lines `USER:HASH`.
   *
   * @throws SpindleError BINDLE_USERS_INVALID
   */
  static async load(file: string): Promise<Users> {
    const text = await readFile(file, "utf8").catch((error: unknown) => {
      const state = fileStateOf(error);
      throw state === undefined ? error : usersInvalid(file, state);
    });
    const hashes = new Map<string, string>();
    for (const [index, raw] of text.split("\n").entries()) {
      const line = raw.trim();
      if (line === "" || line.startsWith("#")) continue;
      const colon = line.indexOf(":");
      const hash = line.slice(colon + 1);
      if (colon < 1 || !HASH.test(hash)) throw usersInvalid(file, `line ${index + 1} has no bcrypt hash`);
      hashes.set(line.slice(0, colon), hash);
    }
    // Nobody could push, which is hardly meant.
    if (hashes.size === 0) throw usersInvalid(file, "it has none");
    // Loaded here, and not with this file: most servers have no such file.
    const bcrypt = await import("bcryptjs");
    return new Users(hashes, bcrypt.compare);
  }

  /** Judges the value of a header `Authorization`. */
  async judge(authorization: string): Promise<Verdict> {
    const credentials = parseBasic(authorization);
    if (!credentials) return { kind: "wrong" };
    const digest = createHmac("sha256", this.#secret).update(authorization).digest("base64");
    const remembered = this.#remembered.get(digest);
    if (remembered && remembered.untilMs > Date.now()) return { kind: "user", name: remembered.name };
    if (this.#waiting >= WAITING_MAX) return { kind: "busy" };
    if (!(await this.#compareInTurn(credentials))) return { kind: "wrong" };
    this.#remember(digest, credentials.user);
    return { kind: "user", name: credentials.user };
  }

  async #compareInTurn({ user, password }: Basic): Promise<boolean> {
    const hash = this.#hashes.get(user);
    // Somebody's, if there is no such user: the time it takes does not tell.
    const [decoy = ""] = this.#hashes.values();
    this.#waiting++;
    try {
      const comparison = this.#turn.then(() => this.#compare(password, hash ?? decoy));
      this.#turn = comparison;
      return (await comparison) && hash !== undefined;
    } finally {
      this.#waiting--;
    }
  }

  #remember(digest: string, name: string): void {
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= REMEMBERED_MAX && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(digest, { name, untilMs: Date.now() + REMEMBERED_MS });
  }
}

interface Basic {
  readonly user: string;
  readonly password: string;
}

function parseBasic(authorization: string): Basic | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization.slice(0, HEADER_LENGTH_MAX)) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function usersInvalid(file: string, state: string): SpindleError {
  return new SpindleError("BINDLE_USERS_INVALID", `Cannot use the users in ${file}: ${state}`, {
    hint: "Make entries with `htpasswd -B`.",
  });
}
