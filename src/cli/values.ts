// Reads the values of flags: sizes, durations, counts, `KEY=VALUE`. What they throw becomes a usage error.

import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "commander";
import { type LimitKey, readDurationMs, readLimit, readSize } from "../manifest/mod.ts";

/** `1048576`, `512KiB`, `10MB`. */
export function parseSize(text: string): number {
  return expected(
    readSize(text),
    "a number of bytes, or a size in B, KB, KiB, MB, MiB, GB or GiB, such as 512KiB",
  );
}

/** `30` (seconds, as in Spin), `500ms`, `2m`. */
export function parseDurationMs(text: string): number {
  return expected(
    readDurationMs(text),
    "a number of seconds, or a time in ns, us, ms, s, m or h, such as 500ms",
  );
}

export function parseCount(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

/** The same, but zero would stop everything. */
export function moreThanZero(parse: (text: string) => number): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value > 0) return value;
    throw new InvalidArgumentError("It must be more than 0.");
  };
}

function expected(value: number | undefined, what: string): number {
  if (value === undefined) throw new InvalidArgumentError(`It must be ${what}.`);
  return value;
}

/** The most threads that anybody asks for in earnest. */
const THREADS_MAX = 256;

/** `4`, or `auto` for as many as the machine runs at once. */
export function parseThreads(text: string): number {
  const threads = text === "auto" ? Math.min(availableParallelism(), THREADS_MAX) : Number(text);
  if (Number.isInteger(threads) && threads >= 1 && threads <= THREADS_MAX) return threads;
  throw new InvalidArgumentError(`It must be a number from 1 to ${THREADS_MAX}, or "auto".`);
}

/** A limit that manifests can have too, as they would read it. */
export function parseLimit(key: LimitKey): (text: string) => number {
  return (text) => {
    const limit = readLimit(key, /^[0-9]{1,15}$/.test(text) ? Number(text) : text);
    if (typeof limit === "number") return limit;
    throw new InvalidArgumentError(`${limit.message}.`);
  };
}

/** Adds `KEY=VALUE` to those before it; the last value of a key counts. */
export function addKeyValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be KEY=VALUE.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Adds a value to those before it, for flags that may be repeated. */
export function addValue(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
