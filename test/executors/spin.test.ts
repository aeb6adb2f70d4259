// Handlers of the Spin ABI, in both generations, from several compilers.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TrapError } from "../../src/engine/mod.ts";
import { SpindleError } from "../../src/errors/mod.ts";
import { GuestReplyError } from "../../src/trigger/http/executors/reply-headers.ts";
import { assembleText } from "../../src/wasm/mod.ts";
import { TestApplication } from "./application.ts";

const directory = await mkdtemp(join(tmpdir(), "spindle-executors-"));
after(() => rm(directory, { recursive: true }));

/** Assembles a guest; the path of its binary. */
async function assemble(name: string, text: string): Promise<string> {
  const file = join(directory, `${name}.wasm`);
  await writeFile(file, await assembleText(text));
  return file;
}

const app = await TestApplication.start({
  hello: { source: join(import.meta.dirname, "../../examples/hello/hello.wasm") },
  a: { source: "c/spin-a" },
  b: { source: "c/spin-b" },
  rust: { source: "rust/spin" },
  go: { source: "go/spin" },
  hostile: { source: "c/hostile" },
  "hostile-a": { source: "c/hostile-a" },
});
after(() => app[Symbol.dispose]());

test("A handler gets method, path and query, all headers in order, and then those of Spin", async () => {
  const headers = ["X-Custom", "v1", "x-custom", "v2", "Connection", "close", "Spin-Path-Info", "forged"];
  const reply = await app.request("b", "/users/4%202/rest?q=1&q=2", {
    method: "OPTIONS",
    headers,
    body: "hello",
    route: "/users/:user_id/...",
    pathInfo: "/rest",
    params: [["user_id", "4%202"]],
  });
  assert.deepEqual(reply.body.split("\n"), [
    "OPTIONS /users/4%202/rest?q=1&q=2",
    "header host: example.com",
    "header x-custom: v1",
    "header x-custom: v2",
    "header connection: close",
    "header spin-path-info: forged",
    "header spin-path-info: /rest",
    "header spin-full-url: http://example.com/users/4%202/rest?q=1&q=2",
    "header spin-matched-route: /users/:user_id/...",
    "header spin-base-path: /",
    "header spin-raw-component-route: /users/:user_id/...",
    "header spin-component-route: /users/:user_id",
    "header spin-client-addr: 127.0.0.1:4711",
    "header spin-path-match-user-id: 4%202",
    "body 5",
    "",
  ]);
});

test("A header that a client forges does not win over the host's", async () => {
  const headers = ["Spin-Path-Info", "/status/418", "spin-path-info", "/status/419"];
  assert.match((await app.request("hello", "/Ada", { headers })).body, /^Hello, Ada!\n/);
  assert.match((await app.request("hello", "/", { headers })).body, /^Hello, world!\n/);
  for (const id of ["a", "b", "hostile", "hostile-a"]) {
    assert.equal((await app.request(id, "/status/201", { headers })).status, 201, id);
  }
});

for (const id of ["a", "b", "rust"]) {
  for (const body of ["", "hello", "é🦀", "x".repeat(300_000)]) {
    test(`The handler ${id} echoes a body of ${Buffer.byteLength(body)} bytes`, async () => {
      const reply = await app.request(id, "/echo", { method: "POST", body });
      assert.equal(reply.status, 200);
      assert.ok(reply.body === body);
    });
  }
}

for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) {
  test(`A handler is told of the method ${method}`, async () => {
    assert.match((await app.request("b", "/", { method })).body, new RegExp(`^${method} `));
  });
}

for (const method of ["TRACE", "CONNECT", "FOO", "get"]) {
  test(`The method ${method} is answered with 405, and the handler is not asked`, async () => {
    const reply = await app.request("hostile", "/unreachable", { method });
    assert.deepEqual(reply, { status: 405, headers: {}, body: "" });
  });
}

for (const id of ["a", "b"]) {
  test(`The handler ${id} may answer with a status alone`, async () => {
    assert.deepEqual(await app.request(id, "/status/404"), { status: 404, headers: {}, body: "" });
  });

  test(`The handler ${id} may answer with a body alone`, async () => {
    assert.deepEqual(await app.request(id, "/bare"), { status: 200, headers: {}, body: "bare\n" });
  });

  test(`The handler ${id} may answer with headers alone, of which the last of a name counts`, async () => {
    const headers = { "x-twice": "two", "x-empty": "" };
    assert.deepEqual(await app.request(id, "/headers"), { status: 204, headers, body: "" });
  });
}

test("A handler in Go gets every header, and answers", async () => {
  const reply = await app.request("go", "/a?b", { body: "hello" });
  assert.equal(reply.headers["x-guest"], "go-spin");
  assert.match(reply.body, /^method=0 uri=\/a\?b|^method 0 \/a\?b/);
});

test("Headers and paths that hold UTF-8 reach a handler as they are; others do not", async () => {
  const utf8 = (text: string) => Buffer.from(text).toString("latin1");
  const { body } = await app.request("b", utf8("/é"), { headers: ["x-a", utf8("🦀")] });
  assert.match(body, /^GET \/é\n/);
  assert.match(body, /header x-a: 🦀\n/);
  await assert.rejects(app.request("b", "/", { headers: ["x-a", "\xff"] }), /not UTF-8/);
  await assert.rejects(app.request("b", "/\xff"), /not UTF-8/);
});

test("A guest of generation A gets its query in params too, once it has shown what it is", async () => {
  using fresh = await TestApplication.start({ a: { source: "c/spin-a" } });
  assert.doesNotMatch((await fresh.request("a", "/?q=1")).body, /param/);
  const { body } = await fresh.request("a", "/?q=a+b%C3%A9&empty");
  assert.match(body, /^GET \/\?q=a\+b%C3%A9&empty\n/);
  assert.match(body, /param q: a bé\nparam empty: \n/);
});

const DECLARED = [
  { guest: "c/spin-a", version: "0.1", shows: /^GET \/p\n(header.*\n)*param q: 1\n/ },
  { guest: "c/spin-a", version: "0.2", shows: /^GET \/p\?q=1\n(header.*\n)*param q: 1\n/ },
  { guest: "c/spin-b", version: "0.4", shows: /^GET \/p\?q=1\n(header.*\n)*param q: 1\n/ },
  { guest: "c/spin-b", version: "0.5", shows: /^GET \/p\?q=1\n(header.*\n)*body 0\n/ },
];
for (const { guest, version, shows } of DECLARED) {
  test(`${guest} gets with spin_abi = "${version}" what Spin ${version} gave, from the first call on`, async () => {
    const tool = { spindle: { spin_abi: version } };
    using declared = await TestApplication.start({ guest: { source: guest, tool } });
    assert.match((await declared.request("guest", "/p?q=1")).body, shows);
  });
}

const LIES = [
  { path: "/area-outside", message: /outside of the guest's memory/ },
  { path: "/area-straddles", message: /outside of the guest's memory/ },
  { path: "/headers-outside", message: /outside of the guest's memory/ },
  { path: "/headers-count", message: /268435456 headers/ },
  { path: "/headers-many", message: /100000 headers/ },
  { path: "/name-outside", message: /outside of the guest's memory/ },
  { path: "/name-utf8", message: /not UTF-8/ },
  { path: "/value-utf8", message: /not UTF-8/ },
  { path: "/body-outside", message: /outside of the guest's memory/ },
  { path: "/body-length", message: /outside of the guest's memory/ },
];
for (const id of ["hostile", "hostile-a"]) {
  for (const { path, message } of LIES) {
    test(`The guest ${id}, which lies with ${path}, fails alone, and the next request is answered`, async () => {
      await assert.rejects(
        app.request(id, path),
        (error) => error instanceof TrapError && error.componentId === id && message.test(error.message),
      );
      assert.equal((await app.request(id, "/status/204")).status, 204);
    });
  }

  for (const path of [
    "/name-space",
    "/value-newline",
    "/status/0",
    "/status/99",
    "/status/150",
    "/status/601",
  ]) {
    test(`The guest ${id}, which answers with ${path}, fails alone, and the next request is answered`, async () => {
      await assert.rejects(app.request(id, path), GuestReplyError);
      assert.equal((await app.request(id, "/status/204")).status, 204);
    });
  }
}

test("A tag that is neither none nor some is refused", async () => {
  await assert.rejects(app.request("hostile", "/tag"), /has 7 as the tag of its headers/);
});

test("The status 600 is sent, as Spin does", async () => {
  assert.equal((await app.request("hostile", "/status/600")).status, 600);
});

for (const path of [
  "/unreachable",
  "/divide",
  "/load",
  "/call-null",
  "/call-type",
  "/exit/0",
  "/exit/3",
  "/abort",
]) {
  test(`A handler that ends with ${path} fails alone, and the next request is answered`, async () => {
    await assert.rejects(app.request("hostile", path), TrapError);
    assert.equal((await app.request("hostile", "/status/204")).status, 204);
  });
}

const ALLOCATOR_LIES = [
  { lie: "null", message: /gave no memory/ },
  { lie: "end", message: /outside of the guest's memory/ },
  { lie: "outside", message: /outside of the guest's memory/ },
  { lie: "trap", message: /unreachable/ },
  { lie: "exit", message: /exited with code 3/ },
];
for (const { lie, message } of ALLOCATOR_LIES) {
  test(`A guest whose allocator does "${lie}" fails with ${message}`, async () => {
    using lying = await TestApplication.start({
      guest: { source: "c/hostile", environment: { REALLOC: lie } },
    });
    for (let i = 0; i < 2; i++) await assert.rejects(lying.request("guest", "/"), message);
  });
}

test("A guest whose allocator never returns is ended", async () => {
  using looping = await TestApplication.start({
    guest: { source: "c/hostile", environment: { REALLOC: "loop" } },
  });
  await assert.rejects(
    looping.request("guest", "/"),
    (error) => error instanceof TrapError && error.reason === "deadline",
  );
});

// What TinyGo made of the SDK before February 2023: the allocator stops at a size of zero, and free at a
// pointer that the allocator did not give, or gave and has back. The handler frees all that it was given.
const TINY_GO = `(module
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))
  ;; Marks of live allocations: one byte for each address of the second page, at its address less 65536.
  (func $free (param $pointer i32)
    (if (i32.lt_u (local.get $pointer) (i32.const 65536)) (then unreachable))
    (if (i32.eqz (i32.load8_u (i32.sub (local.get $pointer) (i32.const 65536)))) (then unreachable))
    (i32.store8 (i32.sub (local.get $pointer) (i32.const 65536)) (i32.const 0)))
  (func (export "canonical_abi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $pointer i32)
    (if (i32.eqz (local.get $size)) (then unreachable))
    (local.set $pointer (global.get $next))
    (global.set $next (i32.add (local.get $pointer) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))
    (i32.store8 (i32.sub (local.get $pointer) (i32.const 65536)) (i32.const 1))
    (local.get $pointer))
  (func $free-pairs (param $list i32) (param $count i32)
    (local $at i32)
    (local.set $at (local.get $list))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (call $free (i32.load (local.get $at)))
      (call $free (i32.load offset=8 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
    (call $free (local.get $list)))
  (func (export "handle-http-request")
    (param i32) (param $uri i32) (param i32) (param $headers i32) (param $header-count i32)
    (param $params i32) (param $param-count i32) (param i32) (param $body i32) (param i32) (result i32)
    (call $free (local.get $uri))
    (call $free-pairs (local.get $headers) (local.get $header-count))
    (call $free-pairs (local.get $params) (local.get $param-count))
    (call $free (local.get $body))
    (i32.store16 (i32.const 60000) (i32.const 204))
    (i32.const 60000)))`;

test("A guest may free each text and list that it was given, the empty ones too", async () => {
  using freeing = await TestApplication.start({ guest: { source: await assemble("tiny-go", TINY_GO) } });
  for (const body of ["", "x"]) {
    const reply = await freeing.request("guest", "/", { headers: ["x-empty", ""], body });
    assert.equal(reply.status, 204);
  }
});

const HANDLER_TYPE = `(param ${"i32 ".repeat(10)}) (result i32)`;
const REALLOC = '(func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)';
const MISFITS = [
  {
    name: "neither handler nor command",
    text: '(module (memory (export "memory") 1) (func (export "run")))',
    message:
      'Component "guest" exports no HTTP handler: expected `handle-http-request`, ' +
      'or `_start` with executor = { type = "wagi" }; it exports `memory`, `run`',
  },
  {
    name: "nothing",
    text: "(module)",
    message:
      'Component "guest" exports no HTTP handler: expected `handle-http-request`, ' +
      'or `_start` with executor = { type = "wagi" }; it exports nothing',
  },
  {
    name: "a command for which the manifest forgot to say so",
    text: '(module (func (export "_start")))',
    message:
      'Component "guest" exports no HTTP handler: expected `handle-http-request`, ' +
      'or `_start` with executor = { type = "wagi" }; it exports `_start`',
    hint: 'Add executor = { type = "wagi" } to its trigger if it is a CGI program.',
  },
  {
    name: "a handler of another type",
    text: '(module (func (export "handle-http-request")))',
    message:
      'Component "guest" exports `handle-http-request` as () -> (), but its executor calls ' +
      "(i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32)",
  },
  {
    name: "no allocator",
    text: `(module (memory (export "memory") 1) (func (export "handle-http-request") ${HANDLER_TYPE} unreachable))`,
    message:
      'Component "guest" exports no function `canonical_abi_realloc`, which the Spin ABI needs; ' +
      "it exports `memory`, `handle-http-request`",
  },
  {
    name: "no memory",
    text: `(module (memory 1) ${REALLOC} (func (export "handle-http-request") ${HANDLER_TYPE} unreachable))`,
    message: 'Component "guest" exports `handle-http-request`, but no `memory` to pass a request in',
  },
  {
    name: "a handler where the manifest says command",
    text: `(module (memory (export "memory") 1) ${REALLOC} (func (export "handle-http-request") ${HANDLER_TYPE} unreachable))`,
    executor: { type: "wagi" },
    message:
      'Component "guest" exports no function `_start`, which executor = { type = "wagi" } runs; ' +
      "it exports `memory`, `canonical_abi_realloc`, `handle-http-request`",
    hint: "Remove `executor` from its trigger: it exports `handle-http-request`.",
  },
  {
    name: "an entrypoint that takes arguments",
    text: '(module (func (export "main") (param i32)))',
    executor: { type: "wagi", entrypoint: "main" },
    message: 'Component "guest" exports `main` as (i32) -> (), but its executor calls () -> ()',
  },
];
for (const { name, text, executor, message, hint } of MISFITS) {
  test(`A module with ${name} is refused at start-up`, async () => {
    const source = await assemble(name.replaceAll(" ", "-"), text);
    await assert.rejects(
      TestApplication.start({ guest: { source, ...(executor && { executor }) } }),
      (error) => {
        assert.ok(error instanceof SpindleError);
        assert.equal(error.code, "COMPONENT_HANDLER_MISSING");
        assert.equal(error.message, message);
        assert.equal(error.diagnostics[0]?.hint, hint);
        return true;
      },
    );
  });
}

test("The mistakes of all triggers are told together", async () => {
  const source = await assemble("misfit", "(module)");
  const guests = { one: { source }, two: { source, executor: { type: "wagl" } } };
  await assert.rejects(
    TestApplication.start(guests),
    (error) => error instanceof SpindleError && error.diagnostics.length === 2,
  );
});

test("A module may export both a handler and _start: the handler is called, and _start never", async () => {
  const text = `(module (memory (export "memory") 1) (func (export "_start") unreachable)
    (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "handle-http-request") ${HANDLER_TYPE} (i32.store16 (i32.const 64) (i32.const 204)) (i32.const 64)))`;
  using both = await TestApplication.start({ guest: { source: await assemble("both", text) } });
  assert.equal((await both.request("guest", "/")).status, 204);
});
