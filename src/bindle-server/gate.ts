// Decides who may do what: reading is free, changing something takes a user.
//
// That is the rule of the reference (`src/authz/anonymous_get.rs` of deislabs/bindle at v0.9.2). Whoever
// says who they are and is not, is told so even when they only read.

import type { IncomingMessage } from "node:http";

import { REFUSALS } from "./refusal.ts";
import type { Verdict } from "./users.ts";

/** Judges the value of a header `Authorization`. */
export interface Authenticator {
  judge(authorization: string): Promise<Verdict>;
}

export type Authentication =
  /** Everybody may do everything. */
  { readonly kind: "none" } | { readonly kind: "required"; readonly authenticator: Authenticator };

const READING = ["GET", "HEAD"];

/** @throws Refusal */
export async function admit(request: IncomingMessage, authentication: Authentication): Promise<void> {
  if (authentication.kind === "none") return;
  const { authorization } = request.headers;
  if (authorization === undefined) {
    if (READING.includes(request.method ?? "")) return;
    throw REFUSALS.denied();
  }
  const verdict = await authentication.authenticator.judge(authorization);
  switch (verdict.kind) {
    case "user":
      return;
    case "wrong":
      throw REFUSALS.unauthorized();
    case "busy":
      throw REFUSALS.busy();
  }
}
