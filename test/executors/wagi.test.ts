// CGI programs, run by the Wagi executor.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TrapError } from "../../src/engine/mod.ts";
import { GuestReplyError } from "../../src/trigger/http/executors/reply-headers.ts";
import { TestApplication } from "./application.ts";

const executor = { type: "wagi" };

const app = await TestApplication.start(
  {
    c: { source: "c/wagi", executor, environment: { FROM_MANIFEST: "yes", PATH_INFO: "of the manifest" } },
    rust: { source: "rust/wagi", executor },
    go: { source: "go/wagi", executor },
    assemblyscript: { source: "assemblyscript/wagi", executor },
    wat: { source: "wat/wagi", executor },
    hostile: { source: "c/hostile-wagi", executor },
  },
  { limits: { responseBytesMax: 17 * 1024 * 1024 } },
);
after(() => app[Symbol.dispose]());

for (const id of ["c", "rust", "go", "assemblyscript", "wat"]) {
  test(`A program in ${id} answers a request`, async () => {
    const reply = await app.request(id, "/path?a=1&b=2", { method: "POST", body: "hello" });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["content-type"], "text/plain");
    if (id !== "wat") assert.match(reply.body, /POST|method=POST/);
  });
}

test("A program gets path and query items as arguments, and the body on standard input", async () => {
  const { body } = await app.request("c", "/a%20b?x=1&y=two", { method: "POST", body: "hello" });
  assert.match(
    body,
    /arg\[0\]=\/a%20b\narg\[1\]=x=1\narg\[2\]=y=two\nbody=5 fnv=4f9f2cab content-length=5\n/,
  );
});

test("A program without a query gets an empty second argument", async () => {
  assert.match((await app.request("c", "/")).body, /arg\[0\]=\/\narg\[1\]=\nbody=0/);
});

test("A program gets the environment of its component first; CGI variables of the same name stay behind it", async () => {
  const { body } = await app.request("c", "/info?mode=env", { headers: ["X-A", "1", "Connection", "close"] });
  const variables = body.split("\n").filter((line) => line.startsWith("env "));
  assert.deepEqual(variables.slice(0, 2).toSorted(), [
    "env FROM_MANIFEST=yes",
    "env PATH_INFO=of the manifest",
  ]);
  assert.ok(variables.includes("env PATH_INFO=/info"));
  assert.ok(variables.includes("env HTTP_X_A=1"));
  assert.ok(!variables.some((line) => line.includes("HTTP_CONNECTION")));
  assert.match(body, /path=of the manifest/, "getenv() finds the first");
});

test("What a program prints to standard error goes to its log, not to the client", async () => {
  const before = (app.printed.get("c") ?? "").length;
  const { body } = await app.request("c", "/");
  assert.doesNotMatch(body, /wagi guest done/);
  assert.equal(app.printed.get("c")?.slice(before), "wagi guest done\n");
});

const ANSWERS = [
  { query: "mode=location", expected: { status: 302, headers: { location: "/elsewhere" }, body: "" } },
  {
    query: "mode=status",
    expected: { status: 418, headers: { "content-type": "text/plain" }, body: "short and stout\n" },
  },
  {
    query: "mode=nohdr",
    expected: {
      status: 500,
      headers: {},
      body: "Exactly one of 'location' or 'content-type' must be specified",
    },
  },
];
for (const { query, expected } of ANSWERS) {
  test(`A program that answers by ${query} is answered with ${expected.status}`, async () => {
    assert.deepEqual(await app.request("c", `/?${query}`), expected);
  });
}

test("A program that exits with a code other than 0 fails, whatever it wrote", async () => {
  await assert.rejects(app.request("c", "/?mode=exit"), (error) => {
    assert.ok(error instanceof GuestReplyError);
    assert.equal(error.message, 'Component "c" exited with code 3');
    return true;
  });
  await assert.rejects(app.request("hostile", "/?exit"), /exited with code 3/);
});

test("A program that traps fails, whatever it wrote", async () => {
  for (const query of ["trap", "partial"])
    await assert.rejects(app.request("hostile", `/?${query}`), TrapError);
});

test("A program that never ends is ended", async () => {
  using impatient = await TestApplication.start(
    { hostile: { source: "c/hostile-wagi", executor } },
    { limits: { wallTimeMs: 100 } },
  );
  await assert.rejects(
    impatient.request("hostile", "/?loop"),
    (error) => error instanceof TrapError && error.reason === "deadline",
  );
});

test("A program is ended when its client has left", async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(
    app.request("hostile", "/?loop", { signal: abort.signal }),
    (error) => error instanceof TrapError && error.reason === "cancelled",
  );
});

test("A program that writes nothing fails, and its operator is told where to look", async () => {
  await assert.rejects(
    app.request("hostile", "/?empty"),
    /Component "hostile" is run by the Wagi executor and wrote nothing to standard output: check the `executor`/,
  );
});

test("A program may write 16 MiB, and is ended where it writes more than it may", async () => {
  assert.equal((await app.request("hostile", "/?big")).body.length, (16 << 20) + "well behaved\n".length);
  await assert.rejects(
    app.request("hostile", "/?endless"),
    (error) => error instanceof TrapError && /more than 17825792 bytes/.test(error.message),
  );
});

const HOSTILE = [
  { query: "no-blank-line", status: 500 },
  { query: "no-header", status: 500 },
  { query: "bad-line", status: 200 },
  { query: "bad-name", status: 200 },
  { query: "cr-value", status: 200 },
  { query: "status-text", status: 502 },
  { query: "status-0", status: 502 },
  { query: "status-70000", status: 502 },
  { query: "status-only", status: 204 },
  { query: "crlf", status: 200 },
  { query: "closed", status: 200 },
];
for (const { query, status } of HOSTILE) {
  test(`A program that answers with ${query} is answered with ${status}`, async () => {
    assert.equal((await app.request("hostile", `/?${query}`)).status, status);
  });
}

for (const query of ["utf8-header", "nul-value", "long-head", "many-headers"]) {
  test(`A program that answers with ${query} fails, and the next request is answered`, async () => {
    await assert.rejects(app.request("hostile", `/?${query}`), GuestReplyError);
    assert.equal((await app.request("hostile", "/?crlf")).status, 200);
  });
}

test("A program is run by the entrypoint and with the arguments that its trigger names", async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax of argument patterns.
  const argv = "first ${ARGS} last";
  using named = await TestApplication.start({
    guest: { source: "c/wagi", executor: { type: "wagi", argv, entrypoint: "_start" } },
  });
  assert.match((await named.request("guest", "/?x")).body, /arg\[0\]=first\narg\[1\]=x\narg\[2\]=last\n/);
});

test("A program answers the same, and prints as often, wherever its call is replayed", async () => {
  const answers = new Set<string>();
  for (let shiftAt = 0; shiftAt < 40; shiftAt++) {
    using shifting = await TestApplication.start(
      { c: { source: "c/wagi", executor } },
      { engine: { forcesShift: (hostCall) => hostCall === shiftAt } },
    );
    const reply = await shifting.request("c", "/?mode=env", { method: "POST", body: "hello" });
    answers.add(JSON.stringify([reply, shifting.printed.get("c")]));
  }
  assert.equal(answers.size, 1);
});
