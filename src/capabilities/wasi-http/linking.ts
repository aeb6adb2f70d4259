// Gives wasi:http to a linker of components, in all its versions.

import type { HostInterface } from "../../engine/mod.ts";
import { ok, type Result } from "../../wasi/mod.ts";
import type { CapabilityContext } from "../capability-context.ts";
import type { FutureIncomingResponse } from "./incoming-response.ts";
import { octoberFunctions } from "./october-functions.ts";
import { handle, timeoutsOf } from "./outgoing-handler.ts";
import type { OutgoingRequest, RequestOptions } from "./outgoing-request.ts";
import { typesFunctions } from "./types-functions.ts";
import { handlerText, OCTOBER_TYPES_TEXT, typesText } from "./types-text.ts";
import { type HttpCaller, type HttpFunctions, Version } from "./versions.ts";

type HttpInterface = HostInterface<CapabilityContext>;

/** What the host has to be told of when a guest lets go of it. */
const resources: NonNullable<HttpInterface["resources"]> = Object.fromEntries(
  [
    "fields",
    "incoming-body",
    "outgoing-body",
    "outgoing-request",
    "outgoing-response",
    "incoming-response",
    "future-incoming-response",
  ].map((name) => [name, { drop: (_: HttpCaller, object: Disposable) => object[Symbol.dispose]() }]),
);

/** Values of fields are the only lists of bytes. */
const ofTypes = { resources, byteLists: "text" } as const;

const handlerFunctions: HttpFunctions = {
  handle: (
    caller: HttpCaller,
    request: OutgoingRequest,
    options: RequestOptions | undefined,
  ): Result<FutureIncomingResponse, never> => ok(handle(caller, request, timeoutsOf(options))),
};

/** `request-options` of the first draft */
type OctoberOptions = Readonly<
  Record<"connectTimeoutMs" | "firstByteTimeoutMs" | "betweenBytesTimeoutMs", number | undefined>
>;

const octoberHandlerFunctions: HttpFunctions = {
  handle(
    caller: HttpCaller,
    request: OutgoingRequest,
    options: OctoberOptions | undefined,
  ): Result<FutureIncomingResponse, never> {
    const { connectTimeoutMs, firstByteTimeoutMs, betweenBytesTimeoutMs } = options ?? {};
    const timeouts = {
      ...(connectTimeoutMs !== undefined && { connectMs: connectTimeoutMs }),
      ...(firstByteTimeoutMs !== undefined && { firstByteMs: firstByteTimeoutMs }),
      ...(betweenBytesTimeoutMs !== undefined && { betweenBytesMs: betweenBytesTimeoutMs }),
    };
    return ok(handle(caller, request, timeouts));
  },
};

/** `wasi:http/types` and `wasi:http/outgoing-handler` in 0.2 and its two drafts. */
export function wasiHttpInterfaces(): HttpInterface[] {
  const { FINAL, NOVEMBER, OCTOBER } = Version;
  return [
    ...([FINAL, NOVEMBER] as const).flatMap((version) => [
      { wit: typesText(version), functions: typesFunctions(version), ...ofTypes },
      { wit: handlerText(version), functions: handlerFunctions },
    ]),
    { wit: OCTOBER_TYPES_TEXT, functions: octoberFunctions, ...ofTypes },
    { wit: handlerText(OCTOBER), functions: octoberHandlerFunctions },
  ];
}
