// The Wagi executor: runs a command as a CGI program, once for each request.
//
// The guest gets the request in its environment, arguments and standard input, and answers on standard
// output (docs/executors.md).

import type { Invocation } from "../../../engine/mod.ts";
import type { CallOptions } from "../../../runtime/mod.ts";
import type {
  BufferedHttpExecutor,
  ExecutorLimits,
  HttpReply,
  HttpRequest,
  RouteMatch,
} from "../executor.ts";
import { CapturedOutput } from "./captured-output.ts";
import {
  type ArgumentsTemplate,
  cgiArguments,
  cgiEnvironment,
  type EnvironmentEntry,
  parseArgumentsTemplate,
} from "./cgi-environment.ts";
import { cgiResponse } from "./cgi-response.ts";
import type { ExportedHandler } from "./exported-handler.ts";
import { GuestReplyError, HELD_RESPONSE_BYTES_MAX } from "./reply-headers.ts";
import { type HttpContext, type HttpExecutionContext, run } from "./run.ts";

export interface WagiOptions {
  /** The pattern of the arguments: `${SCRIPT_NAME} ${ARGS}`. */
  readonly argv: string;
  /** What to run: a function of a module that takes and returns nothing, or `wasi:cli/run` of a component. */
  readonly command: string | ExportedHandler;
}

export class WagiHttpExecutor implements BufferedHttpExecutor {
  readonly bodyMode = "buffered";
  readonly limits: ExecutorLimits;
  readonly #context: HttpExecutionContext;
  readonly #componentId: string;
  readonly #program: WagiProgram;

  constructor(context: HttpExecutionContext, componentId: string, options: WagiOptions) {
    const { command } = options;
    const limits = context.limits(componentId);
    this.limits = limits;
    this.#context = context;
    this.#componentId = componentId;
    this.#program = {
      command: typeof command === "string" ? moduleCommand(command) : componentCommand(command),
      arguments: parseArgumentsTemplate(options.argv),
      outputBytesMax: limits.responseBytesMax ?? HELD_RESPONSE_BYTES_MAX,
    };
  }

  execute(request: HttpRequest, match: RouteMatch, body: Uint8Array): HttpReply | Promise<HttpReply> {
    const call = new WagiCall(this.#program, { http: request, match, body });
    return run(this.#context.prepare(this.#componentId, request, call), this.#program.command, (code) =>
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

interface WagiProgram {
  readonly command: Command;
  readonly arguments: ArgumentsTemplate;
  readonly outputBytesMax: number;
}

interface WagiRequest {
  readonly http: HttpRequest;
  readonly match: RouteMatch;
  readonly body: Uint8Array;
}

/** The result is the code that the program exits with. It is the same for all requests. */
type Command = Invocation<HttpContext, number>;

const exited = (_: unknown, code: number): number => code;

function moduleCommand(exportName: string): Command {
  return { exportName, lower: () => [], lift: () => 0, exited };
}

/** Whether `run` returns an error or not does not matter, as in Spin (`crates/trigger-http/src/wagi.rs` at v4.0.2). */
function componentCommand(handler: ExportedHandler): Command {
  return {
    exportName: handler.exportName,
    entry: handler.entry,
    lower: (caller) => handler.lower(caller, []),
    lift(caller, result) {
      handler.lift(caller, result);
      return 0;
    },
    exited,
  };
}

/** What one request gives to the program. What is a getter here is made only for guests that ask for it. */
class WagiCall implements CallOptions {
  readonly stdout: CapturedOutput;
  readonly #program: WagiProgram;
  readonly #request: WagiRequest;

  constructor(program: WagiProgram, request: WagiRequest) {
    this.stdout = new CapturedOutput(program.outputBytesMax);
    this.#program = program;
    this.#request = request;
  }

  get args(): readonly string[] {
    return cgiArguments(this.#program.arguments, this.#request.http);
  }

  get environment(): readonly EnvironmentEntry[] {
    const { http, match, body } = this.#request;
    return cgiEnvironment(http, match, body.length);
  }

  get stdin(): Uint8Array {
    return this.#request.body;
  }

  get signal(): AbortSignal {
    return this.#request.http.signal;
  }
}
