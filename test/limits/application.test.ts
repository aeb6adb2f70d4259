// Limits that a manifest sets, met by guests that go beyond them.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { startApplication, type TestApplication } from "../../src/testing/mod.ts";
import { eventually } from "../http/serve.ts";

/** A CGI program: a head, then `main`, which may print the letter "x" many times to a descriptor. */
function program(main: string): string {
  return `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 0) "Content-Type: text/plain\\0a\\0a")
    (data (i32.const 100) "file.txt")
    (func $print (param $descriptor i32) (param $at i32) (param $length i32)
      (i32.store (i32.const 200) (local.get $at))
      (i32.store (i32.const 204) (local.get $length))
      (drop (call $write (local.get $descriptor) (i32.const 200) (i32.const 1) (i32.const 208))))
    (func $letters (param $descriptor i32) (param $count i32)
      (memory.fill (i32.const 1000) (i32.const 0x78) (local.get $count))
      (call $print (local.get $descriptor) (i32.const 1000) (local.get $count)))
    (func $digit (param i32)
      (i32.store8 (i32.const 300) (i32.add (i32.const 0x30) (local.get 0)))
      (call $print (i32.const 1) (i32.const 300) (i32.const 1)))
    (func (export "_start") (local $count i32)
      (call $print (i32.const 1) (i32.const 0) (i32.const 26))
      ${main}))`;
}

async function withProgram(
  main: string,
  limits: string,
  check: (app: TestApplication) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "spindle-limits-"));
  try {
    await writeFile(join(directory, "api.wat"), program(main));
    await writeFile(join(directory, "file.txt"), "contents");
    await writeFile(
      join(directory, "spin.toml"),
      `spin_manifest_version = 2
      application = { name = "limits" }
      [[trigger.http]]
      route = "/..."
      component = "api"
      executor = { type = "wagi" }
      [component.api]
      source = "api.wat"
      files = ["file.txt"]
      [component.api.tool.spindle]
      ${limits}`,
    );
    await using app = await startApplication({ from: directory });
    await check(app);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const PRINTS = "(call $letters (i32.const 2) (i32.const 10)) (call $letters (i32.const 2) (i32.const 5))";
const NOTE = "\n[spindle: this call prints more than it may; the rest is left out]\n";
for (const [limit, printed] of [
  [15, "x".repeat(15)],
  [14, "x".repeat(14) + NOTE],
  [3, `xxx${NOTE}`],
  [0, NOTE],
] as const) {
  test(`Of 15 bytes that a call prints, log_bytes = ${limit} lets ${Math.min(15, limit)} through`, async () => {
    await withProgram(PRINTS, `log_bytes = ${limit}`, async (app) => {
      for (let call = 1; call <= 2; call++) {
        assert.equal((await app.fetch("/")).status, 200);
        assert.equal(app.output("api").stderr, printed.repeat(call));
      }
    });
  });
}

const ANSWERS = "(call $letters (i32.const 1) (i32.const 74))";
for (const [limit, status] of [
  [100, 200],
  [99, 500],
] as const) {
  test(`An answer of 100 bytes is a ${status} where response_bytes = ${limit}`, async () => {
    await withProgram(ANSWERS, `response_bytes = ${limit}`, async (app) => {
      const response = await app.fetch("/");
      assert.equal(response.status, status);
      if (status === 200) return;
      assert.equal(await response.text(), "");
      assert.match(app.log.at(-1)?.message ?? "", /more than 99 bytes/);
    });
  });
}

/** Starts the guest of wasi:http, which does as its path says. */
async function withHandler(limits: string, check: (app: TestApplication) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "spindle-limits-"));
  try {
    const source = join(import.meta.dirname, "../../guests/c/wasi-http.wasm");
    await writeFile(
      join(directory, "spin.toml"),
      `spin_manifest_version = 2
      application = { name = "limits" }
      [[trigger.http]]
      route = "/..."
      component = "api"
      [component.api]
      source = ${JSON.stringify(source)}
      [component.api.tool.spindle]
      ${limits}`,
    );
    await using app = await startApplication({ from: directory });
    await check(app);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("An answer that streams is cut off at response_bytes, and the log names the limit", async () => {
  await withHandler("response_bytes = 200_000", async (app) => {
    for (const path of ["/echo", "/late-echo"]) {
      const send = (bytes: number) => app.fetch(path, { method: "POST", body: new Uint8Array(bytes) });
      assert.equal((await (await send(200_000)).arrayBuffer()).byteLength, 200_000);
      await assert.rejects(
        send(200_001).then((response) => response.arrayBuffer()),
        /terminated/,
      );
      assert.match(app.log.at(-1)?.message ?? "", /more than 200000 bytes, its limit "response_bytes"/);
    }
    await assert.rejects((await app.fetch("/flood")).arrayBuffer(), /terminated/);
  });
});

test("An answer that streams has no end where response_bytes is not set", async () => {
  await withHandler("", async (app) => {
    const { body } = await app.fetch("/flood");
    assert.ok(body);
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > 130 * 1024 * 1024) break;
    }
    assert.ok(bytes > 130 * 1024 * 1024);
  });
});

test("An answer of a handler that is over response_bytes before its head is sent is a 500", async () => {
  await withHandler("response_bytes = 18", async (app) => {
    assert.equal((await app.fetch("/hello")).status, 500);
    assert.match(app.log.at(-1)?.message ?? "", /more than 18 bytes, its limit "response_bytes"/);
    assert.equal((await app.fetch("/empty")).status, 200);
  });
});

test("A guest that works on after its answer is ended after after_reply_time", async () => {
  await withHandler('after_reply_time = "50ms"', async (app) => {
    assert.equal(await (await app.fetch("/after-long")).text(), "Hello from Spindle\n");
    await eventually(() =>
      assert.match(app.log.at(-1)?.message ?? "", /it went on for more than 50 ms after its reply/),
    );
    await eventually(() => assert.equal(app.served.trigger.counts.active, 0));
  });
});

/** Opens a file until that fails, and prints how often it did not. */
const OPENS = `(block $failed (loop $again
  (br_if $failed (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 8) (i32.const 0)
    (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 400)))
  (local.set $count (i32.add (local.get $count) (i32.const 1)))
  (br_if $again (i32.lt_u (local.get $count) (i32.const 9)))))
  (call $digit (local.get $count))`;
for (const limit of [0, 1, 5]) {
  test(`A call can have ${limit} files open where open_files = ${limit}`, async () => {
    await withProgram(OPENS, `open_files = ${limit}`, async (app) => {
      for (let call = 1; call <= 2; call++) {
        assert.equal(await (await app.fetch("/")).text(), String(limit));
      }
    });
  });
}

test("A call that computes for longer than cpu_time is a 500, and the log says what was exceeded", async () => {
  await withProgram("(loop (br 0))", 'cpu_time = "20ms"', async (app) => {
    const response = await app.fetch("/");
    assert.deepEqual([response.status, await response.text()], [500, ""]);
    assert.match(app.log.at(-1)?.message ?? "", /was ended \(limit\).*computed for more than 20 ms/);
  });
});

test("A call that takes longer than wall_time is a 504, and the log says what was exceeded", async () => {
  await withProgram("(loop (br 0))", 'wall_time = "20ms"', async (app) => {
    const response = await app.fetch("/");
    assert.deepEqual([response.status, await response.text()], [504, ""]);
    assert.match(app.log.at(-1)?.message ?? "", /longer than 20 ms/);
  });
});

test("A flood of requests that compute without end leaves its share to another component", async () => {
  const directory = await mkdtemp(join(tmpdir(), "spindle-limits-"));
  try {
    await writeFile(join(directory, "busy.wat"), program("(loop (br 0))"));
    await writeFile(join(directory, "quick.wat"), program(""));
    const component = (id: string) => `
      [[trigger.http]]
      route = "/${id}"
      component = "${id}"
      executor = { type = "wagi" }
      [component.${id}]
      source = "${id}.wat"
      [component.${id}.tool.spindle]
      cpu_time = "60s"
      wall_time = "60s"`;
    await writeFile(
      join(directory, "spin.toml"),
      `spin_manifest_version = 2
      application = { name = "flood" }
      ${component("busy")}
      ${component("quick")}`,
    );
    await using app = await startApplication({ from: directory, limits: { activeMax: 60, waitingMax: 100 } });
    const abort = new AbortController();
    let answered = 0;
    const flood = Array.from({ length: 120 }, () =>
      app.fetch("/busy", { signal: abort.signal }).then(
        () => void answered++,
        () => undefined,
      ),
    );
    while (app.served.trigger.counts.active === 0) await nextTurn();
    for (let left = 30; left > 0; left--) assert.equal((await app.fetch("/quick")).status, 200);
    const { active, waiting } = app.served.trigger.counts;
    assert.ok(active > 0 && active + waiting > 60, `${active} active, ${waiting} waiting`);
    assert.equal(answered, 0, "the flood goes on all the while");
    abort.abort();
    await Promise.all(flood);
  } finally {
    await rm(directory, { recursive: true });
  }
});

const GROWS = "(call $digit (i32.ne (memory.grow (i32.const 2)) (i32.const -1)))";
for (const [limit, digit] of [
  ["256KiB", "1"],
  ["255KiB", "0"],
] as const) {
  test(`A memory of 128 KiB ${digit === "1" ? "doubles" : "does not double"} where memory = ${limit}`, async () => {
    await withProgram(GROWS, `memory = "${limit}"`, async (app) => {
      assert.equal(await (await app.fetch("/")).text(), digit);
    });
  });
}

const WANTS_MORE = "(drop (memory.grow (i32.const 2))) unreachable";
for (const { what, limit, told } of [
  { what: "got what it asked for", limit: "256KiB", told: /trapped in `_start`: unreachable$/m },
  {
    what: "was refused more memory",
    limit: "192KiB",
    told: /trapped in `_start`: unreachable; its memory was not let grow beyond 0\.1875 MiB$/m,
  },
]) {
  test(`The log tells of a guest that ${what} and traps: ${told.source}`, async () => {
    await withProgram(WANTS_MORE, `memory = "${limit}"`, async (app) => {
      for (let request = 0; request < 2; request++) assert.equal((await app.fetch("/")).status, 500);
      assert.match(app.log.at(-1)?.message ?? "", told);
    });
  });
}
