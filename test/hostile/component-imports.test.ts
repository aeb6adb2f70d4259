// Every function that a component may import, called as its core module calls it, with numbers that no honest
// guest gives: pointers, lengths, discriminants, handles of things it has, had, or never had.
//
// Whatever it is given, a function returns, or ends the guest; nothing else comes out of the host, and all
// is undone for the next call. The values are the same in every run; a failure names the seed of its round.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { HeldBytes } from "../../src/capabilities/mod.ts";
import { CanonicalError } from "../../src/component/mod.ts";
import { Engine, type GuestMemory, type Instance, Store, TrapError } from "../../src/engine/mod.ts";
import { AllowedHosts } from "../../src/manifest/mod.ts";
import { OutboundHttp, OutboundNetwork } from "../../src/outbound/mod.ts";
import { ApplicationVariables } from "../../src/runtime/mod.ts";
import { serve } from "../executors/servers.ts";
import { Random } from "../fuzz/random.ts";
import { newTemplate, newWasi } from "../isolation/slots.ts";
import { mount } from "../wasi/abi-guest.ts";
import { type Context, createDriver, DRIVER_INSTANCE, type DrivenFunction } from "./component-driver.ts";
import { hostFault } from "./host-fault.ts";
import { LIE, PAGES } from "./import-driver.ts";

const ROUNDS = 1;
/** Functions of one call before the one that the round is about: they make handles, and take them away. */
const CALLS_BEFORE_MAX = 6;
/** Some wait for what never comes. */
const WALL_TIME_MS = 50;
const MEMORY_BYTES = PAGES.min * 65_536;
const FURNISHED = { start: 0x1000, end: 0x4000 } as const;

const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
owned.defer(() => rm(directory, { recursive: true }));
await writeFile(join(directory, "file.txt"), "contents");
const server = owned.use(await serve((_request, response) => void response.end("answer")));

const EDGES = [
  ...[0, 1, 2, 3, 4, 7, 8, 16, 255, 256, 4096, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff],
  ...[-64, -16, -8, -7, -4, -1, 0, 1].map((distance) => MEMORY_BYTES + distance),
];
const WIDE_EDGES = [0n, 1n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const TEXTS = [
  "file.txt",
  "..",
  "/",
  "a\0b",
  "x".repeat(300),
  "\xff\xfe",
  `127.0.0.1:${server.port}`,
  "localhost",
  "/path?query",
  "content-length",
  "connection",
  "GET",
  "",
];
const TEXT_BYTES = 304;
const PIECES = TEXTS.map((text, index) => [FURNISHED.start + index * TEXT_BYTES, text.length] as const);
const LISTS = FURNISHED.start + TEXTS.length * TEXT_BYTES;

class HostileValues {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Fills part of the memory with texts, lists of them, handles and garbage. */
  furnish(memory: GuestMemory): void {
    const random = this.#random;
    for (const [index, [pointer]] of PIECES.entries()) memory.writeLatin1(pointer, TEXTS[index] ?? "");
    for (let at = LISTS; at < FURNISHED.end; at += 8) {
      const [pointer, length] = random.oneIn(3) ? [random.below(9), random.below(9)] : random.pick(PIECES);
      memory.writeU32(at, pointer);
      memory.writeU32(at + 4, random.oneIn(8) ? this.#i32() : length);
    }
    if (random.oneIn(4)) memory.writeU32(LIE, this.#i32());
  }

  argumentsOf({ type: { params } }: DrivenFunction): (number | bigint)[] {
    const random = this.#random;
    const values: (number | bigint)[] = [];
    while (values.length < params.length) {
      const [type, next] = [params[values.length], params[values.length + 1]];
      if (type === "i64") values.push(random.oneIn(3) ? BigInt(random.u32()) : random.pick(WIDE_EDGES));
      else if (type !== "i32") values.push(random.pick([0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300]));
      // The first is most often a handle, the last a place for the result; in between are texts.
      else if (values.length === 0 && !random.oneIn(6)) values.push(random.between(1, 6));
      else if (values.length === params.length - 1 && !random.oneIn(4)) values.push(FURNISHED.end + 64);
      else if (next === "i32" && random.oneIn(2)) values.push(...random.pick(PIECES));
      else values.push(this.#i32());
    }
    return values.slice(0, params.length);
  }

  #i32(): number {
    const random = this.#random;
    if (random.oneIn(6)) return random.u32() | 0;
    if (random.oneIn(2)) return random.below(8);
    return random.oneIn(3) ? random.between(LISTS, FURNISHED.end) & -8 : random.pick(EDGES) | 0;
  }
}

for (const gearing of ["first", "second"] as const) {
  test(`Imports of components with hostile numbers, beginning in ${gearing} gear`, async () => {
    using stack = new DisposableStack();
    const mounted = await mount(stack, directory, { kind: "live", access: "write" });
    const template = newTemplate([mounted]);
    const network = stack.use(new OutboundNetwork({ report() {} }));
    const outbound = new OutboundHttp(network, {
      id: "driver",
      allowedHosts: AllowedHosts.parse([`*://127.0.0.1:${server.port}`]),
    });
    const variables = new ApplicationVariables({ variables: {} }).ofComponent({
      id: "driver",
      variables: {},
    });
    const newContext = (): Context => ({
      componentId: "driver",
      wasi: newWasi(template, { stdin: Buffer.from("input") }),
      outbound,
      variables,
      heldBytes: new HeldBytes(),
      data: undefined,
    });
    const engine = stack.use(new Engine({ gearing }));
    const { pre, functions } = await createDriver(engine, newContext);
    stack.use(pre.pre);

    const run = (
      instance: Instance<Context>,
      { name }: DrivenFunction,
      args: (number | bigint)[],
      seed?: number,
    ) =>
      instance.run<unknown>({
        exportName: name,
        entry: { instance: DRIVER_INSTANCE, name },
        lower({ memory }) {
          if (seed === undefined) return args;
          assert.ok(
            memory.bytes.every((byte) => byte === 0),
            "an earlier call has left something in memory",
          );
          new HostileValues(new Random(seed)).furnish(memory);
          return args;
        },
        lift: (_caller, result) => result,
        exited: () => undefined,
      });

    for (const [index, target] of functions.entries()) {
      const [interfaceName] = target.name.split("#");
      const kin = functions.filter(({ name }) => name.startsWith(`${interfaceName}#`));
      for (let round = 0; round < ROUNDS; round++) {
        const seed = index * 1000 + round;
        const random = new Random(seed);
        const values = new HostileValues(random);
        const calls = [
          ...Array.from({ length: random.below(CALLS_BEFORE_MAX) }, () =>
            random.pick(random.oneIn(3) ? functions : kin),
          ),
          target,
        ];
        const context = newContext();
        const instance = pre.pre.instantiate(new Store(context, { wallTimeMs: WALL_TIME_MS }));
        let where = "";
        try {
          for (const [position, driven] of calls.entries()) {
            const args = values.argumentsOf(driven);
            where = `seed ${seed}: ${driven.name}(${args})`;
            await run(instance, driven, args, position === 0 ? seed : undefined);
          }
        } catch (error) {
          assert.equal(complaint(error), undefined, where);
        } finally {
          instance[Symbol.dispose]();
          context.wasi[Symbol.dispose]();
        }
      }
    }
  });
}

/** What came out of the host that may not. */
function complaint(error: unknown): string | undefined {
  const cause = error instanceof TrapError ? error.cause : error;
  return cause instanceof CanonicalError ? undefined : hostFault(error);
}
