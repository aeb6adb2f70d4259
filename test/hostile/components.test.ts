// Components that lie to the canonical ABI and misuse their handles, behind a real listener: each request
// gets what its guest has earned, the log says why, and the next one finds everything as if fresh.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startApplication } from "../../src/testing/mod.ts";
import { RawClient } from "../http/raw-client.ts";
import { eventually } from "../http/serve.ts";

const GUEST = join(import.meta.dirname, "../../guests/c/hostile-wasi-http.wasm");
/** Short, for those that never end. */
const REQUEST_TIME_MS = 800;
/** Before that: a client that sends nothing is let go of. */
const STALL_TIME_MS = 300;
/** What is added to a path to have the harm done in that gear. */
const GEARS = { first: "", second: "?later" } as const;

const OUTCOMES: readonly {
  readonly paths: string;
  /** 200: what follows is cut, or comes to nothing. */
  readonly status: 200 | 500 | 504;
  readonly log?: RegExp;
}[] = [
  { paths: "text-outside", status: 500, log: /string pointer\/length out of bounds of memory/ },
  { paths: "text-utf8", status: 500, log: /invalid utf-8/ },
  { paths: "bytes-outside list-outside", status: 500, log: /list content out-of-bounds/ },
  { paths: "bytes-length list-endless", status: 500, log: /list of \d+ bytes is too long/ },
  { paths: "list-unaligned", status: 500, log: /list pointer is not aligned/ },
  { paths: "result-outside", status: 500, log: /pointer out of bounds of memory/ },
  { paths: "result-unaligned", status: 500, log: /unaligned pointer/ },
  { paths: "variant", status: 500, log: /invalid variant discriminant/ },
  { paths: "drop-twice use-dropped handle-zero handle-last", status: 500, log: /unknown handle index \d+/ },
  { paths: "use-consumed wrong-type drop-outparam", status: 500, log: /used with the wrong type/ },
  { paths: "handles", status: 500, log: /more than 65536 handles/ },
  { paths: "body-twice stream-twice", status: 500, log: /unreachable/ },
  { paths: "set-twice", status: 200, log: /used with the wrong type/ },
  { paths: "write-finished finish-twice", status: 200, log: /unknown handle index \d+/ },
  { paths: "drop-parent realloc-overlap", status: 200 },
  {
    paths: "realloc-outside realloc-straddles realloc-last",
    status: 500,
    log: /realloc return: beyond end of memory/,
  },
  { paths: "realloc-unaligned", status: 500, log: /realloc return: result not aligned/ },
  { paths: "realloc-calls", status: 500, log: /cannot leave component instance/ },
  { paths: "realloc-trap realloc-memory memory", status: 500, log: /unreachable/ },
  // The stack that C code has in its memory ends before that of V8.
  { paths: "realloc-recurse recurse", status: 500, log: /memory access out of bounds/ },
  { paths: "realloc-loop", status: 504, log: /in code that cannot be suspended/ },
  { paths: "loop", status: 504, log: /it took longer than 800 ms/ },
];

const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
owned.defer(() => rm(directory, { recursive: true }));
await writeFile(
  join(directory, "spin.toml"),
  `spin_manifest_version = 2
application = { name = "hostile" }
[[trigger.http]]
route = "/..."
component = "hostile"
[component.hostile]
source = ${JSON.stringify(GUEST)}
`,
);

for (const [gear, query] of Object.entries(GEARS)) {
  const app = owned.use(
    await startApplication({
      from: directory,
      limits: { requestTimeMs: REQUEST_TIME_MS, stallTimeMs: STALL_TIME_MS },
      componentLimits: { memoryBytesMax: 32 * 1024 * 1024 },
    }),
  );
  const { context, trigger, url } = app.served;
  /** Handles and memory, as a guest finds them. */
  const look = async () => await (await app.fetch(`/look${query}`)).text();
  const fresh = await look();

  for (const { paths, status, log } of OUTCOMES) {
    for (const path of paths.split(" ")) {
      test(`/${path} in ${gear} gear is answered with ${status}, the log says why, and the next request finds nothing of it`, async () => {
        const logged = app.log.length;
        const response = await app.fetch(`/${path}${query}`);
        assert.equal(response.status, status);
        const body = await response.text().catch(() => "cut");
        if (status !== 200) assert.equal(body, "", "the client is told no more than the status");
        await eventually(() => assert.equal(trigger.counts.active, 0));
        const messages = app.log.slice(logged).map(({ message }) => message);
        assert.equal(messages.length, log ? 1 : 0);
        if (log) assert.match(messages[0] ?? "", log);
        assert.equal(await look(), fresh);
      });
    }
  }

  test(`A request in ${gear} gear finds nothing of one that is in the middle of its answer`, async () => {
    const { hostname, port } = new URL(url);
    using client = await RawClient.connect({ host: hostname, port: Number(port) });
    client.send(`GET /stall${query} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until("\r\n\r\n");
    assert.equal(await look(), fresh);
    client.socket.destroy();
    await eventually(() => assert.equal(trigger.counts.active, 0));
    assert.equal(await look(), fresh);
  });

  test(`A guest in ${gear} gear that waits for a body which does not come loses its connection, and no more`, async () => {
    const { hostname, port } = new URL(url);
    using client = await RawClient.connect({ host: hostname, port: Number(port) });
    client.send(`POST /read-body${query} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`);
    assert.doesNotMatch(await client.rest(), /^HTTP\/1\.1 200/);
    await eventually(() => assert.equal(trigger.counts.active, 0));
    assert.equal(await look(), fresh);
  });

  test(`After all of this in ${gear} gear nothing is under way, and no slot in use`, async () => {
    await eventually(() => {
      const { connections: _, ...counts } = trigger.counts;
      assert.deepEqual(counts, { active: 0, waiting: 0, heldBodyBytes: 0, timed: 0 });
      const { live, free } = context.slots("hostile");
      assert.equal(live, free);
    });
  });
}
