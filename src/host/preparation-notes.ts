// Says what was slow when an application was made ready, and whether it will be so the next time.

import type { Preparation } from "../runtime/mod.ts";

/** A component that takes longer is mentioned. */
const SLOW_MS = 1_000;
/** The same where somebody looks for what is slow. */
const DEBUG_SLOW_MS = 20;
/** What takes less is not told apart. */
const PART_MS_MIN = 10;

/** A line for each component that took long, and with `debug` for each that took any time. */
export function preparationNotes(
  preparations: readonly Preparation[],
  { debug = false, cacheDirectory }: { readonly debug?: boolean; readonly cacheDirectory?: string },
): readonly string[] {
  const slowMs = debug ? DEBUG_SLOW_MS : SLOW_MS;
  const isKept = cacheDirectory !== undefined;
  return preparations.filter(({ totalMs }) => totalMs >= slowMs).map((each) => describe(each, isKept));
}

/**
 *     Component "api" took 1.9 s to prepare: 1.2 s to rewrite it (kept for the next start), 0.2 s to compile it, 0.5 s to
 *     link it and make its first instance
 */
function describe({ componentId, totalMs, rewriteMs, compileMs }: Preparation, isKept: boolean): string {
  const restMs = totalMs - rewriteMs - compileMs;
  const parts = [
    { ms: rewriteMs, what: `to rewrite it${isKept ? " (kept for the next start)" : ""}` },
    { ms: compileMs, what: "to compile it" },
    { ms: restMs, what: "to link it and make its first instance" },
  ].filter(({ ms }) => ms >= PART_MS_MIN);
  const list = parts.map(({ ms, what }) => `${seconds(ms)} ${what}`).join(", ");
  return `Component "${componentId}" took ${seconds(totalMs)} to prepare${list === "" ? "" : `: ${list}`}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100 ? 2 : 1)} s`;
}
