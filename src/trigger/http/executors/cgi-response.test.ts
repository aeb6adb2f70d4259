import assert from "node:assert/strict";
import { test } from "node:test";
import { cgiResponse } from "./cgi-response.ts";
import { GuestReplyError } from "./reply-headers.ts";

function reply(output: string | Buffer) {
  const { status, headers, body } = cgiResponse("api", Buffer.from(output));
  assert.ok(body instanceof Uint8Array);
  return { status, headers, body: Buffer.from(body).toString() };
}

const INSUFFICIENT = {
  status: 500,
  headers: [],
  body: "Exactly one of 'location' or 'content-type' must be specified",
};
const TEXT = ["content-type", "text/plain"];

const ANSWERED = [
  {
    output: "content-type: text/plain\n\nbody",
    expected: { status: 200, headers: TEXT, body: "body" },
    because: "that is all it takes",
  },
  {
    output: "Content-Type: text/plain\r\nX-A: 1\r\n\r\nbo\r\ndy\n\n",
    expected: { status: 200, headers: [...TEXT, "x-a", "1"], body: "bo\r\ndy\n\n" },
    because: "carriage returns are dropped from the head only",
  },
  {
    output: "cont\rent-type: text/plain\n\r\r\nbody",
    expected: { status: 200, headers: TEXT, body: "body" },
    because: "a carriage return counts for nothing anywhere in the head",
  },
  {
    output: "content-type: text/plain\n\n",
    expected: { status: 200, headers: TEXT, body: "" },
    because: "a body may be empty",
  },
  {
    output: "status: 404\n\nnot here",
    expected: { status: 404, headers: [], body: "not here" },
    because: "a status is enough by itself",
  },
  {
    output: "Status:418 I am a teapot\ncontent-type: text/plain\n\nshort",
    expected: { status: 418, headers: TEXT, body: "short" },
    because: "the number ends at the first space",
  },
  {
    output: "location: /elsewhere\n\n",
    expected: { status: 302, headers: ["location", "/elsewhere"], body: "" },
    because: "a location without a status redirects",
  },
  {
    output: "status: 301\nlocation: /elsewhere\n\n",
    expected: { status: 301, headers: ["location", "/elsewhere"], body: "" },
    because: "a status before the location counts",
  },
  {
    output: "location: /elsewhere\nstatus: 307\n\n",
    expected: { status: 307, headers: ["location", "/elsewhere"], body: "" },
    because: "a status behind the location counts too",
  },
  ...["teapot", "", "0", "99", "100", "1000", "70000", "-1", "2e2"].map((status) => ({
    output: `status: ${status}\n\n`,
    expected: { status: 502, headers: [], body: "" },
    because: `"${status}" is no status of a response`,
  })),
  { output: "plain text", expected: INSUFFICIENT, because: "without an empty line, everything is body" },
  {
    output: "content-type: a\nbody",
    expected: INSUFFICIENT,
    because: "the same, though it looks like a head",
  },
  { output: "\n\nbody", expected: INSUFFICIENT, because: "the head is empty" },
  { output: "\n", expected: INSUFFICIENT, because: "there is neither head nor body" },
  { output: "x-name: a\n\nbody", expected: INSUFFICIENT, because: "no other header is enough" },
  {
    output: "\ncontent-type: text/plain\n\nbody",
    expected: { status: 200, headers: TEXT, body: "body" },
    because: "one line feed in front is no empty line",
  },
  {
    output: "content-type: text/plain\nno colon here\n: nameless\nx y: z\n\nbody",
    expected: { status: 200, headers: TEXT, body: "body" },
    because: "lines that are no headers are left out",
  },
  {
    output: "content-type: text/html\nx-a: 1\nX-A:  2 \ncontent-type: text/plain\n\n",
    expected: { status: 200, headers: [...TEXT, "x-a", "2"], body: "" },
    because: "the last of a name counts, at the place of the first",
  },
  {
    output: "content-type: text/plain\nx-name: é🦀\n\né",
    expected: { status: 200, headers: [...TEXT, "x-name", Buffer.from("é🦀").toString("latin1")], body: "é" },
    because: "UTF-8 passes as the bytes that it is",
  },
];
for (const { output, expected, because } of ANSWERED) {
  test(`cgiResponse() reads ${JSON.stringify(output)} as a ${expected.status}: ${because}`, () => {
    assert.deepEqual(reply(output), expected);
  });
}

const REFUSED = [
  { output: "content-type: a\0b\n\n", message: /invalid value of the header "content-type"/ },
  { output: "content-type: a\nx: \x1b[0m\n\n", message: /invalid value of the header "x"/ },
  { output: Buffer.from("content-type: a\nx: \xff\n\n", "latin1"), message: /not UTF-8/ },
  { output: `content-type: a\nx: ${"y".repeat(256 * 1024)}\n\n`, message: /head of more than 262144 bytes/ },
  { output: `${"x: y\n".repeat(1025)}\n`, message: /more than 1024 headers/ },
];
for (const { output, message } of REFUSED) {
  test(`cgiResponse() refuses ${JSON.stringify(output.toString("latin1")).slice(0, 40)}`, () => {
    assert.throws(
      () => reply(output),
      (error) =>
        error instanceof GuestReplyError && message.test(error.message) && /"api"/.test(error.message),
    );
  });
}

test("cgiResponse() takes 1024 headers and a head of 256 KiB", () => {
  const head = `content-type: a\n${"x: y\n".repeat(1023)}\n`;
  assert.equal(reply(head).status, 200);
  const long = `content-type: a\nx: ${"y".repeat(256 * 1024 - 19)}\n\n`;
  assert.equal(reply(long).status, 200);
});

test("cgiResponse() looks through an output without an end only as far as a head may reach", () => {
  assert.throws(() => reply("a\nb".repeat(1_000_000)), GuestReplyError);
});
