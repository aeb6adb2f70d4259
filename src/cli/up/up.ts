// `spindle up`: from the options to a served application, and to its orderly end.

import { didYouMean, formatDiagnostic, SpindleError } from "../../errors/mod.ts";
import {
  blockedNetworks,
  type OutboundOptions,
  ServedApplication,
  type ServeOptions,
} from "../../host/mod.ts";
import { type LoadedApplication, loadApplication } from "../../loader/mod.ts";
import type { Application } from "../../manifest/mod.ts";
import { WholeFiles } from "../../paths/mod.ts";
import { parseListenAddress, renderServing, type Serving } from "../../trigger/mod.ts";
import { exitCodeOf, Interrupts, type StopSignal } from "../interrupts.ts";
import { announceLogDirectory, GuestOutput } from "../output/guest-output.ts";
import { nonBlocking, TerminalWriter } from "../output/terminal-writer.ts";
import { withProgress } from "../progress.ts";
import { cacheDirectoryOf, logDirectoryOf, workingDirectoryOf } from "./directories.ts";
import { limitsOf } from "./limit-options.ts";
import type { UpOptions } from "./options.ts";

/** Who is asked to stop, and does, has done well; not so on Ctrl-C, by which shells know to go no further. */
const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGHUP: 0, SIGINT: 130, SIGTERM: 0 };

/** Serves until a signal comes. The caller exits the process with the exit code that this gives. */
export async function up(options: UpOptions): Promise<number> {
  const interrupts = new Interrupts();
  // A signal while it starts ends it there and then: what is under way ends with the process.
  const started = await Promise.race([start(options), interrupts.first]);
  if (typeof started === "string") return exitCodeOf(started);
  const signal = await interrupts.first;
  await started.stop();
  return EXIT_CODES[signal];
}

async function start(options: UpOptions): Promise<{ stop(): Promise<void> }> {
  const serveOptions = serveOptionsOf(options);
  const terminal = new TerminalWriter(nonBlocking(2, process.stderr));
  process.once("exit", () => terminal.flush());
  const tell = (line: string) => {
    terminal.writeLine(line);
    terminal.flush();
  };

  if (options.build) {
    const { buildApplication } = await import("./build.ts");
    await buildApplication({ ...options, report: tell });
  }
  const loadMs = performance.now();
  const binaries = new WholeFiles();
  const { application, warnings } = await load(options, binaries);
  noteSlowLoad(performance.now() - loadMs, { options, tell });
  for (const warning of warnings) tell(formatDiagnostic(warning));
  const output = openOutput(application, options, { terminal, tell });
  process.once("exit", () => output.flush());

  let preparing = "";
  const served = await withProgress(
    process.stderr,
    () => `Preparing Wasm modules${preparing}`,
    serve(application, options.workers, {
      ...serveOptions,
      binaries,
      output: (componentId) => output.sinksOf(componentId),
      preparing(componentId, { number, count }) {
        preparing = `: ${componentId.slice(0, SHOWN_ID_LENGTH_MAX)}, ${number} of ${count}`;
      },
      // Not passed on at once: there may be many in one turn of the event loop.
      log: ({ severity, message }) => terminal.writeLine(`${severity}: ${message}`),
    }),
  );
  binaries.forget();
  // Not before: the logs are left alone if another process serves here.
  if (options.truncateLogs) output.truncate();
  process.stdout.write(renderServing(served.serving, options.format));
  return {
    async stop() {
      await served.stop();
      output.flush();
      await terminal.close();
    },
  };
}

async function load(options: UpOptions, binaries: WholeFiles): Promise<LoadedApplication> {
  if (options.bindle === undefined) return await loadLocal(options, binaries);
  const { loadFromBindle } = await import("./load-from-bindle.ts");
  return await loadFromBindle(options.bindle, options);
}

/** An id is shown in a line that must not wrap. */
const SHOWN_ID_LENGTH_MAX = 24;
/** Loading that takes longer is mentioned; and where somebody looks for what is slow. */
const SLOW_LOAD_MS = 1_000;
const DEBUG_SLOW_LOAD_MS = 20;

/** Reading, copying and downloading; what making components ready takes, the host says. */
function noteSlowLoad(
  ms: number,
  { options, tell }: { readonly options: UpOptions; readonly tell: (line: string) => void },
): void {
  if (ms < (options.debug ? DEBUG_SLOW_LOAD_MS : SLOW_LOAD_MS)) return;
  tell(`note: It took ${(ms / 1000).toFixed(2)} s to load the components and their files`);
}

interface Served {
  readonly serving: Serving;
  stop(): Promise<void>;
}

/** One thread is this one. */
async function serve(application: Application, threads: number, options: ServeOptions): Promise<Served> {
  if (threads > 1) {
    const { ServingThreads } = await import("../workers/serving-threads.ts");
    return await ServingThreads.start(application, { ...options, threads });
  }
  const served = await ServedApplication.start(application, options);
  return { serving: served.trigger, stop: () => served.stop() };
}

function loadLocal(options: UpOptions, binaries: WholeFiles): Promise<LoadedApplication> {
  const { from, componentId, env, profile, directMounts, allowTransientWrite } = options;
  return withProgress(
    process.stderr,
    "Loading Wasm components",
    loadApplication({
      ...(from !== undefined && { from }),
      ...(componentId !== undefined && { componentIds: componentId }),
      ...(env !== undefined && { environment: env }),
      ...(profile !== undefined && { profile }),
      directMounts: directMounts ?? false,
      allowTransientWrite: allowTransientWrite ?? false,
      workingDirectory: workingDirectoryOf(options),
      cacheDirectory: cacheDirectoryOf(options),
      binaries,
      // Nobody waits for it after a signal: the process exits.
      signal: new AbortController().signal,
      progress() {},
    }),
  );
}

function openOutput(
  application: Application,
  options: UpOptions,
  { terminal, tell }: { readonly terminal: TerminalWriter; readonly tell: (line: string) => void },
): GuestOutput {
  const { follow, quiet, logPrefix } = options;
  if (follow) checkFollowed(application, follow);
  const logDirectory = logDirectoryOf(application, options);
  const output = new GuestOutput(terminal, {
    logDirectory,
    follow: (componentId) => follow?.includes(componentId) ?? !quiet,
    linePrefix: logPrefix ?? false,
    report: (message) => tell(`warning: ${message}`),
  });
  if (logDirectory !== undefined) tell(announceLogDirectory(logDirectory));
  return output;
}

function checkFollowed({ components }: Application, followed: readonly string[]): void {
  const known = components.map(({ id }) => id);
  const unknown = followed.filter((id) => !known.includes(id));
  if (unknown.length === 0) return;
  const list = `The components are: ${known.join(", ")}.`;
  throw SpindleError.collect(
    unknown.map((id) => ({
      code: "FOLLOW_UNKNOWN",
      severity: "error",
      message: `Cannot follow "${id}": the application has no such component`,
      hint: [didYouMean(id, known), list].filter((part) => part !== undefined).join(" "),
    })),
  );
}

/** Reads what is left to read of the flags, before anything is made. */
function serveOptionsOf(options: UpOptions): Omit<ServeOptions, "output" | "log"> {
  const { listen, findFreePort, tlsCert, tlsKey, debug } = options;
  return {
    listen: parseListenAddress(listen),
    environment: variableValues(process.env),
    cacheDirectory: cacheDirectoryOf(options),
    findFreePort: findFreePort ?? false,
    ...(tlsCert !== undefined && tlsKey !== undefined && { tls: { certificate: tlsCert, key: tlsKey } }),
    debug: debug ?? false,
    ...limitsOf(options),
    outbound: outboundOf(options),
  };
}

/** What the environment says of variables; the rest of it is nobody's business. */
function variableValues(environment: NodeJS.ProcessEnv): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith("SPIN_VARIABLE_") && value !== undefined) values[name] = value;
  }
  return values;
}

function outboundOf({ blockNetwork, outboundTimeout }: UpOptions): OutboundOptions {
  // A mistake in them is told at once.
  if (blockNetwork) blockedNetworks(blockNetwork);
  return {
    ...(blockNetwork !== undefined && { blockNetworks: blockNetwork }),
    ...(outboundTimeout !== undefined && { timeoutMs: outboundTimeout }),
  };
}
