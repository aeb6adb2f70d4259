// `up --bindle` and `push` where the server is none, is silent, or lies: which it is, and what to do.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { BINDLE_VERSION, formatInvoice } from "../../src/registry/mod.ts";
import { sha256 } from "../bindle/bindles.ts";
import { BindleWorkplace, ID } from "./workplace.ts";

const MANIFEST = "trigger = { type = 'http', base = '/' }\n";
const INVOICE = formatInvoice({
  bindleVersion: BINDLE_VERSION,
  bindle: { name: "example.com/printer", version: "1.2.3" },
  parcel: [
    {
      label: {
        sha256: sha256(MANIFEST),
        mediaType: "application/vnd.fermyon.spin+toml",
        name: "spin.toml",
        size: MANIFEST.length,
      },
    },
  ],
});

/** Answers a request for a parcel with these bytes. */
function lying(parcel: string): RequestListener {
  return (request, response) => {
    const isParcel = request.url?.includes("@") ?? false;
    response.setHeader("content-type", isParcel ? "application/octet-stream" : "application/toml");
    response.end(isParcel ? parcel : INVOICE);
  };
}

const servers: readonly { readonly what: string; readonly answer: RequestListener; readonly says: RegExp }[] =
  [
    {
      what: "sends a page",
      answer: (_, response) => response.setHeader("content-type", "text/html").end("<p>Welcome"),
      says: /HTML page.*\[BINDLE_SERVER_ANSWER\]\n {2}hint: .*"\/v1\/"/,
    },
    {
      what: "redirects in a circle",
      answer: (_, response) => response.writeHead(302, { location: "/v1/again" }).end(),
      says: /redirect.*\[BINDLE_SERVER_(ANSWER|UNREACHABLE)\]/,
    },
    {
      what: "wants another user",
      answer: (_, response) => response.writeHead(401).end(),
      says: /\[BINDLE_UNAUTHORIZED\]\n {2}hint: Give `--username`/,
    },
    {
      what: "has no such bindle",
      answer: (_, response) =>
        response.writeHead(404, { "content-type": "application/toml" }).end('error = "resource not found"'),
      says: /\[BINDLE_NOT_FOUND\]\n {2}hint: .*spindle bindle search/,
    },
    {
      what: "sends an invoice that is none",
      answer: (_, response) => response.setHeader("content-type", "application/toml").end('x = "y"'),
      says: /\[BINDLE_(SERVER_ANSWER|INVOICE_INVALID)\]/,
    },
    {
      what: "sends a parcel of another size",
      answer: lying("too short"),
      says: /"spin\.toml".*\[BINDLE_PARCEL_MISMATCH\]/,
    },
    {
      what: "sends a parcel of another content",
      answer: lying("#".repeat(MANIFEST.length)),
      says: /has the digest.*\[BINDLE_PARCEL_MISMATCH\]/,
    },
  ];

for (const { what, answer, says } of servers) {
  test(`up --bindle says that a server ${what}, and keeps nothing of it`, async () => {
    using place = new BindleWorkplace();
    const server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    // A server that listens on a TCP port has an address of this kind.
    const { port } = server.address() as AddressInfo;
    const ran = await place.run(["up", "-b", ID, "--server", `http://127.0.0.1:${port}/v1/`]);
    server.close();
    server.closeAllConnections();
    assert.match(ran.stderr, says);
    assert.equal(ran.code, 1);
    assert.deepEqual(place.parcels, []);
    assert.deepEqual(place.leftovers, []);
  });
}
