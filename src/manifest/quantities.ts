// Sizes and durations in words: `512KiB`, `500ms`. Flags and manifests write them alike.

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

/** Bytes of `1048576`, `512KiB`, `10MB`; undefined for what is no size. */
export function readSize(text: string): number | undefined {
  return measure(text, SIZE_UNITS);
}

/** Milliseconds of `30` (seconds, as in Spin), `500ms`, `2m`; undefined for what is no duration. */
export function readDurationMs(text: string): number | undefined {
  return measure(text, DURATION_UNITS_MS);
}

function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = /^([0-9]{1,15})\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const name = unit?.toLowerCase();
  const factor = name !== undefined && Object.hasOwn(units, name) ? units[name] : undefined;
  return digits === undefined || factor === undefined ? undefined : Math.round(Number(digits) * factor);
}

const UNITS: readonly (readonly [bytes: number, unit: string])[] = [
  [1024 ** 3, "GiB"],
  [1024 ** 2, "MiB"],
  [1024, "KiB"],
];

/** `128 MiB`, in the largest unit that leaves a whole number. */
export function describeSize(bytes: number): string {
  const found = UNITS.find(([size]) => bytes >= size && bytes % size === 0);
  return found ? `${bytes / found[0]} ${found[1]}` : `${bytes} bytes`;
}
