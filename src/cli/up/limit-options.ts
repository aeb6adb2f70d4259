// The flags that limit what one call, and the server as a whole, may take.

import { type Command, Option } from "commander";
import type { ServeOptions } from "../../host/mod.ts";
import type { ComponentLimits, LimitKey } from "../../manifest/mod.ts";
import type { HttpLimits } from "../../trigger/mod.ts";
import { moreThanZero, parseCount, parseDurationMs, parseLimit, parseSize } from "../values.ts";

/** Absent where the flag is not set. */
export interface LimitOptions {
  readonly requestTimeout?: number;
  readonly maxAfterReplyTime?: number;
  readonly maxCpuTime?: number;
  readonly maxInstanceMemory?: number;
  readonly maxTableElements?: number;
  readonly maxOpenFiles?: number;
  readonly maxOutboundRequests?: number;
  readonly maxOutboundSize?: number;
  readonly maxLogSize?: number;
  readonly maxResponseSize?: number;

  readonly maxTotalMemory?: number;
  readonly maxHeadSize?: number;
  readonly maxBodySize?: number;
  readonly maxConcurrentRequests?: number;
  readonly queueTimeout?: number;
}

/** The limits that a manifest can set too, below `[component.ID.tool.spindle]`, where its word counts. */
const CALL_FLAGS: readonly {
  readonly flags: string;
  readonly key: LimitKey;
  readonly description: string;
  readonly env?: string;
}[] = [
  {
    flags: "--request-timeout <duration>",
    key: "wall_time",
    description: "time from start to end (default: 30s)",
  },
  {
    flags: "--max-after-reply-time <duration>",
    key: "after_reply_time",
    description: "time it works on after its answer (default: 30s)",
  },
  { flags: "--max-cpu-time <duration>", key: "cpu_time", description: "time computing (default: 10s)" },
  {
    flags: "--max-instance-memory <size>",
    key: "memory",
    description: "memory (default: 512MiB)",
    env: "SPIN_MAX_INSTANCE_MEMORY",
  },
  {
    flags: "--max-table-elements <count>",
    key: "table_elements",
    description: "elements of a table (default: 1000000)",
  },
  {
    flags: "--max-open-files <count>",
    key: "open_files",
    description: "files open at once (default: 1024)",
  },
  {
    flags: "--max-outbound-requests <count>",
    key: "outbound_requests",
    description: "requests it sends (default: 1000)",
  },
  {
    flags: "--max-outbound-size <size>",
    key: "outbound_bytes",
    description: "bytes that these send and receive (default: 1GiB)",
  },
  {
    flags: "--max-log-size <size>",
    key: "log_bytes",
    description: "what it prints; the rest is left out (default: 1MiB)",
  },
  {
    flags: "--max-response-size <size>",
    key: "response_bytes",
    description: "body of its answer (default: 128MiB; none if it streams)",
  },
];

export function addLimitOptions(command: Command): void {
  command.optionsGroup("Limits of each call, where the manifest sets none:");
  for (const { flags, key, description, env } of CALL_FLAGS) {
    const option = new Option(flags, description).argParser(parseLimit(key));
    command.addOption(env === undefined ? option : option.env(env));
  }
  command
    .optionsGroup("Limits of the server:")
    .option(
      "--max-total-memory <size>",
      "memory of all instances (default: half of the machine's)",
      moreThanZero(parseSize),
    )
    .option("--max-head-size <size>", "head of a request (default: 64KiB)", moreThanZero(parseSize))
    .option("--max-body-size <size>", "body that has to be buffered (default: 10MiB)", parseSize)
    .option(
      "--max-concurrent-requests <count>",
      "requests that run at once; as many wait (default: 1000)",
      moreThanZero(parseCount),
    )
    .option(
      "--queue-timeout <duration>",
      "time a request may wait for its turn (default: 5s)",
      parseDurationMs,
    );
}

/** What the flags say, for whoever serves the application. */
export function limitsOf(
  options: LimitOptions,
): Pick<ServeOptions, "limits" | "componentLimits" | "totalMemoryBytesMax"> {
  const { maxTotalMemory } = options;
  return {
    limits: serverLimits(options),
    componentLimits: given<ComponentLimits>({
      wallTimeMs: options.requestTimeout,
      afterReplyTimeMs: options.maxAfterReplyTime,
      cpuTimeMs: options.maxCpuTime,
      memoryBytesMax: options.maxInstanceMemory,
      tableElementsMax: options.maxTableElements,
      openFilesMax: options.maxOpenFiles,
      outboundRequestsMax: options.maxOutboundRequests,
      outboundBytesMax: options.maxOutboundSize,
      logBytesMax: options.maxLogSize,
      responseBytesMax: options.maxResponseSize,
    }),
    ...(maxTotalMemory !== undefined && { totalMemoryBytesMax: maxTotalMemory }),
  };
}

function serverLimits(options: LimitOptions): Partial<HttpLimits> {
  return given<HttpLimits>({
    requestTimeMs: options.requestTimeout,
    headBytesMax: options.maxHeadSize,
    bodyBytesMax: options.maxBodySize,
    activeMax: options.maxConcurrentRequests,
    waitingMax: options.maxConcurrentRequests,
    waitTimeMs: options.queueTimeout,
  });
}

/** Without what is not set. */
function given<T extends object>(values: { readonly [K in keyof T]?: T[K] | undefined }): Partial<T> {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  // What is left of the values has their types.
  return Object.fromEntries(set) as Partial<T>;
}
