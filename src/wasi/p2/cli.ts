// wasi:cli: environment, the end of the program, and the standard streams, which are no terminals.

import type { GearedCaller } from "../sandbox/gears.ts";
import type { StdoutSink } from "../sandbox/sources.ts";
import type { OutputStream } from "../sandbox/streams.ts";
import type { Wasi } from "../wasi.ts";
import { type Result, Version, type VersionName, type WasiInterface } from "./interfaces.ts";

/** Bytes that one write prints. They are passed on, or kept, by the sandbox: there is always room. */
const PRINTED_AT_ONCE_BYTES_MAX = 64 * 1024;

export function cliInterfaces(version: VersionName): WasiInterface[] {
  return [
    {
      wit: `interface wasi:cli/environment@${version} {
        get-environment: func() -> list<tuple<string, string>>;
        get-arguments: func() -> list<string>;
        initial-cwd: func() -> option<string>;
      }`,
      functions: {
        "get-environment": (wasi) => wasi.environment,
        "get-arguments": (wasi) => wasi.args,
        "initial-cwd": () => undefined,
      },
    },
    exitInterface(version),
    {
      wit: `interface wasi:cli/stdin@${version} {
        use wasi:io/streams@${version}.{input-stream};
        get-stdin: func() -> input-stream;
      }`,
      functions: { "get-stdin": (wasi) => wasi.input },
    },
    outputInterface(version, "stdout"),
    outputInterface(version, "stderr"),
    { wit: `interface wasi:cli/terminal-input@${version} { resource terminal-input; }`, functions: {} },
    { wit: `interface wasi:cli/terminal-output@${version} { resource terminal-output; }`, functions: {} },
    terminalInterface(version, { stream: "stdin", resource: "terminal-input" }),
    terminalInterface(version, { stream: "stdout", resource: "terminal-output" }),
    terminalInterface(version, { stream: "stderr", resource: "terminal-output" }),
  ];
}

function exitInterface(version: VersionName): WasiInterface {
  const isFinal = version === Version.FINAL;
  return {
    wit: `interface wasi:cli/exit@${version} {
      exit: func(status: result);
      ${isFinal ? "exit-with-code: func(status-code: u8);" : ""}
    }`,
    functions: {
      exit: (_wasi, caller, status: Result<undefined, undefined>) => caller.exit(status.tag === "ok" ? 0 : 1),
      ...(isFinal && { "exit-with-code": (_wasi, caller, code: number) => caller.exit(code) }),
    },
  };
}

function outputInterface(version: VersionName, name: "stdout" | "stderr"): WasiInterface {
  return {
    wit: `interface wasi:cli/${name}@${version} {
      use wasi:io/streams@${version}.{output-stream};
      get-${name}: func() -> output-stream;
    }`,
    functions: { [`get-${name}`]: (wasi: Wasi) => new Printer(wasi, wasi[name]) },
  };
}

/** A standard stream that is printed to. */
class Printer implements OutputStream {
  readonly #wasi: Wasi;
  readonly #sink: StdoutSink;

  constructor(wasi: Wasi, sink: StdoutSink) {
    this.#wasi = wasi;
    this.#sink = sink;
  }

  room(): number {
    return PRINTED_AT_ONCE_BYTES_MAX;
  }

  write(caller: GearedCaller, bytes: Uint8Array): void {
    this.#wasi.print(caller, this.#sink, bytes);
  }

  flush(): void {}

  isReady(): boolean {
    return true;
  }

  watch(): () => void {
    return () => {};
  }

  [Symbol.dispose](): void {}
}

function terminalInterface(
  version: VersionName,
  { stream, resource }: { readonly stream: string; readonly resource: string },
): WasiInterface {
  return {
    wit: `interface wasi:cli/terminal-${stream}@${version} {
      use wasi:cli/${resource}@${version}.{${resource}};
      get-terminal-${stream}: func() -> option<${resource}>;
    }`,
    functions: { [`get-terminal-${stream}`]: () => undefined },
  };
}
