// Reads the `[[trigger.http]]` tables of an application.
//
// The manifest has checked them against its schema; what comes from elsewhere is checked here enough
// not to be misunderstood.

import * as v from "valibot";
import { SpindleError } from "../../errors/mod.ts";
import type { Application, Trigger } from "../../manifest/mod.ts";
import type { WholeReply } from "./reply.ts";

export interface HttpTriggerTable {
  readonly id: string;
  readonly componentId: string | undefined;
  /** Absent for a private trigger, which only other components of the application can reach. */
  readonly route: string | undefined;
  /** Present where there is no component. */
  readonly staticReply: WholeReply | undefined;
}

const OPTIONS = v.object({
  route: v.union([v.string(), v.object({ private: v.literal(true) })]),
  static_response: v.optional(
    v.object({
      status_code: v.optional(v.number(), 200),
      headers: v.optional(v.record(v.string(), v.string()), {}),
      body: v.optional(v.string(), ""),
    }),
  ),
});

/** @throws SpindleError HTTP_TRIGGER_INVALID */
export function readHttpTriggers(application: Application): HttpTriggerTable[] {
  return application.triggers.filter((trigger) => trigger.type === "http").map(readTrigger);
}

/** The path that an older manifest puts all routes below; "/" if none does. */
export function routeBase(application: Application): string {
  const base = application.triggerDefaults.http?.base;
  return typeof base === "string" ? base : "/";
}

function readTrigger({ id, componentId, options }: Trigger): HttpTriggerTable {
  const parsed = v.safeParse(OPTIONS, options);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw invalid(id, `${v.getDotPath(issue) ?? "the table"}: ${issue.message}`);
  }
  const { route, static_response } = parsed.output;
  if ((componentId === undefined) === (static_response === undefined)) {
    throw invalid(
      id,
      `it has ${componentId === undefined ? "neither" : "both"} a component and a static response`,
    );
  }
  return {
    id,
    componentId,
    route: typeof route === "string" ? route : undefined,
    staticReply: static_response && {
      status: static_response.status_code,
      headers: Object.entries(static_response.headers).flat(),
      body: Buffer.from(static_response.body),
    },
  };
}

function invalid(id: string, found: string): SpindleError {
  return new SpindleError("HTTP_TRIGGER_INVALID", `Cannot use the HTTP trigger "${id}": ${found}`);
}
