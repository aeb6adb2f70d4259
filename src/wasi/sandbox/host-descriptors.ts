// Descriptors of the host that guests make us hold, counted, so that they leave some for everybody else.

import { closeSync, openSync } from "node:fs";

import { failure } from "./errno.ts";

/** In this thread, over all calls. Below what systems allow a process, which also needs its sockets. */
const DESCRIPTORS_MAX = 4096;

let held = 0;

/** Fails with NFILE if guests hold too many. Whoever calls it has called requireStack(). */
export function openHost(path: string, flags: number, mode?: number): number {
  if (held >= DESCRIPTORS_MAX) throw failure("NFILE");
  const descriptor = openSync(path, flags, mode);
  held++;
  return descriptor;
}

export function closeHost(descriptor: number): void {
  closeSync(descriptor);
  held--;
}
