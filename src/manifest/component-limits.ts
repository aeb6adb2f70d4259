// What one call of a component may take: `[component.ID.tool.spindle]` of the manifest, and the flags
// that say what holds for components whose manifest does not.

import { SpindleError } from "../errors/mod.ts";
import type { Component } from "./application.ts";
import { type Mistake, quote } from "./findings.ts";
import { describeSize, readDurationMs, readSize } from "./quantities.ts";

export interface ComponentLimits {
  /** From the start of a call to its end, waits included. */
  readonly wallTimeMs: number;
  /** From the end of an answer to the end of its guest, which may have more to do. */
  readonly afterReplyTimeMs: number;
  /** Time that the guest computes. */
  readonly cpuTimeMs: number;
  /** Of each memory. */
  readonly memoryBytesMax: number;
  /** Of all tables of an instance, as far as they grow. */
  readonly tableElementsMax: number;
  /** Files and directories open at once, besides those that are open from the start. */
  readonly openFilesMax: number;
  readonly outboundRequestsMax: number;
  /** Bodies and headers of outbound requests and of their answers, together. */
  readonly outboundBytesMax: number;
  /** Printed by one call; what comes after is left out. */
  readonly logBytesMax: number;
  /** The body of the answer; undefined for what the executor holds at most, and no end to a stream. */
  readonly responseBytesMax: number | undefined;
  /** Turns and places for one of another component with weight 1. */
  readonly weight: number;
}

interface LimitRule {
  readonly property: keyof ComponentLimits;
  readonly kind: "count" | "duration" | "size";
  /** Bytes, milliseconds, or a count, as all of these; undefined where that is for others to say. */
  readonly default: number | undefined;
  readonly min: number;
  readonly max: number;
  /** Why it cannot be more. */
  readonly because: string;
  readonly description: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const PAGE_BYTES = 64 * KIB;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Beyond, the sum of two is no longer exact. */
const EXACT_MAX = 2 ** 52;

const RULES = {
  wall_time: {
    property: "wallTimeMs",
    kind: "duration",
    default: 30_000,
    min: 1,
    max: 24 * DAY_MS,
    because: "no timer runs longer than 24 days",
    description: "Most time for a call, waits included.",
  },
  after_reply_time: {
    property: "afterReplyTimeMs",
    kind: "duration",
    default: 30_000,
    min: 1,
    max: 24 * DAY_MS,
    because: "no timer runs longer than 24 days",
    description: "Most time that the guest works on after its answer.",
  },
  cpu_time: {
    property: "cpuTimeMs",
    kind: "duration",
    default: 10_000,
    min: 1,
    max: 24 * DAY_MS,
    because: "no call lasts longer than 24 days",
    description: "Most time that the guest computes in a call.",
  },
  memory: {
    property: "memoryBytesMax",
    kind: "size",
    default: 512 * MIB,
    min: PAGE_BYTES,
    max: 4 * GIB,
    because: "a memory has 4 GiB at most",
    description: "Most memory of an instance.",
  },
  table_elements: {
    property: "tableElementsMax",
    kind: "count",
    default: 1_000_000,
    min: 0,
    max: 1_000_000,
    because: "there may be 1,000,000",
    description: "Most elements that the tables of an instance grow to.",
  },
  open_files: {
    property: "openFilesMax",
    kind: "count",
    default: 1024,
    min: 0,
    max: 4096,
    because: "all guests together have 4096",
    description: "Most files and directories that a call has open at once.",
  },
  outbound_requests: {
    property: "outboundRequestsMax",
    kind: "count",
    default: 1000,
    min: 0,
    max: EXACT_MAX,
    because: "numbers end there",
    description: "Most requests that a call sends.",
  },
  outbound_bytes: {
    property: "outboundBytesMax",
    kind: "size",
    default: GIB,
    min: 0,
    max: EXACT_MAX,
    because: "numbers end there",
    description: "Most bytes that a call sends and receives by them.",
  },
  log_bytes: {
    property: "logBytesMax",
    kind: "size",
    default: MIB,
    min: 0,
    max: EXACT_MAX,
    because: "numbers end there",
    description: "Most bytes that a call prints; the rest is left out.",
  },
  response_bytes: {
    property: "responseBytesMax",
    kind: "size",
    default: undefined,
    min: 0,
    max: EXACT_MAX,
    because: "numbers end there",
    description: "Most bytes of the body of an answer, also of one that streams.",
  },
  weight: {
    property: "weight",
    kind: "count",
    default: 1,
    min: 1,
    max: 100,
    because: "more would leave the others nothing",
    description: "Share of the processor, of memory and of places, beside components of weight 1.",
  },
} as const satisfies Record<string, LimitRule>;

/** As the manifest spells them. */
export type LimitKey = keyof typeof RULES;

export function limitRule(key: LimitKey): LimitRule {
  return RULES[key];
}

/** Limits that hold unless somebody says otherwise. */
export const DEFAULT_COMPONENT_LIMITS: ComponentLimits = limitsFrom((rule) => rule.default);

/** The value of a limit, in bytes, milliseconds or as a count: or what is wrong with it. */
export function readLimit(key: LimitKey, value: unknown): number | Mistake {
  const rule = limitRule(key);
  const number = typeof value === "string" ? ofText(rule, value) : ofNumber(rule, value);
  if (number === undefined) {
    const message = `Invalid ${key} ${quote(value)}: expected ${EXPECTED[rule.kind]}`;
    return { code: "MANIFEST_VALUE", message, hint: `Write one such as ${EXAMPLE[rule.kind]}.` };
  }
  if (number < rule.min) return outside(key, value, `it must be at least ${describe(rule, rule.min)}`);
  return number > rule.max ? outside(key, value, rule.because) : number;
}

const EXPECTED = {
  count: "a whole number",
  duration: "a number of seconds, or a time in ns, us, ms, s, m or h",
  size: "a number of bytes, or a size in B, KB, KiB, MB, MiB, GB or GiB",
} as const;

const EXAMPLE = { count: "64", duration: '"500ms" or "10s"', size: '"64KiB" or "128MiB"' } as const;

function ofText({ kind }: LimitRule, text: string): number | undefined {
  if (kind === "count") return undefined;
  return kind === "size" ? readSize(text) : readDurationMs(text);
}

function ofNumber({ kind }: LimitRule, value: unknown): number | undefined {
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  if (kind === "duration") return value * 1000;
  return Number.isInteger(value) ? value : undefined;
}

function outside(key: LimitKey, value: unknown, because: string): Mistake {
  return { code: "MANIFEST_VALUE", message: `Invalid ${key} ${quote(value)}: ${because}` };
}

function describe({ kind }: LimitRule, value: number): string {
  if (kind === "count") return String(value);
  return kind === "size" ? describeSize(value) : `${value} ms`;
}

/**
 * The limits of a component: its own, and `defaults` for the others.
 *
 * @throws SpindleError MANIFEST_VALUE; parseManifest() has told it before, with the place
 */
export function componentLimits(
  { id, tool }: Pick<Component, "id" | "tool">,
  defaults: ComponentLimits,
): ComponentLimits {
  const table = tool.spindle;
  if (typeof table !== "object" || table === null) return defaults;
  const given: Readonly<Record<string, unknown>> = { ...table };
  return limitsFrom((rule, key) => {
    if (!Object.hasOwn(given, key)) return defaults[rule.property];
    const value = readLimit(key, given[key]);
    if (typeof value === "number") return value;
    throw new SpindleError(value.code, `Cannot limit component "${id}": ${value.message}`);
  });
}

function limitsFrom(choose: (rule: LimitRule, key: LimitKey) => number | undefined): ComponentLimits {
  // The keys of RULES are all there are, and name each property once.
  const keys = Object.keys(RULES) as LimitKey[];
  const entries = keys.map((key) => [RULES[key].property, choose(RULES[key], key)]);
  return Object.fromEntries(entries) as unknown as ComponentLimits;
}
