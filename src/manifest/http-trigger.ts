// The options of an HTTP trigger, checked; for whoever has a Trigger that may not come from a manifest.

import { SpindleError } from "../errors/mod.ts";
import type { Trigger } from "./application.ts";
import { Findings } from "./findings.ts";
import { type HttpTriggerOptions, httpTriggerOptions } from "./schema.ts";
import { readShape } from "./shape.ts";

/** Reads the options of an HTTP trigger; throws one SpindleError with all that is wrong with them. */
export function readHttpTriggerOptions(trigger: Pick<Trigger, "id" | "options">): HttpTriggerOptions {
  const findings = new Findings();
  const options = readShape(httpTriggerOptions, trigger.options, findings);
  if (options && !findings.hasErrors) return options;
  throw SpindleError.collect(
    findings.all.map(({ code, message, hint }) => ({
      code,
      severity: "error",
      message: `${message} (trigger "${trigger.id}")`,
      ...(hint !== undefined && { hint }),
    })),
  );
}
