// The versions of wasi:http, and what an interface of it is made of.

import type { ComponentCaller, HostComponentFunction } from "../../engine/mod.ts";
import type { CapabilityContext } from "../capability-context.ts";

/**
 * The texts that guests are built against, as those of WASI: 0.2.12 has what its predecessors have, and
 * the drafts are served to those who name them.
 */
export const Version = {
  OCTOBER: "0.2.0-rc-2023-10-18",
  NOVEMBER: "0.2.0-rc-2023-11-10",
  FINAL: "0.2.12",
} as const;

export type VersionName = (typeof Version)[keyof typeof Version];

export type HttpCaller = ComponentCaller<CapabilityContext>;
export type HttpFunctions = Readonly<Record<string, HostComponentFunction<CapabilityContext>>>;
