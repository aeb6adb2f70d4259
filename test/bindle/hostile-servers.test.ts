// What a client says to those who answer as no Bindle server should.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { test } from "node:test";

import {
  BindleCache,
  BindleClient,
  formatInvoice,
  type Label,
  parseBindleId,
  pushBindle,
} from "../../src/registry/mod.ts";
import { bindleOf, clientOf, sha256, signal, temporaryFolder } from "./bindles.ts";

const ID = parseBindleId("hello/1.0.0");
const BINDLE = bindleOf("hello/1.0.0", { "hello.wasm": "some code" });
const [LABEL] = BINDLE.invoice.parcel?.map(({ label }) => label) ?? [];
assert.ok(LABEL);

interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Requests that came. */
  readonly requests: readonly string[];
}

/** An HTTP server that does as it is told. */
async function httpServer(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<TestServer> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response, requests.length);
  });
  return { ...(await listening(server)), requests };
}

async function listening(server: net.Server): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await once(server.listen(0, "127.0.0.1"), "listening");
  // It listens on a TCP port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const get = (client: BindleClient) => client.getInvoice(ID, { signal });
const toml = (response: ServerResponse, status: number, text: string) =>
  response.writeHead(status, { "content-type": "application/toml" }).end(text);

const answers: readonly {
  readonly what: string;
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  {
    what: "an HTML page",
    type: "text/html",
    body: "<html>Welcome</html>",
    code: "BINDLE_SERVER_ANSWER",
    says: /: it answered 200 OK with an HTML page: this is no Bindle server, or not its base URL$/,
  },
  {
    what: "an HTML page that says that there is nothing",
    status: 404,
    type: "text/html; charset=utf-8",
    body: "<html>Not found</html>",
    code: "BINDLE_SERVER_ANSWER",
    says: /: it answered 404 Not Found with an HTML page/,
  },
  {
    what: "404 without a word",
    status: 404,
    type: "",
    code: "BINDLE_SERVER_ANSWER",
    says: /: it answered 404 Not Found without a message: this is no Bindle server/,
  },
  {
    what: "404",
    status: 404,
    body: 'error = "x"',
    code: "BINDLE_NOT_FOUND",
    says: /: the server has no such bindle$/,
  },
  {
    what: "a yank",
    status: 403,
    body: 'error = "bindle is yanked"',
    code: "BINDLE_YANKED",
    says: /: it was yanked$/,
  },
  {
    what: "403",
    status: 403,
    body: 'error = "access denied"',
    code: "BINDLE_UNAUTHORIZED",
    says: /: the server does not allow it: access denied$/,
  },
  {
    what: "401 from a proxy",
    status: 401,
    type: "text/html",
    body: "<html>Who?</html>",
    code: "BINDLE_UNAUTHORIZED",
    says: /: the server wants to know who asks$/,
  },
  {
    what: "400",
    status: 400,
    body: 'error = "no suitable key for signing data"',
    code: "BINDLE_REFUSED",
    says: /: the server answered 400 Bad Request: no suitable key for signing data$/,
  },
  {
    what: "an error in JSON",
    status: 400,
    type: "application/json",
    body: '{"error":"bad"}',
    code: "BINDLE_REFUSED",
    says: /400 Bad Request: bad$/,
  },
  {
    what: "500 without a message",
    status: 500,
    type: "text/plain",
    body: "oops",
    code: "BINDLE_SERVER_FAILED",
    says: /: the server answered 500 Internal Server Error: no message$/,
  },
  {
    what: "502 in HTML",
    status: 502,
    type: "text/html",
    body: "<html>Bad gateway</html>",
    code: "BINDLE_SERVER_FAILED",
    says: /502 Bad Gateway/,
  },
  {
    what: "broken TOML",
    body: "bindleVersion = ",
    code: "BINDLE_SERVER_ANSWER",
    says: /: its answer cannot be read: line 1/,
  },
  {
    what: "another document",
    body: 'a = "b"',
    code: "BINDLE_SERVER_ANSWER",
    says: /: its answer cannot be read: unknown field "a"$/,
  },
  {
    what: "a text",
    type: "application/json",
    body: '"hello"',
    code: "BINDLE_SERVER_ANSWER",
    says: /: its answer cannot be read: it must be a table$/,
  },
  {
    what: "a redirect to itself",
    status: 302,
    headers: { location: "/v1/_i/hello/1.0.0" },
    code: "BINDLE_SERVER_ANSWER",
    says: /: it redirects in a circle, to http:/,
  },
  {
    what: "a redirect to a file",
    status: 307,
    headers: { location: "file:///etc/passwd" },
    code: "BINDLE_SERVER_ANSWER",
    says: /: it redirects to "file:\/\/\/etc\/passwd", which is no HTTP URL$/,
  },
  {
    what: "a redirect to nowhere",
    status: 302,
    code: "BINDLE_SERVER_ANSWER",
    says: /302 Found without a message/,
  },
];
for (const {
  what,
  status = 200,
  type = "application/toml",
  headers = {},
  body = "",
  code,
  says,
} of answers) {
  test(`a client explains ${what}`, async () => {
    await using server = await httpServer((_, response) => {
      response.writeHead(status, { ...(type && { "content-type": type }), ...headers }).end(body);
    });
    using client = clientOf(server.url);
    await assert.rejects(get(client), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, says);
      assert.ok(error.message.startsWith(`Cannot fetch hello/1.0.0 from ${server.url}: `), error.message);
      return true;
    });
  });
}

test("a client follows redirects, but takes its password to nobody else", async () => {
  await using other = await httpServer((request, response) => {
    if (request.headers.authorization === undefined) toml(response, 200, formatInvoice(BINDLE.invoice));
    else toml(response, 400, 'error = "too much"');
  });
  await using server = await httpServer((request, response) => {
    const location = request.url === "/v1/elsewhere" ? other.url : "/v1/elsewhere";
    response.writeHead(request.headers.authorization ? 302 : 400, { location }).end();
  });
  using client = clientOf(server.url, { credentials: { kind: "bearer", token: "t" } });
  assert.deepEqual(await get(client), BINDLE.invoice);
});

test("a client does not follow redirects for ever", async () => {
  await using server = await httpServer((_, response, count) => {
    response.writeHead(302, { location: `/v1/${count}` }).end();
  });
  using client = clientOf(server.url);
  await assert.rejects(get(client), {
    code: "BINDLE_SERVER_ANSWER",
    message: /it redirects more than 10 times$/,
  });
});

for (const status of [302, 307]) {
  const does = status === 307 ? "sends an invoice again where" : "does not send an invoice to where";
  test(`a client ${does} ${status} says`, async () => {
    await using server = await httpServer((request, response) => {
      if (request.url !== "/v1/there") response.writeHead(status, { location: "/v1/there" }).end();
      else {
        response.writeHead(201, { "content-type": "application/json" });
        request.resume().on("end", () => response.end(JSON.stringify({ invoice: BINDLE.invoice })));
      }
    });
    using client = clientOf(server.url);
    const created = client.createInvoice(BINDLE.invoice, { signal });
    if (status === 307) assert.deepEqual(await created, { invoice: BINDLE.invoice });
    else
      await assert.rejects(created, {
        code: "BINDLE_SERVER_ANSWER",
        message: /: it redirects to http:.*\/there$/,
      });
  });
}

test("a client gives up on a server that says nothing", async () => {
  await using server = await httpServer(() => undefined);
  using client = clientOf(server.url, { patience: { attempts: 1, silenceMs: 50 } });
  await assert.rejects(get(client), {
    code: "BINDLE_SERVER_UNREACHABLE",
    message: /: it has sent nothing for too long$/,
  });
});

test("a client gives up on a server that stops in the middle, or that trickles", async () => {
  for (const [patience, says] of [
    [{ attempts: 1, silenceMs: 50 }, /: it has sent nothing for too long$/],
    [{ attempts: 1, silenceMs: 5000, attemptMs: 50 }, /: it takes too long$/],
  ] as const) {
    await using server = await httpServer((_, response) => {
      response
        .writeHead(200, { "content-type": "application/toml", "content-length": "100" })
        .write("bindle");
    });
    using client = clientOf(server.url, { patience });
    await assert.rejects(get(client), { code: "BINDLE_SERVER_UNREACHABLE", message: says });
  }
});

test("a client says that nobody listens, and that a name is nobody's", async () => {
  const gone = await httpServer(() => undefined);
  await gone[Symbol.asyncDispose]();
  for (const [url, says] of [
    [gone.url, /: connection refused$/],
    ["http://nobody.invalid/v1/", /: (no host has this name|its name cannot be looked up)$/],
  ] as const) {
    using client = clientOf(url);
    await assert.rejects(get(client), { code: "BINDLE_SERVER_UNREACHABLE", message: says });
  }
});

test("a client says that the server does not speak HTTP, or not TLS", async () => {
  await using server = await listening(
    net.createServer((socket) => socket.end("220 mail.example.com ESMTP\r\n")),
  );
  for (const [url, code, says] of [
    [server.url, "BINDLE_SERVER_ANSWER", /: it does not speak HTTP$/],
    [server.url.replace("http:", "https:"), "BINDLE_SERVER_UNREACHABLE", /: it does not speak TLS$/],
  ] as const) {
    using client = clientOf(url);
    await assert.rejects(get(client), { code, message: says });
  }
});

for (const url of ["", "localhost:8080", "ftp://a/", "http://", "http://a/v1?x=1", "http://u:p@a/v1/"]) {
  test(`a client refuses the URL "${url}"`, () => {
    assert.throws(() => new BindleClient({ server: url }), { code: "BINDLE_SERVER_URL" });
  });
}

test("a client adds the slash that a base URL lacks", () => {
  using client = new BindleClient({ server: "http://a/prefix/v1" });
  assert.equal(client.server, "http://a/prefix/v1/");
});

test("a client tries again what is temporary, and waits as long as it is asked to", async () => {
  await using server = await httpServer((_, response, count) => {
    if (count === 1) response.writeHead(503, { "retry-after": "0" }).end();
    else if (count === 2) response.destroy();
    else if (count === 3)
      response
        .writeHead(200, { "content-length": "5000", "content-type": "application/toml" })
        .write("bindle", () => response.destroy());
    else toml(response, 200, formatInvoice(BINDLE.invoice));
  });
  using client = clientOf(server.url, { patience: { attempts: 4 } });
  assert.deepEqual(await get(client), BINDLE.invoice);
  assert.equal(server.requests.length, 4);
});

test("a client that is told to stop does not try again", async () => {
  const controller = new AbortController();
  await using server = await httpServer((_, response) => {
    controller.abort(new Error("enough"));
    response.destroy();
  });
  using client = clientOf(server.url, { patience: { attempts: 4 } });
  await assert.rejects(client.getInvoice(ID, controller), { message: "enough" });
  assert.equal(server.requests.length, 1);
});

test("a client uses a kept connection that was closed meanwhile as if it had not", async () => {
  await using server = await httpServer((request, response, count) => {
    toml(response, 200, formatInvoice(BINDLE.invoice));
    // It is closed when the next request is on its way.
    if (count === 1) setImmediate(() => request.socket.destroy());
  });
  using client = clientOf(server.url, { patience: { attempts: 1 } });
  await get(client);
  await get(client);
});

/** A server that has the invoice, and gives this for its parcel. */
function parcelServer(answer: (response: ServerResponse, count: number) => void): Promise<TestServer> {
  return httpServer((request, response, count) => {
    if (request.url?.includes("@")) answer(response, count);
    else toml(response, 200, formatInvoice(BINDLE.invoice));
  });
}

const parcels: readonly {
  readonly what: string;
  readonly answer: (response: ServerResponse) => void;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  {
    what: "other bytes",
    answer: (response) => response.end("evil code"),
    code: "BINDLE_PARCEL_MISMATCH",
    says: new RegExp(`: the parcel has the digest ${sha256("evil code")}, expected ${sha256("some code")}$`),
  },
  {
    what: "a length that is not its own",
    answer: (response) => response.end("some code and more"),
    code: "BINDLE_PARCEL_MISMATCH",
    says: /: the parcel has 18 bytes, not the 9 that the invoice says$/,
  },
  {
    what: "more than was said, in chunks",
    answer: (response) => {
      response.write("some code");
      response.end(" and more");
    },
    code: "BINDLE_PARCEL_MISMATCH",
    says: /: the parcel has more than the 9 bytes that the invoice says$/,
  },
  {
    what: "less than was said, in chunks",
    answer: (response) => {
      response.write("some");
      response.end();
    },
    code: "BINDLE_PARCEL_MISMATCH",
    says: /: the parcel has 4 bytes, not the 9/,
  },
  {
    what: "half, and no more",
    answer: (response) => {
      response.writeHead(200, { "content-length": "9" });
      response.write("some", () => response.destroy());
    },
    code: "BINDLE_SERVER_UNREACHABLE",
    says: /: it closed the connection in the middle$/,
  },
  {
    what: "an HTML page",
    answer: (response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Log in!</html>"),
    code: "BINDLE_SERVER_ANSWER",
    says: /: it answered 200 OK with an HTML page/,
  },
  {
    what: "that it has none",
    answer: (response) => toml(response, 404, 'error = "resource not found"'),
    code: "BINDLE_INCOMPLETE",
    says: /: the server lacks it$/,
  },
];
for (const { what, answer, code, says } of parcels) {
  test(`a cache keeps nothing of a parcel whose server gives ${what}`, async () => {
    await using folder = await temporaryFolder();
    await using server = await parcelServer(answer);
    using client = clientOf(server.url);
    const cache = new BindleCache(folder.path);
    const bindle = await cache.openBindle(client, ID, { signal });
    await assert.rejects(bindle.fetch([LABEL], { signal }), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, says);
      assert.ok(error.message.startsWith(`Cannot fetch "hello.wasm" of hello/1.0.0 from ${server.url}: `));
      return true;
    });
    assert.deepEqual(await readdir(path.join(folder.path, "parcels")), []);
  });
}

test("a cache asks again for a parcel that broke off", async () => {
  await using folder = await temporaryFolder();
  await using server = await parcelServer((response, count) => {
    if (count > 2) return response.end("some code");
    return response.writeHead(200, { "content-length": "9" }).write("some", () => response.destroy());
  });
  using client = clientOf(server.url);
  const bindle = await new BindleCache(folder.path).openBindle(client, ID, { signal });
  await bindle.fetch([LABEL], { signal });
});

test("a cache refuses an invoice that is not the one it asked for", async () => {
  await using folder = await temporaryFolder();
  const other = bindleOf("hello/6.6.6", {}).invoice;
  await using server = await httpServer((_, response) => toml(response, 200, formatInvoice(other)));
  using client = clientOf(server.url);
  const cache = new BindleCache(folder.path);
  await assert.rejects(cache.openBindle(client, ID, { signal }), {
    code: "BINDLE_SERVER_ANSWER",
    message: /: it sent hello\/6.6.6 instead$/,
  });
  assert.deepEqual(await readdir(folder.path), []);
});

test("a client does not read an invoice without end", async () => {
  await using server = await httpServer((_, response) => {
    response.writeHead(200, { "content-type": "application/toml" });
    const more = () => {
      while (response.write("#".repeat(2 ** 16)));
    };
    response.on("drain", more);
    more();
  });
  using client = clientOf(server.url, { patience: { attempts: 1 } });
  await assert.rejects(get(client), {
    code: "BINDLE_SERVER_ANSWER",
    message: /: its answer is larger than 4194304 bytes$/,
  });
});

test("pushBindle() sends what the server lacks, whatever it makes of that, and explains a refusal in the middle", async () => {
  await using server = await httpServer((request, response) => {
    if (!request.url?.includes("@")) {
      const invoice = { ...BINDLE.invoice, parcel: [] };
      return response
        .writeHead(202, { "content-type": "application/json" })
        .end(JSON.stringify({ invoice, missing: [LABEL] }));
    }
    // It answers before it has read anything, and hangs up.
    response
      .writeHead(413, { connection: "close", "content-type": "application/toml" })
      .end('error = "too large"');
    return undefined;
  });
  using client = clientOf(server.url);
  await assert.rejects(pushBindle(client, BINDLE, { signal }), {
    code: "BINDLE_REFUSED",
    message: /: the server answered 413 Payload Too Large: too large$/,
  });
});

test("pushBindle() tells a parcel that the server refuses as present and does not have", async () => {
  await using server = await httpServer((request, response) => {
    if (request.url?.includes("@")) return toml(response, 409, 'error = "resource already exists"');
    const missing = (label: Label) => ({ missing: [label] });
    const document =
      request.method === "GET" ? missing(LABEL) : { invoice: BINDLE.invoice, ...missing(LABEL) };
    return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
  });
  using client = clientOf(server.url);
  await assert.rejects(pushBindle(client, BINDLE, { signal }), {
    code: "BINDLE_INCOMPLETE",
    message: /it refuses the parcel "hello.wasm" as present, and lacks it$/,
  });
});
