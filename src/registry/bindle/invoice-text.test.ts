import assert from "node:assert/strict";
import { test } from "node:test";

import type { Invoice } from "./invoice.ts";
import { formatInvoice, parseInvoice } from "./invoice-text.ts";

const DIGEST = "0123456789abcdef".repeat(4);

/** Every field of the format, in the order in which it is written. */
const FULL: Invoice = {
  bindleVersion: "1.0.0",
  yanked: true,
  yankedSignature: [{ by: "a", signature: "cw==", key: "aw==", role: "host", at: 1 }],
  bindle: {
    name: "example.com/café",
    version: "1.2.3-rc.1+q1",
    description: 'Says "hello"\nin 🦀',
    authors: ["A <a@example.com>", "B"],
  },
  annotations: { "fermyon:spin:x": "1", constructor: "2" },
  parcel: [
    {
      label: {
        sha256: DIGEST,
        mediaType: "application/wasm",
        name: "hello.wasm",
        size: 2 ** 53 - 1,
        annotations: { a: "b" },
        feature: { wasm: { type: "library" }, empty: {} },
        origin: "other/1.0.0",
      },
      conditions: { memberOf: ["a", "b"], requires: [] },
    },
    { label: { sha256: DIGEST, mediaType: "text/plain", name: "again", size: 2 ** 53 - 1 }, conditions: {} },
  ],
  group: [{ name: "a", required: true, satisfiedBy: "oneOf" }, { name: "b" }],
  signature: [{ by: "b", signature: "cw==", key: "aw==", role: "creator", at: 1611960337 }],
};

const parse = (text: string, format?: "toml" | "json") =>
  parseInvoice(Buffer.from(text), "invoice.toml", format);

for (const format of ["toml", "json"] as const) {
  test(`formatInvoice() writes every field as ${format}, and parseInvoice() reads it`, () => {
    assert.deepEqual(parse(formatInvoice(FULL, format), format), FULL);
  });
}

test("formatInvoice() gives equal texts for equal invoices, whatever the order of their fields", () => {
  const shuffled = Object.fromEntries(Object.entries(FULL).toReversed());
  // The same fields, with the same values.
  assert.equal(formatInvoice(shuffled as unknown as Invoice), formatInvoice(FULL));
});

test("formatInvoice() leaves out lists without items, which the reference cannot write where they stand", () => {
  const { bindleVersion, bindle } = FULL;
  const empty: Invoice = { bindleVersion, bindle, parcel: [], group: [], signature: [], yankedSignature: [] };
  assert.equal(formatInvoice(empty), formatInvoice({ bindleVersion, bindle }));
});

test("formatInvoice() sorts annotations, as the reference does", () => {
  const annotations = { b: "1", "": "2", a: "3" };
  assert.match(formatInvoice({ ...FULL, annotations }), /\[annotations\]\n"" = "2"\na = "3"\nb = "1"\n/);
});

test("parseInvoice() keeps an annotation called __proto__", () => {
  const text = `bindleVersion = "1.0.0"\nbindle = { name = "a", version = "1.0.0" }\n[annotations]\n__proto__ = "x"\n`;
  assert.deepEqual(Object.entries(parse(text).annotations ?? {}), [["__proto__", "x"]]);
});

test("parseInvoice() takes null in JSON for an absent field", () => {
  const text = `{"bindleVersion":"1.0.0","yanked":null,"bindle":{"name":"a","version":"1.0.0","authors":null},"parcel":null}`;
  assert.deepEqual(parse(text, "json"), { bindleVersion: "1.0.0", bindle: { name: "a", version: "1.0.0" } });
});

test("parseInvoice() reads the spellings of the specification for a yank", () => {
  const text = `bindleVersion = "1.0.0"\nyanked = true\nyanked_reason = "a hole"\nbindle = { name = "a", version = "1.0.0" }\n[[yanked_signature]]\nby = "a"\nsignature = "s"\nkey = "k"\nrole = "host"\nat = 1`;
  assert.deepEqual(parse(text), {
    bindleVersion: "1.0.0",
    yanked: true,
    yankedSignature: [{ by: "a", signature: "s", key: "k", role: "host", at: 1 }],
    bindle: { name: "a", version: "1.0.0" },
  });
});

const HEAD = `bindleVersion = "1.0.0"\nbindle = { name = "a", version = "1.0.0" }\n`;
const label = (fields: string) =>
  `${HEAD}[[parcel]]\nlabel = { sha256 = "${DIGEST}", mediaType = "a/b", name = "n", size = 1${fields} }\n`;

const refused = [
  { text: "", state: 'the field "bindleVersion" is missing' },
  { text: "a = ", state: /^line 1, column \d+: / },
  { text: 'bindleVersion = "1.0.0"', state: 'the field "bindle" is missing' },
  { text: `color = 1\n${HEAD}`, state: 'unknown field "color"' },
  { text: HEAD.replace('"1.0.0" }', '"1.0" }'), state: '"1.0" is not a semantic version, such as 1.2.3' },
  { text: HEAD.replace('"a"', '"../a"'), state: 'its name has a part ".."' },
  { text: HEAD.replace("name =", "nmae ="), state: 'unknown field "bindle.nmae"' },
  { text: `yanked = 1\n${HEAD}`, state: '"yanked": it must be true or false' },
  { text: `parcel = 1\n${HEAD}`, state: '"parcel": it must be an array' },
  { text: `parcel = [1]\n${HEAD}`, state: '"parcel[0]": it must be a table' },
  { text: `${HEAD}[[parcel]]\n`, state: 'the field "parcel[0].label" is missing' },
  { text: label("").replace(DIGEST, "abc"), state: /^"parcel\[0\]\.label\.sha256": it must be 64 hex/ },
  { text: label("").replace(DIGEST, DIGEST.toUpperCase()), state: /in lower case$/ },
  {
    text: label("").replace("size = 1", "size = -1"),
    state: /^"parcel\[0\]\.label\.size": it must be a whole/,
  },
  {
    text: label("").replace("size = 1", "size = 1.5"),
    state: /^"parcel\[0\]\.label\.size": it must be a whole/,
  },
  { text: label(", sise = 1"), state: 'unknown field "parcel[0].label.sise"' },
  { text: label(", feature = { wasm = 1 }"), state: '"parcel[0].label.feature.wasm": it must be a table' },
  {
    text: `${label("")}conditions = { memberOf = [1] }`,
    state: '"parcel[0].conditions.memberOf[0]": it must be a string',
  },
  {
    text: `${label("")}${label("").replace(HEAD, "").replace("= 1", "= 2")}`,
    state: /is listed with 1 and with 2 bytes$/,
  },
  {
    text: `${HEAD}[[signature]]\nby = "a"\nsignature = ""\nkey = ""\nrole = "boss"\nat = 1`,
    state: '"signature[0].role": it must be one of creator, proxy, host, approver',
  },
];
for (const { text, state } of refused) {
  test(`parseInvoice() refuses ${JSON.stringify(text.slice(-60))}`, () => {
    const prefix = "Cannot read the invoice invoice.toml: ";
    assert.throws(
      () => parse(text),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "BINDLE_INVOICE_INVALID");
        const found = error.message.slice(prefix.length);
        if (typeof state === "string") assert.equal(found, state);
        else assert.match(found, state);
        return true;
      },
    );
  });
}

test("parseInvoice() refuses what is not UTF-8", () => {
  assert.throws(() => parseInvoice(Buffer.from([0x61, 0xff]), "x"), /x: it is not UTF-8$/);
});

const parcels = (count: number) =>
  `{"bindleVersion":"1.0.0","bindle":{"name":"a","version":"1.0.0"},"parcel":[${Array(count).fill("{}")}]}`;

test("parseInvoice() refuses a million parcels before it looks at the first", () => {
  assert.throws(() => parse(parcels(1e6), "json"), /it has 1000000 parcels, more than 50000$/);
  assert.throws(() => parse(parcels(50_000), "json"), /"parcel\[0\].label" is missing$/);
});

test("parseInvoice() refuses a document of more than 4 MiB before it parses it", () => {
  assert.throws(() => parse("x".repeat(4 * 2 ** 20 + 1)), /it is larger than 4 MiB$/);
});
