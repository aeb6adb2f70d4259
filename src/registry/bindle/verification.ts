// Decides whether the signatures of an invoice are enough to trust it.
//
// The strategies and their quirks are those of the reference (`src/invoice/verification.rs` of
// deislabs/bindle at v0.9.2): a key is known if the keyring has it, whatever roles it is listed with there.

import { didYouMean, printableLine, SpindleError } from "../../errors/mod.ts";
import { formatBindleId } from "./bindle-id.ts";
import { type Invoice, SIGNATURE_ROLES, type SignatureRole } from "./invoice.ts";
import type { Keyring } from "./keyring.ts";
import { checkSignature, SignatureError, unverified } from "./signature.ts";

export interface VerificationStrategy {
  readonly name: string;
  /** Whose signatures matter. */
  readonly roles: readonly SignatureRole[];
  /** Signatures whose mathematics is checked: all, or those of the roles. */
  readonly checked: "all" | "roles";
  /** How many of the keys of checked signatures must be in the keyring. */
  readonly known: "every" | "one";
  /** How many of the roles must have signed. */
  readonly present: "every" | "any";
}

/** Who is believed, and what they must have said. */
export interface Trust {
  readonly keyring: Keyring;
  readonly strategy: VerificationStrategy;
}

const NAMED: readonly VerificationStrategy[] = [
  { name: "CreativeIntegrity", roles: ["creator"], checked: "roles", known: "every", present: "every" },
  {
    name: "AuthoritativeIntegrity",
    roles: ["creator", "approver"],
    checked: "roles",
    known: "one",
    present: "any",
  },
  { name: "GreedyVerification", roles: ["creator"], checked: "all", known: "every", present: "every" },
  { name: "ExhaustiveVerification", roles: SIGNATURE_ROLES, checked: "all", known: "every", present: "any" },
];
const WITH_ROLES: readonly Omit<VerificationStrategy, "roles">[] = [
  { name: "MultipleAttestation", checked: "roles", known: "every", present: "every" },
  { name: "MultipleAttestationGreedy", checked: "all", known: "every", present: "every" },
];

/**
 * Reads a strategy such as `GreedyVerification` or `MultipleAttestation[Creator, Host]`, in any case.
 *
 * @throws SpindleError BINDLE_STRATEGY_UNKNOWN
 */
export function parseStrategy(text: string): VerificationStrategy {
  const [, word = "", list] = /^\s*(\w*)\s*(?:\[(.*)\])?\s*$/s.exec(text) ?? [];
  const isWord = ({ name }: { readonly name: string }) => name.toLowerCase() === word.toLowerCase();
  const named = NAMED.find(isWord);
  if (named && list === undefined) return named;
  const withRoles = WITH_ROLES.find(isWord);
  if (withRoles && list !== undefined)
    return { ...withRoles, roles: list.split(",").map((role) => parseRole(role, text)) };
  const names = [...NAMED, ...WITH_ROLES].map(({ name }) => name);
  const hint = didYouMean(word, names) ?? `The strategies are ${names.join(", ")}.`;
  if (withRoles)
    throw strategyUnknown(text, "it needs roles", `Write it like "${withRoles.name}[Creator, Host]".`);
  throw strategyUnknown(text, named ? "it takes no roles" : "there is no such strategy", hint);
}

/**
 * Reads the name of a role, or its initial.
 *
 * @throws SpindleError BINDLE_STRATEGY_UNKNOWN
 */
function parseRole(text: string, strategy: string): SignatureRole {
  const name = text.trim().toLowerCase();
  const role = SIGNATURE_ROLES.find(
    (candidate) => candidate === name || (name.length === 1 && candidate.startsWith(name)),
  );
  if (role !== undefined) return role;
  throw strategyUnknown(
    strategy,
    `"${text.trim()}" is no role`,
    `The roles are ${SIGNATURE_ROLES.join(", ")}.`,
  );
}

function strategyUnknown(text: string, state: string, hint: string): SpindleError {
  return new SpindleError("BINDLE_STRATEGY_UNKNOWN", `Cannot verify with "${text}": ${state}`, { hint });
}

/**
 * Checks an invoice that is about to be used.
 *
 * @throws SpindleError BINDLE_SIGNATURE
 */
export function verifyInvoice(invoice: Invoice, trust: Trust): void {
  try {
    checkSignatures(invoice, trust);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    const { state, hint } = error.told;
    const message = printableLine(`Cannot trust ${formatBindleId(invoice.bindle)}: ${state}`);
    throw new SpindleError("BINDLE_SIGNATURE", message, { ...(hint !== undefined && { hint }) });
  }
}

/** @throws SignatureError */
export function checkSignatures(invoice: Invoice, { keyring, strategy }: Trust): void {
  const { signature: signatures } = invoice;
  if (!signatures) {
    const told = unsigned("nobody has signed it");
    throw unverified("No signatures found on invoice. At least one signature is required", told);
  }
  const checked = signatures.filter(
    ({ role }) => strategy.checked === "all" || strategy.roles.includes(role),
  );
  for (const signature of checked) checkSignature(invoice, signature);

  const known = new Set(keyring.key.map(({ key }) => key));
  const stranger = checked.find(({ key }) => !known.has(key));
  if (stranger !== undefined && strategy.known === "every") {
    const told = unknownKey(`the keyring lacks the key of "${stranger.by}", who has signed it`);
    throw unverified("strategy requires that all signatures for role(s) must be verified", told);
  }
  if (!checked.some(({ key }) => known.has(key))) {
    const told =
      stranger === undefined
        ? unsigned(`nobody has signed it as ${strategy.roles.join(" or ")}`)
        : unknownKey("the keyring has the keys of none of those who have signed it");
    throw new SignatureError("none of the signatures are made with a known key", told);
  }

  if (strategy.present === "any") return;
  const absent = strategy.roles.find((wanted) => !checked.some(({ role }) => role === wanted));
  if (absent === undefined) return;
  const name = absent.charAt(0).toUpperCase() + absent.slice(1);
  throw unverified(`No signature found for role ${name}`, unsigned(`nobody has signed it as ${absent}`));
}

function unsigned(state: string): SignatureError["told"] {
  return { state, hint: "Have it signed when it is pushed, with `spindle bindle push --sign-key`." };
}

function unknownKey(state: string): SignatureError["told"] {
  return {
    state,
    hint: "If you trust who signed it, add their key to the keyring with `spindle bindle keys add`.",
  };
}
