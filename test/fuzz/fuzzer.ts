// One case of the fuzzer for each seed: a module or component made at random, or one that was damaged.

import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isComponent } from "../../src/wasm/mod.ts";
import { checkBinary } from "./binary-check.ts";
import { ComponentCheck } from "./component-check.ts";
import { Differential } from "./differential.ts";
import { generateComponent, readComponents } from "./generate-component.ts";
import { generateModule } from "./generate-module.ts";
import { GuestRun } from "./guest-run.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";

const GUESTS = join(import.meta.dirname, "../../guests");
/** Larger guests are of the same kinds, and take long. */
const GUEST_BYTES_MAX = 60_000;

export interface Finding {
  readonly seed: number;
  readonly what: string;
  readonly bytes: Uint8Array;
}

export class Fuzzer implements Disposable {
  readonly #guests: readonly Uint8Array[];
  readonly #differential = new Differential();
  readonly #guestRun = new GuestRun();
  readonly #components: readonly Uint8Array[];
  readonly #componentCheck = new ComponentCheck();

  private constructor(guests: readonly Uint8Array[], components: readonly Uint8Array[]) {
    this.#guests = guests;
    this.#components = components;
  }

  static async create(): Promise<Fuzzer> {
    const paths = (await Array.fromAsync(glob("*/*.wasm", { cwd: GUESTS }))).toSorted();
    const guests = await Promise.all(paths.map((path) => readFile(join(GUESTS, path))));
    const small = guests.filter(({ length }) => length <= GUEST_BYTES_MAX);
    return new Fuzzer(small, await readComponents());
  }

  /** The module or component of a case: every other one is damaged. */
  async bytesOf(seed: number): Promise<Uint8Array> {
    if (seed % 4 === 3) return this.#componentOf(seed);
    if (seed % 2 === 0) return generateModule(seed);
    const random = new Random(seed);
    const base = random.oneIn(2) ? generateModule(seed) : random.pick(this.#guests);
    return mutate(base, random, random.pick(this.#guests));
  }

  async #componentOf(seed: number): Promise<Uint8Array> {
    const random = new Random(seed);
    const base = random.oneIn(3) ? random.pick(this.#components) : await generateComponent(random);
    return random.oneIn(8) ? base : mutate(base, random, random.pick(this.#components));
  }

  /** Runs a case. */
  async run(seed: number): Promise<Finding | undefined> {
    const bytes = await this.bytesOf(seed);
    const what = await this.check(bytes, seed);
    return what === undefined ? undefined : { seed, what, bytes };
  }

  /** What is wrong with how we treat these bytes; undefined if nothing is. */
  async check(bytes: Uint8Array, seed: number): Promise<string | undefined> {
    try {
      if (isComponent(bytes)) return await this.#componentCheck.check(bytes, seed);
      return (
        (await checkBinary(bytes, { run: this.#guestRun, seed })) ??
        (seed % 2 === 0 ? await this.#differential.check(bytes, seed) : undefined)
      );
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }

  [Symbol.dispose](): void {
    this.#differential[Symbol.dispose]();
    this.#guestRun[Symbol.dispose]();
    this.#componentCheck[Symbol.dispose]();
  }
}
