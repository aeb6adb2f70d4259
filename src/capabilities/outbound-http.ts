// `wasi-outbound-http`: outbound requests of the legacy Spin ABI, in both of its generations.

import type { Caller, Linker } from "../engine/mod.ts";
import {
  OutboundError,
  type OutboundFault,
  type OutboundRequest,
  type OutboundResponse,
} from "../outbound/mod.ts";
import type { CapabilityContext } from "./capability-context.ts";
import { readBytes, readPairs } from "./spin-abi/guest-reader.ts";
import { GuestWriter } from "./spin-abi/guest-writer.ts";
import { HTTP_ERROR, type HttpErrorNumber, METHODS } from "./spin-abi/http-types.ts";
import type { SpinAbis } from "./spin-abi/spin-abis.ts";
import type { Generation } from "./spin-abi/version.ts";

type Call = Caller<CapabilityContext>;

/** Defines the import. `abis` knows in which layout each component wants its answers. */
export function addOutboundHttpToLinker<C extends CapabilityContext>(
  linker: Linker<C>,
  abis: SpinAbis,
): void {
  /**
   * Sends a request and waits for the whole answer.
   *
   *     request(method, uri: ptr, length, headers: ptr, count, params: ptr, count,
   *             body: tag, ptr, length, result: ptr)
   *     result -> the layouts at writeResponse() and writeError()
   *
   * Errors are told in the result: destination-not-allowed, invalid-url for what is no HTTP URL,
   * too-many-requests at the limit of the process, else runtime-error. The guest traps if an argument
   * lies outside of its memory or a text is not UTF-8, as with every canonical ABI, and if no component
   * has the id in a URL below `.spin.internal`. `params` is ignored, as Spin does.
   */
  const request = (
    caller: Call,
    method: number,
    uri: number,
    uriLength: number,
    headers: number,
    headerCount: number,
    _params: number,
    _paramCount: number,
    bodyTag: number,
    body: number,
    bodyLength: number,
    result: number,
  ): Promise<void> => {
    caller.shift();
    const { memory, data } = caller;
    const name = METHODS[method];
    if (name === undefined) throw new Error(`The guest sends method ${method}, which the ABI does not have`);
    const outgoing = {
      method: name,
      url: memory.readText(uri, uriLength),
      headers: readPairs(memory, headers, headerCount >>> 0),
      body: bodyTag === 0 ? new Uint8Array() : readBytes(memory, body, bodyLength),
    };
    const { generation } = abis.of(data.componentId).version;
    return send(caller, outgoing, { pointer: result, generation });
  };
  linker.suspending(
    "wasi-outbound-http",
    "request",
    "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 ->",
    request,
  );
}

interface Result {
  readonly pointer: number;
  readonly generation: Generation;
}

async function send(caller: Call, request: OutboundRequest, result: Result): Promise<void> {
  const { signal, data } = caller;
  try {
    const response = await data.outbound.send(request, { call: data.data, signal });
    writeResponse(caller, response, result);
  } catch (error) {
    // A call that has ended has no use for an answer.
    if (!(error instanceof OutboundError) || signal.aborted) throw error;
    writeError(caller, errorNumber(error.fault), result);
  }
}

/**
 *     A -> tag i32 @0 = 0, status i32 @8, headers tag i32 @16, ptr @24, count @32, body tag i32 @40, ptr @48, length @56
 *     B -> tag u8  @0 = 0, status u16 @4, headers tag u8  @8,  ptr @12, count @16, body tag u8  @20, ptr @24, length @28
 *
 * What B has in less than a word is followed by padding, so whole words are right for both.
 */
function writeResponse(caller: Call, response: OutboundResponse, result: Result): void {
  const writer = new GuestWriter(caller);
  const headers = visibleHeaders(response.headers);
  const list = writer.pairs(headers);
  const body = writer.bytes(response.body);
  const words = [0, response.status, 1, list, headers.length / 2, 1, body, response.body.length];
  const stride = result.generation === "A" ? 8 : 4;
  words.forEach((word, index) => {
    caller.memory.writeU32(result.pointer + index * stride, word);
  });
}

/**
 *     A -> tag i32 @0 = 1, error i32 @8
 *     B -> tag u8  @0 = 1, error u8  @4
 *
 * Both are written: neither is in the way of the other.
 */
function writeError(caller: Call, error: HttpErrorNumber, { pointer }: Result): void {
  caller.memory.writeU32(pointer, 1);
  caller.memory.writeU32(pointer + 4, error);
  caller.memory.writeU32(pointer + 8, error);
}

/** Leaves out values that are not printable ASCII, as Spin does: the guest's texts are UTF-8. */
export function visibleHeaders(headers: readonly string[]): readonly string[] {
  // Names are at even places, and each value follows its name.
  return headers.filter((_, at) => /^[\t\x20-\x7e]*$/.test(headers[at | 1] as string));
}

function errorNumber(fault: OutboundFault): HttpErrorNumber {
  switch (fault) {
    case "destination-not-allowed":
      return HTTP_ERROR.DESTINATION_NOT_ALLOWED;
    case "invalid-url":
      return HTTP_ERROR.INVALID_URL;
    case "too-many-requests":
      return HTTP_ERROR.TOO_MANY_REQUESTS;
    case "destination-blocked":
    case "invalid-request":
    case "too-many-redirects":
    case "connect-timeout":
    case "read-timeout":
    case "name-unknown":
    case "connection-refused":
    case "tls":
    case "connection":
    case "response-too-large":
      return HTTP_ERROR.RUNTIME_ERROR;
  }
}
