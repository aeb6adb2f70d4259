// Every function that a component may import, called with values of its types that no honest guest gives, and with
// handles of the right kind: what the canonical ABI lets through must not harm the host either.
//
// The values are the same in every run; a failure names the seed of its call.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { BytePipe } from "../../src/bytes/mod.ts";
import {
  HeldBytes,
  IncomingRequest,
  type ReceivedRequest,
  ResponseOutparam,
} from "../../src/capabilities/mod.ts";
import { randomValue, Random as ValueRandom } from "../../src/component/canonical/random-value.ts";
import type { FunctionType, ResourceType, ValueType } from "../../src/component/mod.ts";
import type { ComponentCaller, HostComponentFunction } from "../../src/engine/mod.ts";
import { AllowedHosts } from "../../src/manifest/mod.ts";
import { OutboundHttp, OutboundNetwork } from "../../src/outbound/mod.ts";
import { ApplicationVariables } from "../../src/runtime/mod.ts";
import { serve } from "../executors/servers.ts";
import { Random } from "../fuzz/random.ts";
import { newTemplate, newWasi } from "../isolation/slots.ts";
import { mount } from "../wasi/abi-guest.ts";
import { type Context, hostInterfaces, typesOf } from "./component-driver.ts";
import { hostFault } from "./host-fault.ts";

/** Calls of one guest, and guests. */
const CALLS = 150;
const GUESTS = 60;
/** How long a function may wait before its call is ended, and how long it may take to heed that. */
const WAIT_MS = 2;
const END_MS_MAX = 5_000;

const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
owned.defer(() => rm(directory, { recursive: true }));
await writeFile(join(directory, "file.txt"), "contents");
const server = owned.use(await serve((_request, response) => void response.end("answer")));
const mounted = await mount(owned.use(new DisposableStack()), directory, { kind: "live", access: "write" });
const network = owned.use(new OutboundNetwork({ report() {} }));
const allowedHosts = AllowedHosts.parse([`*://127.0.0.1:${server.port}`]);
const variables = new ApplicationVariables({ variables: {} }).ofComponent({ id: "guest", variables: {} });
const template = newTemplate([mounted]);

const TEXTS = [
  ...["", "file.txt", "new", "..", "/", "../../etc/passwd", "a\0b", "x".repeat(5000), "\r\nx: y", "é🦀"],
  ...[
    "GET",
    "content-length",
    "connection",
    `127.0.0.1:${server.port}`,
    "127.0.0.1:99999",
    "[::1",
    "/?a#b",
    "17",
  ],
];
const WIDE = [0n, 1n, 255n, 4096n, 65_536n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n];

interface Imported {
  readonly name: string;
  readonly type: FunctionType;
  readonly run: HostComponentFunction<Context>;
}

const HOSTS = hostInterfaces();
const IMPORTS: readonly Imported[] = typesOf(HOSTS).flatMap(({ name, functions }, index) =>
  [...functions].flatMap(([field, type]) => {
    const found = HOSTS[index]?.functions[field];
    if (!found) return [];
    return [{ name: `${name}#${field}`, type, run: typeof found === "function" ? found : found.fn }];
  }),
);

function importNamed(name: string): Imported {
  return IMPORTS.find((each) => each.name === name) ?? assert.fail(`there is no ${name}`);
}

/** A guest with all that it was given so far. */
class HostileGuest implements Disposable {
  readonly #random: Random;
  readonly #leaves: ValueRandom;
  readonly #held = new Map<string, object[]>();
  readonly #abort = new AbortController();
  readonly #context: Context;
  readonly #caller: ComponentCaller<Context>;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#leaves = new ValueRandom(seed);
    this.#context = {
      componentId: "guest",
      wasi: newWasi(template, { stdin: Buffer.from("input") }),
      outbound: new OutboundHttp(network, { id: "guest", allowedHosts }),
      variables,
      heldBytes: new HeldBytes(),
      data: undefined,
    };
    this.#caller = {
      data: this.#context,
      shift() {},
      canSuspend: true,
      signal: this.#abort.signal,
      exit(code): never {
        throw new Error(`The guest exits with ${code}`);
      },
    };
  }

  /** What a handler is given, and the answer to a request that it has sent. */
  async begin(): Promise<void> {
    const received: ReceivedRequest = {
      method: "POST",
      target: "/a?b",
      authority: "example.com",
      headers: ["x-name", "é"],
    };
    const http = "wasi:http/types@0.2.12";
    this.#give(`${http}#incoming-request`, new IncomingRequest(received, BytePipe.of(Buffer.from("body"))));
    this.#give(`${http}#response-outparam`, new ResponseOutparam({ receive() {} }));
    const fields = this.#run(`${http}#[constructor]fields`);
    const request = this.#run(`${http}#[constructor]outgoing-request`, fields);
    this.#run(`${http}#[method]outgoing-request.set-scheme`, request, { tag: "HTTP" });
    this.#run(`${http}#[method]outgoing-request.set-authority`, request, `127.0.0.1:${server.port}`);
    // The types of both are those that the interfaces declare.
    const sent = this.#run("wasi:http/outgoing-handler@0.2.12#handle", request, undefined) as { val: object };
    const pollable = this.#run(`${http}#[method]future-incoming-response.subscribe`, sent.val);
    await this.#run("wasi:io/poll@0.2.12#[method]pollable.block", pollable);
    const get = importNamed(`${http}#[method]future-incoming-response.get`);
    this.#keep(get.type.result ?? assert.fail(), this.#run(get.name, sent.val));
  }

  #run(name: string, ...args: readonly unknown[]): unknown {
    return importNamed(name).run(this.#caller, ...(args as never[]));
  }

  #give(key: string, object: object): void {
    this.#held.set(key, [...(this.#held.get(key) ?? []), object]);
  }

  /** Whether the guest has a handle of each kind that the function takes. */
  canCall({ type }: Imported): boolean {
    return type.params.every((param) => this.#canMake(param.type));
  }

  #canMake(type: ValueType): boolean {
    return type.kind === "own" || type.kind === "borrow" ? this.#of(type.resource).length > 0 : true;
  }

  /** Calls a function, ends the call if it waits, and keeps what it gives. Returns whether the call was ended. */
  async call({ type, run }: Imported): Promise<"ended" | "answered"> {
    // The values are of the types that it declares.
    const args = type.params.map((param) => this.#value(param.type)) as never[];
    const answer = run(this.#caller, ...args);
    const ending = setTimeout(() => this.#abort.abort(), WAIT_MS);
    try {
      const late = Symbol();
      const limit = sleep(WAIT_MS + END_MS_MAX, late, { ref: false });
      const result = answer instanceof Promise ? await Promise.race([answer, limit]) : answer;
      assert.notEqual(result, late, "it does not end with its call");
      if (type.result) this.#keep(type.result, result);
    } finally {
      clearTimeout(ending);
    }
    return this.#abort.signal.aborted ? "ended" : "answered";
  }

  #of(resource: ResourceType): object[] {
    const key = resource.kind === "imported" ? `${resource.interface}#${resource.name}` : "";
    const held = this.#held.get(key) ?? [];
    this.#held.set(key, held);
    return held;
  }

  #value(type: ValueType): unknown {
    const random = this.#random;
    switch (type.kind) {
      case "own": {
        const held = this.#of(type.resource);
        return held.splice(random.below(held.length), 1)[0];
      }
      case "borrow":
        return random.pick(this.#of(type.resource));
      case "string":
        return random.pick(TEXTS);
      case "u64":
        return random.oneIn(3) ? BigInt(random.below(100)) : random.pick(WIDE);
      case "u32":
        return random.oneIn(2) ? random.below(100) : random.u32();
      case "list":
        return this.#list(type);
      case "option":
        return random.oneIn(2) && this.#canMake(type.payload)
          ? this.#some(type.payload)
          : this.#none(type.payload);
      case "tuple":
        return type.elements.map((element) => this.#value(element));
      case "variant": {
        const { name, type: payload } = random.pick(type.cases);
        return { tag: name, ...(payload && { val: this.#value(payload) }) };
      }
      case "result": {
        const [tag, payload] =
          random.oneIn(2) || !type.ok || !this.#canMake(type.ok)
            ? (["err", type.error] as const)
            : (["ok", type.ok] as const);
        return { tag, ...(payload && { val: this.#value(payload) }) };
      }
      default:
        return randomValue(this.#leaves, type);
    }
  }

  #some(payload: ValueType): unknown {
    const value = this.#value(payload);
    return payload.kind === "option" ? { tag: "some", val: value } : value;
  }

  #none(payload: ValueType): unknown {
    return payload.kind === "option" ? { tag: "none" } : undefined;
  }

  #list({ element, length }: ValueType & { readonly kind: "list" }): unknown {
    const random = this.#random;
    if (element.kind === "u8") return Buffer.alloc(random.pick([0, 1, 100, 4096, 4097, 70_000]), "é");
    if (!this.#canMake(element)) return [];
    return Array.from({ length: length ?? random.pick([0, 1, 2, 50]) }, () => this.#value(element));
  }

  /** Takes the handles out of a result. */
  #keep(type: ValueType, value: unknown): void {
    if (type.kind === "own") this.#of(type.resource).push(value as object);
    else if (type.kind === "option" && value !== undefined) {
      this.#keep(type.payload, type.payload.kind === "option" ? (value as { val?: unknown }).val : value);
    } else if (type.kind === "result") {
      const { tag, val } = value as { readonly tag: "ok" | "err"; readonly val?: unknown };
      const payload = tag === "ok" ? type.ok : type.error;
      if (payload) this.#keep(payload, val);
    } else if (type.kind === "list" && Array.isArray(value)) {
      for (const each of value) this.#keep(type.element, each);
    } else if (type.kind === "tuple" && Array.isArray(value)) {
      for (const [index, element] of type.elements.entries()) this.#keep(element, value[index]);
    }
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.#context.wasi[Symbol.dispose]();
  }
}

test("Imports of components with hostile values answer, or end the guest, and do not outlive its call", async () => {
  const answered = new Set<string>();
  for (let seed = 0; seed < GUESTS; seed++) {
    using guest = new HostileGuest(seed);
    await guest.begin();
    const random = new Random(seed + GUESTS);
    for (let count = 0; count < CALLS; count++) {
      const callable = IMPORTS.filter((each) => guest.canCall(each));
      // The rarest first: they need handles that others have made.
      const fresh = callable.filter(({ name }) => !answered.has(name));
      const called = random.pick(fresh.length > 0 && random.oneIn(2) ? fresh : callable);
      try {
        const outcome = await guest.call(called);
        answered.add(called.name);
        if (outcome === "ended") break;
      } catch (error) {
        assert.equal(hostFault(error), undefined, `seed ${seed}, call ${count}: ${called.name}`);
      }
    }
  }
  // The others always end the guest, are not there in this version, or want what few guests come to have.
  const share = answered.size / IMPORTS.length;
  assert.ok(share > 0.8, `Only ${answered.size} of ${IMPORTS.length} functions have answered`);
});
