// An application in the process of a test, on a free port, with its output in memory.
//
//     await using app = await startApplication({ from: "examples/hello" });
//     assert.equal((await app.fetch("/")).status, 200);

import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServedApplication, type ServeOptions } from "../host/mod.ts";
import { createWorkingDirectory, loadApplication } from "../loader/mod.ts";
import type { HttpLogEntry } from "../trigger/mod.ts";

export type StartOptions = Pick<
  ServeOptions,
  "limits" | "componentLimits" | "clock" | "outbound" | "random" | "tls"
> & {
  /** A manifest, a directory with one, or a module. */
  readonly from: string;
  readonly componentIds?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly profile?: string;
  readonly directMounts?: boolean;
  readonly allowTransientWrite?: boolean;
};

/** What a guest prints is kept up to this; a test that wants more wants another means. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

class KeptOutput {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  write(bytes: Uint8Array): void {
    const room = OUTPUT_BYTES_MAX - this.#bytes;
    if (room === 0) return;
    // A guest's memory does not stay as it is.
    const copy = Buffer.from(bytes.subarray(0, room));
    this.#chunks.push(copy);
    this.#bytes += copy.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

export class TestApplication implements AsyncDisposable {
  readonly served: ServedApplication;
  readonly #outputs: ReadonlyMap<string, { readonly stdout: KeptOutput; readonly stderr: KeptOutput }>;
  readonly #log: readonly HttpLogEntry[];
  readonly #owned: AsyncDisposableStack;

  private constructor(parts: {
    readonly served: ServedApplication;
    readonly outputs: ReadonlyMap<string, { readonly stdout: KeptOutput; readonly stderr: KeptOutput }>;
    readonly log: readonly HttpLogEntry[];
    readonly owned: AsyncDisposableStack;
  }) {
    this.served = parts.served;
    this.#outputs = parts.outputs;
    this.#log = parts.log;
    this.#owned = parts.owned;
  }

  /** @throws SpindleError, as `spindle up` would tell it; nothing is left behind then */
  static async start(options: StartOptions): Promise<TestApplication> {
    await using owned = new AsyncDisposableStack();
    const workingDirectory = owned.use(createWorkingDirectory());
    const { application } = await loadApplication({
      directMounts: false,
      allowTransientWrite: false,
      ...options,
      workingDirectory: workingDirectory.path,
      cacheDirectory: join(tmpdir(), "spindle-test-cache"),
      signal: new AbortController().signal,
      progress() {},
    });
    const outputs = new Map<string, { readonly stdout: KeptOutput; readonly stderr: KeptOutput }>();
    const log: HttpLogEntry[] = [];
    const served = owned.use(
      await ServedApplication.start(application, {
        ...options,
        listen: { host: "127.0.0.1", port: 0 },
        log: (entry) => log.push(entry),
        output(componentId) {
          const output = { stdout: new KeptOutput(), stderr: new KeptOutput() };
          outputs.set(componentId, output);
          return output;
        },
      }),
    );
    return new TestApplication({ served, outputs, log, owned: owned.move() });
  }

  /** `http://127.0.0.1:` and a port. */
  get url(): string {
    return this.served.url;
  }

  /** Failed requests and other things that `spindle up` prints for the operator. */
  get log(): readonly HttpLogEntry[] {
    return this.#log;
  }

  /** Sends a request; does not follow redirects, so that a test sees what the application answers. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { redirect: "manual", ...init });
  }

  /** What a component has printed so far, in all its requests. */
  output(componentId: string): { readonly stdout: string; readonly stderr: string } {
    const output = this.#outputs.get(componentId);
    if (!output) throw new Error(`No component "${componentId}" is run`);
    return { stdout: output.stdout.text, stderr: output.stderr.text };
  }

  /** Ends it, and what is in flight. */
  async stop(): Promise<void> {
    await this.#owned.disposeAsync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Loads and serves an application, as `spindle up` does. */
export function startApplication(options: StartOptions): Promise<TestApplication> {
  return TestApplication.start(options);
}
