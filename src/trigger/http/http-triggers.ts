// Reads the `[[trigger.http]]` tables of an application.
//
// The manifest has checked them against its schema; what comes from elsewhere is checked here enough
// not to be misunderstood.

import * as v from "valibot";
import { SpindleError } from "../../errors/mod.ts";
import type { Application, Trigger } from "../../manifest/mod.ts";
import { isBodiless, type WholeReply } from "./reply.ts";

export interface HttpTriggerTable {
  readonly id: string;
  readonly componentId: string | undefined;
  /** Absent for a private trigger, which only other components of the application can reach. */
  readonly route: string | undefined;
  /** Present where there is no component. */
  readonly staticReply: WholeReply | undefined;
}

const STATIC_RESPONSE = v.object({
  status_code: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(999)), 200),
  headers: v.optional(v.record(v.string(), v.string()), {}),
  body: v.optional(v.string(), ""),
});

type StaticResponse = v.InferOutput<typeof STATIC_RESPONSE>;

const OPTIONS = v.object({
  route: v.union([v.string(), v.object({ private: v.literal(true) })]),
  static_response: v.optional(STATIC_RESPONSE),
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
    staticReply: static_response && toReply(static_response),
  };
}

/** Leaves out the body where there can be none, and the length that it would have had. */
function toReply({ status_code: status, headers, body }: StaticResponse): WholeReply {
  const stated = Object.entries(headers);
  if (!isBodiless(status)) return { status, headers: stated.flat(), body: Buffer.from(body) };
  const kept = stated.filter(([name]) => name.toLowerCase() !== "content-length");
  return { status, headers: kept.flat(), body: undefined };
}

function invalid(id: string, found: string): SpindleError {
  return new SpindleError("HTTP_TRIGGER_INVALID", `Cannot use the HTTP trigger "${id}": ${found}`);
}
