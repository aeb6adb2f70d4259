// `up --workers N`: an application served by several threads that listen on one port, and what keeps them going.
//
// The system spreads connections over the listeners. Each thread has an engine and slots of its own; modules are
// compiled by the first, and go to the others. All that is printed is written here, by the main thread.

import { setTimeout as sleep } from "node:timers/promises";
import { MEMORIES_MAX, machineMemoryBytes } from "../../engine/mod.ts";
import { describeError, SpindleError } from "../../errors/mod.ts";
import type { ServeOptions } from "../../host/mod.ts";
import type { Application } from "../../manifest/mod.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits, probe, type Serving } from "../../trigger/mod.ts";
import type { PlainServeOptions } from "./messages.ts";
import { ServingThread } from "./serving-thread.ts";

/** How long after a thread has ended the next is started: twice as long each time that it ends soon again. */
const RESTART_MS = { first: 100, longest: 10_000 } as const;
/** A thread that has lived for so long did not fail at its start. */
const SETTLED_MS = 60_000;
/** Systems whose kernel spreads connections over all sockets that listen on a port. */
const SYSTEMS: readonly NodeJS.Platform[] = ["linux", "freebsd", "sunos", "aix"];

export interface ThreadsOptions extends Omit<ServeOptions, "clock" | "random"> {
  readonly threads: number;
}

type StartThread = () => Promise<ServingThread>;

export class ServingThreads {
  readonly serving: Serving;
  readonly #startThread: StartThread;
  readonly #log: ServeOptions["log"];
  readonly #threads = new Set<ServingThread>();
  readonly #stopping = new AbortController();

  /**
   * Starts all threads; rejects with what the first of them found wrong, and leaves none behind then.
   *
   * @throws SpindleError WORKERS_UNSUPPORTED, or as `ServedApplication.start()`
   */
  static async start(application: Application, options: ThreadsOptions): Promise<ServingThreads> {
    checkSystem();
    // Nobody is told what the threads are making ready: a function cannot be sent. Files are read there again.
    const { threads, log, output, preparing: _preparing, binaries: _binaries, ...rest } = options;
    const plain = shareOf(rest, threads);
    // A port that is in use is found here: those who share it would not see each other.
    const listen =
      plain.listen.port === 0 ? plain.listen : await probe(plain.listen, { ...plain, reusePort: false });
    const outlets = { log, output: remembered(output) };
    const order = { application, options: { ...plain, listen, findFreePort: false } };
    const { thread, serves } = await ServingThread.start(order, { ...outlets, startIsTold: false });
    const { serving, compiledModules } = serves;
    const engine = { ...plain.engine, compiledModules };
    const further = { application, options: { ...order.options, listen: serving.address, engine } };
    const startThread = async () =>
      (await ServingThread.start(further, { ...outlets, startIsTold: true })).thread;
    const all = new ServingThreads({ serving, startThread, log });
    all.#keep(thread);
    await all.#startFurther(threads - 1);
    return all;
  }

  private constructor(parts: {
    readonly serving: Serving;
    readonly startThread: StartThread;
    readonly log: ServeOptions["log"];
  }) {
    this.serving = parts.serving;
    this.#startThread = parts.startThread;
    this.#log = parts.log;
  }

  /** Those that serve at this moment. */
  get threads(): readonly ServingThread[] {
    return [...this.#threads];
  }

  /** Each thread stops listening and lets its requests finish. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.threads.map((thread) => thread.stop()));
  }

  async #startFurther(count: number): Promise<void> {
    const starts = await Promise.allSettled(Array.from({ length: count }, () => this.#startThread()));
    for (const start of starts) if (start.status === "fulfilled") this.#keep(start.value);
    const failed = starts.find((start) => start.status === "rejected");
    if (failed === undefined) return;
    await this.stop();
    throw failed.reason;
  }

  /** Watches over a thread: when it ends before it should, another takes its place. */
  #keep(thread: ServingThread): void {
    this.#threads.add(thread);
    void this.#replaceWhenEnded(thread);
  }

  async #replaceWhenEnded(first: ServingThread): Promise<void> {
    let delayMs: number = RESTART_MS.first;
    for (let thread: ServingThread | undefined = first; thread !== undefined; ) {
      const reason = await thread.ended;
      this.#threads.delete(thread);
      if (this.#stopping.signal.aborted) return;
      this.#tell(reason);
      delayMs = thread.ageMs > SETTLED_MS ? RESTART_MS.first : delayMs;
      thread = await this.#startAfter(delayMs);
      if (thread) this.#threads.add(thread);
      delayMs = Math.min(delayMs * 2, RESTART_MS.longest);
    }
  }

  /** Tries until it succeeds; undefined if all are to stop. */
  async #startAfter(firstDelayMs: number): Promise<ServingThread | undefined> {
    const { signal } = this.#stopping;
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, RESTART_MS.longest)) {
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        const thread = await this.#startThread();
        if (!signal.aborted) return thread;
        await thread.terminate();
        return undefined;
      } catch (error) {
        this.#tell(describeError(error));
      }
    }
  }

  #tell(reason: string): void {
    const message = `A thread of Spindle has ended, another takes its place: ${reason}`;
    this.#log({ severity: "error", message });
  }
}

function checkSystem(): void {
  if (SYSTEMS.includes(process.platform)) return;
  throw new SpindleError(
    "WORKERS_UNSUPPORTED",
    `Cannot serve with several threads: ${process.platform} does not share a port among them`,
    { hint: "Leave out `--workers`, or run several processes behind a proxy." },
  );
}

/** What each of so many threads may use of what the process has. */
function shareOf(options: PlainServeOptions, threads: number): PlainServeOptions {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const share = (total: number) => Math.ceil(total / threads);
  const shared: Partial<HttpLimits> = {
    activeMax: share(limits.activeMax),
    waitingMax: share(limits.waitingMax),
    heldBodyBytesMax: share(limits.heldBodyBytesMax),
    connectionsMax: share(limits.connectionsMax),
  };
  const memoriesMax = Math.floor((options.engine?.memoriesMax ?? MEMORIES_MAX) / threads);
  const totalMemoryBytesMax = Math.floor((options.totalMemoryBytesMax ?? machineMemoryBytes() / 2) / threads);
  return {
    ...options,
    totalMemoryBytesMax,
    reusePort: true,
    limits: { ...options.limits, ...shared },
    engine: { ...options.engine, memoriesMax },
  };
}

/** The outlets of a component are made once, and all threads share them. */
function remembered(output: ServeOptions["output"]): ServeOptions["output"] {
  const made = new Map<string, ReturnType<ServeOptions["output"]>>();
  return (componentId) => {
    const outlets = made.get(componentId) ?? output(componentId);
    made.set(componentId, outlets);
    return outlets;
  };
}
