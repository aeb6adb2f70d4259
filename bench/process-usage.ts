// What a process and all its descendants have used so far, as Linux counts it.

import { readdirSync, readFileSync } from "node:fs";

export interface Usage {
  /** User and system time of all threads, living and dead. */
  readonly cpuMs: number;
  readonly residentMiB: number;
}

/** Linux has counted in hundredths of a second on every architecture that Node runs on. */
const TICK_MS = 10;

/** Adds up the process, its children, theirs, and what ended children have left. */
export function usageOf(pid: number): Usage {
  let cpuMs = 0;
  let residentMiB = 0;
  for (const member of familyOf(pid)) {
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), the first two of which are cut off.
    const times = statFields(member).slice(11, 15);
    cpuMs += TICK_MS * times.reduce((sum, field) => sum + Number(field), 0);
    residentMiB += residentMiBOf(member);
  }
  return { cpuMs, residentMiB };
}

/** The process and all its descendants; parents come before their children. */
export function familyOf(pid: number): readonly number[] {
  const children = childrenByParent();
  const family = [pid];
  // It grows while it is gone through.
  for (const member of family) family.push(...(children.get(member) ?? []));
  return family;
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}

/** The fields behind the command, which may itself contain spaces; none if the process has ended. */
function statFields(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    // A process may end between listing and reading; then it is counted with its parent.
    return [];
  }
}

function residentMiBOf(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib ?? 0) / 1024;
  } catch {
    // As above.
    return 0;
  }
}
