// Reads the values of flags: sizes, durations, counts, `KEY=VALUE`. What they throw becomes a usage error.

import { InvalidArgumentError } from "commander";

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1000,
  kib: 1024,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
};

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  "": 1000,
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** `1048576`, `512KiB`, `10MB`. */
export function parseSize(text: string): number {
  return measure(text, SIZE_UNITS, "a size, such as 1048576, 512KiB or 10MB");
}

/** `30` (seconds, as in Spin), `500ms`, `2m`. */
export function parseDurationMs(text: string): number {
  return measure(text, DURATION_UNITS_MS, "a duration, such as 30 (seconds), 500ms or 2m");
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

function measure(text: string, units: Readonly<Record<string, number>>, expected: string): number {
  const [, digits, unit] = /^([0-9]{1,15})\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : units[unit.toLowerCase()];
  if (digits === undefined || factor === undefined) throw new InvalidArgumentError(`It must be ${expected}.`);
  return Math.round(Number(digits) * factor);
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
