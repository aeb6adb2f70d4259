// Does what `spindle bindle` was asked for, and ends early if a signal says so.

import { setTimeout as delay } from "node:timers/promises";

import { Interrupts, type StopSignal } from "../interrupts.ts";
import type { BindleRequest } from "./commands.ts";

/** As shells have it for a process that a signal ended. */
const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** What takes longer to remove than this is left. */
const CLEAN_UP_MS = 2000;

/** Gives the exit code. */
export async function bindle(request: BindleRequest): Promise<number> {
  const interrupts = new Interrupts();
  if (request.kind === "serve") return await serveUntil(interrupts, request);
  const stop = new AbortController();
  const work = act(request, stop.signal);
  const ended = await Promise.race([work, interrupts.first]);
  if (ended === undefined) return 0;
  stop.abort();
  // It removes what it has begun. How it ends is of no interest any more.
  await Promise.race([work.catch(() => undefined), delay(CLEAN_UP_MS, undefined, { ref: false })]);
  return EXIT_CODES[ended];
}

/** A server is meant to be stopped: only Ctrl-C is told to the shell. */
async function serveUntil(
  interrupts: Interrupts,
  { options }: Extract<BindleRequest, { kind: "serve" }>,
): Promise<number> {
  const { serve } = await import("./serve.ts");
  const started = await Promise.race([serve(options), interrupts.first]);
  if (typeof started === "string") return EXIT_CODES[started];
  const signal = await interrupts.first;
  await started.stop();
  return signal === "SIGINT" ? EXIT_CODES.SIGINT : 0;
}

/** Loads only what is needed: a search should not wait for the loader. */
async function act(
  request: Exclude<BindleRequest, { kind: "serve" }>,
  signal: AbortSignal,
): Promise<undefined> {
  switch (request.kind) {
    case "prepare":
      await (await import("./push.ts")).prepare(request.options, { signal });
      return;
    case "push":
      await (await import("./push.ts")).push(request.id, request.options, { signal });
      return;
    case "info":
      await (await import("./look.ts")).info(request.id, request.options, { signal });
      return;
    case "get":
      await (await import("./look.ts")).get(request.id, request.options, { signal });
      return;
    case "search":
      await (await import("./look.ts")).search(request.words, request.options, { signal });
      return;
    case "yank":
      await (await import("./look.ts")).yank(request.id, request.options, { signal });
      return;
    case "login":
      await (await import("./keys.ts")).login(request.options, { signal });
      return;
    case "keys-create":
      await (await import("./keys.ts")).createKey(request.options);
      return;
    case "keys-list":
      await (await import("./keys.ts")).listKeys(request.options);
      return;
    case "keys-export":
      await (await import("./keys.ts")).exportKeys(request.options);
      return;
    case "keys-add":
      await (await import("./keys.ts")).addKeys(request.file, request.options);
      return;
    case "keys-fetch":
      await (await import("./keys.ts")).fetchKeys(request.options, { signal });
      return;
  }
}
