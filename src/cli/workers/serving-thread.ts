// One thread that serves the application, as the main thread sees it.

import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { describeError, SpindleError } from "../../errors/mod.ts";
import type { ServeOptions } from "../../host/mod.ts";
import type { FromThread, ThreadOrder, ToThread } from "./messages.ts";
import { OutputGauge } from "./thread-output.ts";

/** How long a thread may take to stop: more than it gives its own requests. */
const STOP_MS_MAX = 12_000;

type Serves = Extract<FromThread, { readonly kind: "serving" }>;

export interface ThreadOutlets extends Pick<ServeOptions, "output" | "log"> {
  /** What the start of another thread has said already is not said again. */
  readonly startIsTold: boolean;
}

export class ServingThread {
  /** Resolves with the reason when the thread has ended. */
  readonly ended: Promise<string>;
  readonly #startedAtMs = performance.now();
  readonly #worker: Worker;
  readonly #outlets: ThreadOutlets;
  readonly #gauge: OutputGauge;
  readonly #serving = Promise.withResolvers<Serves>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #stopped = Promise.withResolvers<void>();
  #tells: boolean;

  /** Returns when the thread serves. Rejects with its SpindleError, or whatever else ended it. */
  static async start(
    order: Omit<ThreadOrder, "outputUnderWay">,
    outlets: ThreadOutlets,
  ): Promise<{ readonly thread: ServingThread; readonly serves: Serves }> {
    const thread = new ServingThread(order, outlets);
    try {
      return { thread, serves: await thread.#serving.promise };
    } catch (error) {
      await thread.terminate();
      throw error;
    }
  }

  private constructor(order: Omit<ThreadOrder, "outputUnderWay">, outlets: ThreadOutlets) {
    this.#outlets = outlets;
    this.#tells = !outlets.startIsTold;
    this.#gauge = new OutputGauge();
    this.ended = this.#ended.promise;
    const workerData: ThreadOrder = { ...order, outputUnderWay: this.#gauge.buffer };
    this.#worker = new Worker(new URL(import.meta.resolve("#serving-thread")), { workerData, execArgv: [] });
    this.#heed();
  }

  get ageMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** Lets its requests finish, takes what it has printed, and ends it. */
  async stop(): Promise<void> {
    this.#worker.postMessage({ kind: "stop" } satisfies ToThread);
    const limit = sleep(STOP_MS_MAX, undefined, { ref: false });
    await Promise.race([this.#stopped.promise, this.ended, limit]);
    await this.terminate();
  }

  /** Ends it as it is. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #heed(): void {
    let failure: unknown;
    this.#worker.on("message", (message: FromThread) => this.#take(message));
    this.#worker.on("error", (error) => {
      failure = error;
    });
    this.#worker.on("exit", (code) => {
      const error = failure ?? new Error(`The thread ended with exit code ${code}`);
      this.#serving.reject(error);
      this.#ended.resolve(describeError(error));
    });
    // Who starts it looks at it; a thread that ends later rejects a promise that has been resolved.
    this.#serving.promise.catch(() => undefined);
  }

  #take(message: FromThread): void {
    switch (message.kind) {
      case "serving":
        this.#tells = true;
        this.#serving.resolve(message);
        break;
      case "refused":
        this.#serving.reject(SpindleError.collect(message.diagnostics));
        break;
      case "log":
        if (this.#tells) this.#outlets.log(message.entry);
        break;
      case "output":
        this.#outlets.output(message.componentId)[message.stream].write(message.bytes);
        this.#gauge.remove(message.bytes.length);
        break;
      case "stopped":
        this.#stopped.resolve();
        break;
    }
  }
}
