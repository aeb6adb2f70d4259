// The Wagi executor: runs a command as a CGI program, once for each request.
//
// The guest gets the request in its environment, arguments and standard input, and answers on standard
// output (docs/executors.md).

import type { Invocation, WasmValue } from "../../../engine/mod.ts";
import type { CallOptions } from "../../../runtime/mod.ts";
import type { BufferedHttpExecutor, HttpReply, HttpRequest, RouteMatch } from "../executor.ts";
import { CapturedOutput, OUTPUT_BYTES_MAX } from "./captured-output.ts";
import {
  type ArgumentsTemplate,
  cgiArguments,
  cgiEnvironment,
  type EnvironmentEntry,
  parseArgumentsTemplate,
} from "./cgi-environment.ts";
import { cgiResponse } from "./cgi-response.ts";
import { GuestReplyError } from "./reply-headers.ts";
import { type HttpContext, type HttpExecutionContext, run } from "./run.ts";

export interface WagiOptions {
  /** The pattern of the arguments: `${SCRIPT_NAME} ${ARGS}`. */
  readonly argv: string;
  /** The exported function to run, which takes and returns nothing. */
  readonly entrypoint: string;
  /** Most bytes on standard output. */
  readonly outputBytesMax?: number;
}

export class WagiHttpExecutor implements BufferedHttpExecutor {
  readonly bodyMode = "buffered";
  readonly #context: HttpExecutionContext;
  readonly #componentId: string;
  readonly #entrypoint: string;
  readonly #arguments: ArgumentsTemplate;
  readonly #outputBytesMax: number;

  constructor(context: HttpExecutionContext, componentId: string, options: WagiOptions) {
    this.#context = context;
    this.#componentId = componentId;
    this.#entrypoint = options.entrypoint;
    this.#arguments = parseArgumentsTemplate(options.argv);
    this.#outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  }

  execute(request: HttpRequest, match: RouteMatch, body: Uint8Array): HttpReply | Promise<HttpReply> {
    const call = new WagiCall(this.#entrypoint, request, {
      args: cgiArguments(this.#arguments, request),
      environment: cgiEnvironment(request, match, body.length),
      stdin: body,
      stdout: new CapturedOutput(this.#outputBytesMax),
    });
    return run(this.#context.prepare(this.#componentId, request, call), call, (code) =>
      this.#reply(code, call.stdout.take()),
    );
  }

  #reply(exitCode: number, output: Buffer): HttpReply {
    if (exitCode !== 0) throw new GuestReplyError(this.#componentId, `exited with code ${exitCode}`);
    if (output.length > 0) return cgiResponse(this.#componentId, output);
    throw new GuestReplyError(
      this.#componentId,
      "is run by the Wagi executor and wrote nothing to standard output: check the `executor` of its trigger",
    );
  }
}

/** One request on its way through the guest. The result is the code that it exits with. */
class WagiCall implements Invocation<HttpContext, number>, CallOptions {
  readonly exportName: string;
  readonly args: readonly string[];
  readonly environment: readonly EnvironmentEntry[];
  readonly stdin: Uint8Array;
  readonly stdout: CapturedOutput;
  readonly #http: HttpRequest;

  constructor(
    exportName: string,
    http: HttpRequest,
    io: Pick<WagiCall, "args" | "environment" | "stdin" | "stdout">,
  ) {
    this.exportName = exportName;
    this.#http = http;
    this.args = io.args;
    this.environment = io.environment;
    this.stdin = io.stdin;
    this.stdout = io.stdout;
  }

  /** Made on first use, so it is passed on as late as can be. */
  get signal(): AbortSignal {
    return this.#http.signal;
  }

  lower(): readonly WasmValue[] {
    return [];
  }

  lift(): number {
    return 0;
  }

  exited(_caller: unknown, code: number): number {
    return code;
  }
}
