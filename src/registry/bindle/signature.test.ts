import assert from "node:assert/strict";
import { test } from "node:test";

import { SpindleError } from "../../errors/mod.ts";
import type { Invoice, SignatureRole } from "./invoice.ts";
import { createSecretKey, publicKeyOf, type SecretKey } from "./keyring.ts";
import { checkSignature, signInvoice } from "./signature.ts";
import { checkSignatures, parseStrategy, verifyInvoice } from "./verification.ts";

/** The key whose seed is the bytes 0 to 31. */
const SEED = Uint8Array.from({ length: 32 }, (_, index) => index);
const PUBLIC = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const SECRET: SecretKey = {
  label: "Spindle Test <test@example.com>",
  keypair: Buffer.concat([SEED, Buffer.from(PUBLIC, "base64")]).toString("base64"),
  roles: ["creator"],
};
/** The digests of "hello\n" and of nothing. */
const DIGESTS = [
  "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];
const INVOICE: Invoice = {
  bindleVersion: "1.0.0",
  bindle: { name: "example.com/hello", version: "1.2.3" },
  parcel: DIGESTS.map((sha256) => ({ label: { sha256, mediaType: "text/plain", name: "a", size: 0 } })),
};
const AT = new Date(1611960337_999);

const sign = (invoice: Invoice, key: SecretKey, role: SignatureRole) =>
  signInvoice(invoice, key, { role, at: AT });

test("signInvoice() signs what other implementations sign: not the time, but the parcels in their order", () => {
  assert.deepEqual(sign(INVOICE, SECRET, "creator").signature, [
    {
      by: SECRET.label,
      signature: "I8RDAa/jn7APdfqKu88DOanoIOQREcT/WHcXsEygi2LzYDJY0PP3/gOwy0NILhe6ZFiPjbCevR+E2sHalmv1Bw==",
      key: PUBLIC,
      role: "creator",
      at: 1611960337,
    },
  ]);
});

test("publicKeyOf() signs the label with the key", () => {
  assert.deepEqual(publicKeyOf(SECRET), {
    label: SECRET.label,
    roles: ["creator"],
    key: PUBLIC,
    labelSignature:
      "HXJjVa/MDFTnz3J2Rl9wJ4BkH6Lml2VVVlaf09rfr/p2EGAyWoUxiqG0XY8HXfV5a1jYYO4G2/Hg3CM788gsBA==",
  });
});

test("signInvoice() refuses a key that has signed, also in another role", () => {
  assert.throws(() => sign(sign(INVOICE, SECRET, "creator"), SECRET, "host"), {
    message: "cannot sign the data again with a key that has already signed the data",
  });
});

const corruptions: readonly {
  readonly what: string;
  readonly invoice: (signed: Invoice) => Invoice;
  readonly state: RegExp;
}[] = [
  {
    what: "another version",
    invoice: (signed) => ({ ...signed, bindle: { ...signed.bindle, version: "1.2.4" } }),
    state: /^signatures `A6EH.*` cannot be verified$/,
  },
  { what: "a parcel less", invoice: (signed) => ({ ...signed, parcel: [] }), state: /cannot be verified$/ },
  {
    what: "parcels in another order",
    invoice: (signed) => ({ ...signed, parcel: signed.parcel?.toReversed() ?? [] }),
    state: /cannot be verified$/,
  },
  { what: "another signer", invoice: withSignature({ by: "Somebody" }), state: /cannot be verified$/ },
  { what: "another role", invoice: withSignature({ role: "host" }), state: /cannot be verified$/ },
  {
    what: "a key that is too short",
    invoice: withSignature({ key: "AAAA" }),
    state: /^key is corrupt for `AAAA`$/,
  },
  {
    what: "a key in hexadecimal",
    invoice: withSignature({ key: "00".repeat(32) }),
    state: /^key is corrupt/,
  },
  {
    what: "a signature that is too short",
    invoice: withSignature({ signature: "AAAA" }),
    state: /^signature block is corrupt for key A6EH/,
  },
  {
    what: "base64 without its padding",
    invoice: withSignature({ key: PUBLIC.slice(0, -1) }),
    state: /^key is corrupt/,
  },
];

function withSignature(change: object): (signed: Invoice) => Invoice {
  return (signed) => ({
    ...signed,
    signature: signed.signature?.map((one) => ({ ...one, ...change })) ?? [],
  });
}

for (const { what, invoice, state } of corruptions) {
  test(`checkSignature() refuses an invoice with ${what}`, () => {
    const changed = invoice(sign(INVOICE, SECRET, "creator"));
    const [signature] = changed.signature ?? [];
    assert.ok(signature);
    assert.throws(() => checkSignature(changed, signature), { message: state });
  });
}

test("checkSignature() does not look at the time, which nobody signs", () => {
  const changed = withSignature({ at: 1 })(sign(INVOICE, SECRET, "creator"));
  for (const signature of changed.signature ?? []) checkSignature(changed, signature);
});

const [creator, approver, host, stranger] = ["creator", "approver", "host", "stranger"].map((name) =>
  createSecretKey(name, ["creator", "approver", "host", "proxy"]),
);
assert.ok(creator && approver && host && stranger);
const keyring = { version: "1.0", key: [creator, approver, host].map((key) => publicKeyOf(key)) };

/** Who signed as what; "!" marks a signature that is wrong. */
type Signed = readonly (readonly [key: SecretKey, role: SignatureRole, wrong?: "!"])[];

function signedBy(signatures: Signed): Invoice {
  let invoice = INVOICE;
  for (const [key, role] of signatures) invoice = sign(invoice, key, role);
  const signature = invoice.signature?.map((one, index) =>
    signatures[index]?.[2] === "!" ? { ...one, by: "forged" } : one,
  );
  return signature ? { ...invoice, signature } : invoice;
}

const byCreator: Signed = [[creator, "creator"]];
const byStranger: Signed = [[stranger, "creator"]];
const verdicts: readonly {
  readonly strategy: string;
  readonly signed: Signed;
  readonly says: RegExp | "trusted";
  readonly because: string;
}[] = [
  { strategy: "CreativeIntegrity", signed: byCreator, says: "trusted", because: "the creator is known" },
  {
    strategy: "CreativeIntegrity",
    signed: byStranger,
    says: /must be verified` cannot/,
    because: "the creator is not known",
  },
  {
    strategy: "CreativeIntegrity",
    signed: [
      [creator, "creator"],
      [stranger, "host", "!"],
    ],
    says: "trusted",
    because: "nobody else's signature is looked at",
  },
  {
    strategy: "CreativeIntegrity",
    signed: [[host, "host"]],
    says: /none of the signatures/,
    because: "no creator has signed",
  },
  {
    strategy: "CreativeIntegrity",
    signed: [],
    says: /No signatures found on invoice/,
    because: "nobody has signed",
  },
  {
    strategy: "AuthoritativeIntegrity",
    signed: [
      [stranger, "creator"],
      [approver, "approver"],
    ],
    says: "trusted",
    because: "one of the two is known",
  },
  {
    strategy: "AuthoritativeIntegrity",
    signed: byStranger,
    says: /none of the signatures/,
    because: "neither is known",
  },
  {
    strategy: "AuthoritativeIntegrity",
    signed: [[approver, "approver"]],
    says: "trusted",
    because: "a creator is not needed",
  },
  {
    strategy: "GreedyVerification",
    signed: [
      [creator, "creator"],
      [host, "host", "!"],
    ],
    says: /cannot be verified$/,
    because: "every signature is checked",
  },
  {
    strategy: "GreedyVerification",
    signed: [
      [creator, "creator"],
      [stranger, "host"],
    ],
    says: /must be verified` cannot/,
    because: "every key must be known",
  },
  {
    strategy: "GreedyVerification",
    signed: [[host, "host"]],
    says: /No signature found for role Creator/,
    because: "a creator is needed",
  },
  {
    strategy: "ExhaustiveVerification",
    signed: [[host, "proxy"]],
    says: "trusted",
    because: "any role will do",
  },
  {
    strategy: "MultipleAttestation[creator, h]",
    signed: byCreator,
    says: /No signature found for role Host/,
    because: "each role is needed",
  },
  {
    strategy: "MultipleAttestation[Creator,Host]",
    signed: [
      [creator, "creator"],
      [host, "host"],
      [stranger, "proxy", "!"],
    ],
    says: "trusted",
    because: "other roles are not looked at",
  },
  {
    strategy: "multipleattestationgreedy[Host]",
    signed: [
      [stranger, "creator"],
      [host, "host"],
    ],
    says: /must be verified` cannot/,
    because: "other roles are looked at",
  },
];
for (const { strategy, signed, says, because } of verdicts) {
  const who =
    signed.map(([key, role, wrong = ""]) => `${wrong}${key.label} as ${role}`).join(", ") || "nobody";
  test(`${strategy} ${says === "trusted" ? "trusts" : "refuses"} what ${who} signed: ${because}`, () => {
    const check = () => checkSignatures(signedBy(signed), { keyring, strategy: parseStrategy(strategy) });
    if (says === "trusted") check();
    else assert.throws(check, { message: says });
  });
}

const told: readonly {
  readonly signed: typeof byStranger;
  readonly strategy?: string;
  readonly state: string;
  readonly hint: RegExp;
}[] = [
  { signed: [], state: "nobody has signed it", hint: /--sign-key/ },
  { signed: [[host, "host"]], state: "nobody has signed it as creator", hint: /--sign-key/ },
  {
    signed: [[host, "host"]],
    strategy: "CreativeIntegrity",
    state: "nobody has signed it as creator",
    hint: /--sign-key/,
  },
  {
    signed: byStranger,
    state: `the keyring lacks the key of "${stranger.label}", who has signed it`,
    hint: /keys add/,
  },
  {
    signed: byStranger,
    strategy: "AuthoritativeIntegrity",
    state: "the keyring has the keys of none of those who have signed it",
    hint: /keys add/,
  },
  {
    signed: [[creator, "creator", "!"]],
    state: `the signature of "forged" is not for this bindle`,
    hint: /^Do not run it/,
  },
];
for (const { signed, strategy = "GreedyVerification", state, hint } of told) {
  test(`verifyInvoice() with ${strategy} says that ${state}`, () => {
    const trust = { keyring, strategy: parseStrategy(strategy) };
    assert.throws(
      () => verifyInvoice(signedBy(signed), trust),
      (error) => {
        assert.ok(error instanceof SpindleError);
        assert.equal(error.code, "BINDLE_SIGNATURE");
        assert.equal(error.message, `Cannot trust example.com/hello/1.2.3: ${state}`);
        assert.match(error.diagnostics[0]?.hint ?? "", hint);
        return true;
      },
    );
  });
}

const unknown = [
  { text: "", state: /there is no such strategy$/ },
  { text: "greedy", state: /there is no such strategy$/ },
  { text: "GreedyVerification[Host]", state: /it takes no roles$/ },
  { text: "MultipleAttestation", state: /it needs roles$/ },
  { text: "MultipleAttestation[]", state: /"" is no role$/ },
  { text: "MultipleAttestation[Host", state: /there is no such strategy$/ },
  { text: "MultipleAttestation[Boss]", state: /"Boss" is no role$/ },
];
for (const { text, state } of unknown) {
  test(`parseStrategy() refuses "${text}"`, () => {
    assert.throws(() => parseStrategy(text), { code: "BINDLE_STRATEGY_UNKNOWN", message: state });
  });
}
