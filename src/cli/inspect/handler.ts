// Which executor would run a component, in words.

import type { ErrorCode } from "../../errors/mod.ts";
import type { InspectedComponent } from "../../host/mod.ts";
import type { Handler } from "../../runtime/mod.ts";

/** Names of executors are those of docs/executors.md. */
export interface ChosenHandler {
  readonly executor: Handler["kind"];
  readonly export: string;
  /** Whether this version has it. */
  readonly isAvailable: boolean;
}

/** What is wrong with a component of whose handler there is no executor. */
const UNAVAILABLE: readonly ErrorCode[] = ["COMPONENT_HANDLER_MISSING", "COMPONENT_MODEL_UNSUPPORTED"];
const HTTP_KINDS: readonly Handler["kind"][] = ["wasi-http", "inbound-http", "spin-http"];

/**
 * What an event of the component's first trigger would call, or else what it exports for others;
 * `undefined`: it exports nothing that could be called.
 */
export function chosenHandler({
  triggers: [trigger],
  binary: { handlers },
  problems,
}: Pick<InspectedComponent, "triggers" | "binary" | "problems">): ChosenHandler | undefined {
  const kinds = handlerKinds(trigger);
  const found = handlers.find(({ kind }) => kinds.includes(kind)) ?? handlers[0];
  if (!found) return undefined;
  const isAvailable =
    (trigger === undefined || trigger.type === "http") &&
    !problems.some(({ code }) => UNAVAILABLE.includes(code));
  return { executor: found.kind, export: found.export, isAvailable };
}

function handlerKinds(
  trigger: InspectedComponent["triggers"][number] | undefined,
): readonly Handler["kind"][] {
  if (trigger?.type === "redis") return ["redis"];
  const executor = trigger?.options.executor;
  const isWagi =
    typeof executor === "object" && executor !== null && "type" in executor && executor.type === "wagi";
  return isWagi ? ["command"] : HTTP_KINDS;
}

/** `an HTTP handler of wasi:http 0.2.0`. */
export function describeHandler(
  { executor, export: exported }: ChosenHandler,
  { version, isKnown }: InspectedComponent["spinAbi"],
): string {
  const at = exported.indexOf("@");
  const interfaceVersion = at < 0 ? "" : ` ${exported.slice(at + 1)}`;
  switch (executor) {
    case "wasi-http":
      return `HTTP handler of wasi:http${interfaceVersion}`;
    case "inbound-http":
      return "HTTP handler of fermyon:spin/inbound-http";
    case "spin-http": {
      const versions = version.generation === "A" ? "0.1 to 0.3" : "0.4 to 1.5";
      return `HTTP handler of the Spin ABI, as Spin ${versions} has it${isKnown ? "" : " (assumed)"}`;
    }
    case "command":
      return `CGI program: Wagi runs ${at < 0 ? exported : `wasi:cli/run${interfaceVersion}`}`;
    case "redis":
      return `Redis handler, ${exported}`;
  }
}
