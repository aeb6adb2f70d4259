// Guests that lie, loop and die, behind a real listener: each gets its request a 500 or a 504 and the
// operator a line in the log, and nobody else notices.

import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { startApplication } from "../../src/testing/mod.ts";

const GUESTS = join(import.meta.dirname, "../../guests");
/** Short, for those that never end. */
const REQUEST_TIME_MS = 800;

const ALLOCATOR_LIES = ["loop", "null", "end", "outside", "trap", "exit"];

interface HostileComponent {
  readonly id: string;
  readonly guest: string;
  readonly executor?: "wagi";
  readonly environment?: Readonly<Record<string, string>>;
}

const COMPONENTS: readonly HostileComponent[] = [
  { id: "hello", guest: "c/hello" },
  { id: "hostile", guest: "c/hostile" },
  { id: "hostile-a", guest: "c/hostile-a" },
  { id: "hostile-wagi", guest: "c/hostile-wagi", executor: "wagi" },
  ...ALLOCATOR_LIES.map((lie) => ({
    id: `realloc-${lie}`,
    guest: "c/hostile",
    environment: { REALLOC: lie },
  })),
];

function manifest(): string {
  const tables = COMPONENTS.map(
    ({ id, guest, executor, environment = {} }) => `
[[trigger.http]]
route = "/${id}/..."
component = "${id}"
${executor ? `executor = { type = "${executor}" }` : ""}
[component.${id}]
source = "${guest.replace("/", "-")}.wasm"
environment = { ${Object.entries(environment).map(([name, value]) => `${name} = "${value}"`)} }
`,
  );
  return `spin_manifest_version = 2\n[application]\nname = "hostile"\n${tables.join("")}`;
}

const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
owned.defer(() => rm(directory, { recursive: true }));
for (const { guest } of COMPONENTS)
  await copyFile(join(GUESTS, `${guest}.wasm`), join(directory, `${guest.replace("/", "-")}.wasm`));
await writeFile(join(directory, "spin.toml"), manifest());
const app = owned.use(
  await startApplication({
    from: directory,
    limits: { requestTimeMs: REQUEST_TIME_MS },
    componentLimits: { memoryBytesMax: 32 * 1024 * 1024 },
  }),
);
const { context, trigger } = app.served;

/** 500, or 504 where time may be up before the guest has done all its harm. */
type Failure = 500 | 504 | "either";

interface Harm {
  readonly url: string;
  readonly status: Failure;
}

function harms(prefix: string, names: string, status: Failure = 500): Harm[] {
  return names.split(" ").map((name) => ({ url: `/${prefix}${name}`, status }));
}

const LIES =
  "area-outside area-straddles headers-outside headers-count headers-many name-outside name-utf8 name-space " +
  "value-utf8 value-newline body-outside body-length tag status/0 status/99 status/601 status/999 status/70000";
const ENDS = "recurse underrun memory unreachable divide load call-null call-type exit/0 exit/3 abort";

const HARMS: readonly Harm[] = [
  ...["hostile", "hostile-a"].flatMap((id) => [
    ...harms(`${id}/`, LIES),
    ...harms(`${id}/`, ENDS),
    ...harms(`${id}/`, "loop", 504),
  ]),
  ...harms("hostile-wagi/?", "empty utf8-header nul-value trap exit partial"),
  ...harms("hostile-wagi/?", "long-head many-headers endless", "either"),
  ...harms("hostile-wagi/?", "loop", 504),
  ...harms("realloc-", "null/ end/ outside/ trap/ exit/"),
  ...harms("realloc-", "loop/", 504),
];

for (const { url, status } of HARMS) {
  test(`${url} is answered with ${status}, a line in the log, and nothing else`, async () => {
    const logged = app.log.length;
    const response = await app.fetch(url);
    assert.ok(status === "either" ? [500, 504].includes(response.status) : response.status === status);
    assert.equal((await response.arrayBuffer()).byteLength, 0, "the client is told no more than the status");
    const [entry, ...others] = app.log.slice(logged);
    const component = url.split("/")[1];
    assert.ok(entry?.message.startsWith(`Request GET ${url} failed: Component "${component}" `));
    assert.deepEqual(others, []);
    assert.equal((await app.fetch("/hello/")).status, 200);
  });
}

const ODDITIES = [
  { url: "/hostile/body-end", status: 200, because: "no byte is read from where memory ends" },
  { url: "/hostile/status/600", status: 600, because: "Spin lets it pass" },
  { url: "/hostile-wagi/?no-blank-line", status: 500, because: "all of it is body, which has no type" },
  { url: "/hostile-wagi/?no-header", status: 500, because: "it has no type" },
  { url: "/hostile-wagi/?bad-line", status: 200, because: "a line without a colon is left out" },
  { url: "/hostile-wagi/?bad-name", status: 200, because: "a name that is none is left out" },
  { url: "/hostile-wagi/?cr-value", status: 200, because: "carriage returns are left out" },
  { url: "/hostile-wagi/?status-text", status: 502, because: "the status is no number" },
  { url: "/hostile-wagi/?status-70000", status: 502, because: "the status is none" },
  { url: "/hostile-wagi/?closed", status: 200, because: "what was written before is the answer" },
];
for (const { url, status, because } of ODDITIES) {
  test(`${url} is answered with ${status}: ${because}`, async () => {
    assert.equal((await app.fetch(url)).status, status);
    assert.equal((await app.fetch("/hello/")).status, 200);
  });
}

test("Many hostile requests at once are all answered, and a good one among them too", async () => {
  const quick = HARMS.filter(({ status }) => status === 500);
  const answers = await Promise.all(
    quick.map(({ url }) => app.fetch(url).then((response) => response.status)),
  );
  assert.deepEqual(new Set(answers), new Set([500]));
  assert.equal((await app.fetch("/hello/")).status, 200);
});

test("A request whose client leaves is ended, and the guest with it", async () => {
  const abort = new AbortController();
  const leaving = app.fetch("/hostile/loop", { signal: abort.signal });
  while (trigger.counts.active === 0) await nextTurn();
  abort.abort();
  await assert.rejects(leaving, { name: "AbortError" });
  while (trigger.counts.active > 0) await nextTurn();
  assert.equal((await app.fetch("/hello/")).status, 200);
});

test("After all of this nothing is under way: no request, no slot in use, no body, no deadline", async () => {
  while (trigger.counts.active > 0) await nextTurn();
  const { active, waiting, heldBodyBytes, timed } = trigger.counts;
  assert.deepEqual(
    { active, waiting, heldBodyBytes, timed },
    { active: 0, waiting: 0, heldBodyBytes: 0, timed: 0 },
  );
  for (const { id } of COMPONENTS) {
    const { live, free } = context.slots(id);
    assert.equal(live, free, `slots of ${id}`);
  }
  // Two for each slot: the guest's memory, and its card table.
  const slots = COMPONENTS.reduce((sum, { id }) => sum + context.slots(id).live, 0);
  assert.equal(context.engine.memories, 2 * slots);
});
