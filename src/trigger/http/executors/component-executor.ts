// Chooses the executor of a component by what it exports.

import { versionTrack } from "../../../component/mod.ts";
import type { ComponentPre } from "../../../engine/mod.ts";
import { SpindleError } from "../../../errors/mod.ts";
import type { HttpExecutor } from "../executor.ts";
import type { ExecutorOptions } from "./executor-options.ts";
import { ExportedHandler } from "./exported-handler.ts";
import { INBOUND_HTTP, InboundHttpExecutor } from "./inbound-http-executor.ts";
import type { HttpContext, HttpExecutionContext } from "./run.ts";
import { WagiHttpExecutor } from "./wagi-http-executor.ts";
import { WasiHttpExecutor } from "./wasi-http-executor.ts";

/** Interfaces of handlers by what of their version has to match. */
const WASI_HTTP: ReadonlySet<string> = new Set([
  "wasi:http/incoming-handler@0.2",
  "wasi:http/incoming-handler@0.2.0-rc-2023-10-18",
  "wasi:http/incoming-handler@0.2.0-rc-2023-11-10",
]);
const COMMAND = "wasi:cli/run@0.2";

const ENTRYPOINT_DEFAULT = "_start";

/** Exports that a message lists. */
const EXPORTS_LISTED_MAX = 20;

interface ComponentParts {
  readonly id: string;
  readonly component: ComponentPre<HttpContext>;
}

/** @throws SpindleError COMPONENT_HANDLER_MISSING if it exports nothing that fits */
export function createComponentExecutor(
  context: HttpExecutionContext,
  parts: ComponentParts,
  options: ExecutorOptions,
): HttpExecutor {
  if (options.type === "http") return httpExecutor(context, parts);
  const command = commandOf(parts, options.entrypoint);
  return new WagiHttpExecutor(context, parts.id, { argv: options.argv, command });
}

function httpExecutor(context: HttpExecutionContext, { id, component }: ComponentParts): HttpExecutor {
  const names = component.plan.exports.map(({ name }) => name);
  const wasi = names.filter((name) => WASI_HTTP.has(versionTrack(name)));
  const inbound = names.filter((name) => name === INBOUND_HTTP[0]);
  const [name, ...others] = [...wasi, ...inbound];
  if (name === undefined) throw missingHandler(id, names);
  if (others.length > 0) {
    throw missing(
      `Component "${id}" exports several HTTP handlers, where one is expected: ${list([name, ...others])}`,
    );
  }
  const path = inbound.length > 0 ? INBOUND_HTTP : [name, "handle"];
  const handler = ExportedHandler.find(component, path);
  if (!handler) throw missing(`Component "${id}" exports \`${name}\` without \`${path[1]}\``);
  if (inbound.length > 0) return new InboundHttpExecutor(context, { id, handler });
  return new WasiHttpExecutor(context, { id, handler });
}

function commandOf({ id, component }: ComponentParts, entrypoint: string): ExportedHandler {
  const names = component.plan.exports.map(({ name }) => name);
  if (entrypoint !== ENTRYPOINT_DEFAULT) {
    throw missing(
      `Component "${id}" has no \`${entrypoint}\` to run: a component runs by \`wasi:cli/run\``,
      "Remove `entrypoint` from the executor of its trigger.",
    );
  }
  const name = names.find((candidate) => versionTrack(candidate) === COMMAND);
  const handler = name === undefined ? undefined : ExportedHandler.find(component, [name, "run"]);
  if (handler) return handler;
  throw missing(
    `Component "${id}" exports no \`wasi:cli/run@0.2\`, which executor = { type = "wagi" } runs; it exports ${list(names)}`,
    names.some((candidate) => WASI_HTTP.has(versionTrack(candidate)))
      ? "Remove `executor` from its trigger: it exports an HTTP handler."
      : undefined,
  );
}

function missingHandler(id: string, names: readonly string[]): SpindleError {
  const message =
    `Component "${id}" exports no HTTP handler: expected \`wasi:http/incoming-handler@0.2\` ` +
    `or \`${INBOUND_HTTP[0]}\`; it exports ${list(names)}`;
  if (names.some((name) => name.startsWith("wasi:http/handler@"))) {
    return missing(message, "Build it for WASI 0.2: this version does not run handlers of WASI 0.3.");
  }
  if (names.some((name) => versionTrack(name) === COMMAND)) {
    return missing(message, 'Add executor = { type = "wagi" } to its trigger if it is a CGI program.');
  }
  return missing(message);
}

function list(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const listed = names.slice(0, EXPORTS_LISTED_MAX).map((name) => `\`${name}\``);
  const rest = names.length - listed.length;
  return listed.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function missing(message: string, hint?: string): SpindleError {
  return new SpindleError("COMPONENT_HANDLER_MISSING", message, hint === undefined ? {} : { hint });
}
