// The application that is soaked: guests of all kinds, honest and hostile, with files.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { ServingThreads, type ThreadsOptions } from "../../src/cli/workers/serving-threads.ts";
import { ServedApplication } from "../../src/host/mod.ts";
import { loadApplication } from "../../src/loader/mod.ts";
import type { Application } from "../../src/manifest/mod.ts";

const GUESTS = join(import.meta.dirname, "../../guests");

/** What takes longer gets 504: some guests never end. */
export const REQUEST_TIME_MS = 250;
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
export const LARGE_FILE_BYTES = 1024 * 1024;

interface SoakedComponent {
  /** Below `guests/`, or an absolute path. */
  readonly guest: string;
  /** Below its id by default. */
  readonly routes?: readonly string[];
  /** More of its trigger, and of itself. */
  readonly trigger?: string;
  readonly component?: string;
}

const WAGI = 'executor = { type = "wagi" }';

const COMPONENTS: Readonly<Record<string, SoakedComponent>> = {
  hello: { guest: "c/hello" },
  echo: { guest: "c/spin-b" },
  wagi: { guest: "c/wagi", trigger: WAGI },
  files: { guest: "c/files", component: 'files = [{ source = "files", destination = "/" }]' },
  hostile: { guest: "c/hostile" },
  "hostile-wagi": { guest: "c/hostile-wagi", trigger: WAGI },
  /** A fresh instance for each request. */
  fresh: { guest: "wat/table-set", trigger: WAGI },
  waiting: { guest: "c/outbound", component: 'allowed_outbound_hosts = ["http://self"]' },
  component: { guest: "c/wasi-http-hello" },
  streaming: {
    guest: "c/wasi-http",
    routes: [
      "/after",
      "/bodiless",
      "/flood",
      "/late-echo",
      "/length/:promised/:written",
      "/none",
      "/pieces",
      "/proxy/...",
      "/trap-after",
      "/trap-in",
      "/twice",
      "/unfinished",
      "/wait",
    ],
    component: 'allowed_outbound_hosts = ["http://*.spin.internal", "http://127.0.0.1:*"]',
  },
};

export interface SoakOptions {
  /** Threads that serve; 1 is this one. */
  readonly workers: number;
  /** A component of wasi:http to serve at /guest/ beside the others. */
  readonly guest: string | undefined;
}

/** What only the thread that serves can tell. */
export interface Vitals {
  readonly connections: number;
  readonly slots: number;
  readonly memories: number;
  /** All of it is 0 when nothing is under way. */
  readonly underWay: Readonly<Record<string, number>>;
}

export interface SoakedApplication extends AsyncDisposable {
  readonly url: string;
  /** Failed requests so far. */
  readonly failures: number;
  /** Undefined where other threads serve. */
  vitals(): Vitals | undefined;
}

export async function startSoakedApplication(options: SoakOptions): Promise<SoakedApplication> {
  await using owned = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "spindle-soak-"));
  owned.defer(() => rm(directory, { recursive: true }));
  const components = {
    ...COMPONENTS,
    ...(options.guest !== undefined && { guest: { guest: resolve(options.guest) } }),
  };
  await writeApplication(directory, components);
  let failures = 0;
  const nowhere = { write() {} };
  const { application } = await loadApplication({
    from: directory,
    workingDirectory: join(directory, "working"),
    cacheDirectory: join(directory, "cache"),
    directMounts: false,
    allowTransientWrite: false,
    signal: new AbortController().signal,
    progress() {},
  });
  const { url, vitals } = await serve(application, owned, {
    listen: { host: "127.0.0.1", port: 0 },
    limits: { requestTimeMs: REQUEST_TIME_MS, bodyBytesMax: BODY_BYTES_MAX },
    componentLimits: { memoryBytesMax: 64 * 1024 * 1024 },
    output: () => ({ stdout: nowhere, stderr: nowhere }),
    log: () => void failures++,
    threads: options.workers,
  });
  const stack = owned.move();
  return {
    url,
    vitals,
    get failures() {
      return failures;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function serve(
  application: Application,
  owned: AsyncDisposableStack,
  options: ThreadsOptions,
): Promise<Pick<SoakedApplication, "url" | "vitals">> {
  if (options.threads > 1) {
    const threads = await ServingThreads.start(application, options);
    owned.defer(() => threads.stop());
    return { url: threads.serving.url, vitals: () => undefined };
  }
  const served = owned.use(await ServedApplication.start(application, options));
  return { url: served.url, vitals: () => vitalsOf(served) };
}

function vitalsOf({ application, context, trigger }: ServedApplication): Vitals {
  const { connections, ...underWay } = trigger.counts;
  const pools = application.components.map(({ id }) => ({ id, ...context.slots(id) }));
  const inUse = pools.map(({ id, live, free }) => [`slots of ${id}`, live - free]);
  return {
    connections,
    slots: pools.reduce((sum, { live }) => sum + live, 0),
    memories: context.engine.memories,
    underWay: { ...underWay, ...Object.fromEntries(inUse) },
  };
}

async function writeApplication(
  directory: string,
  components: Readonly<Record<string, SoakedComponent>>,
): Promise<void> {
  await mkdir(join(directory, "files"));
  await mkdir(join(directory, "working"));
  await writeFile(join(directory, "files/small.txt"), "small");
  await writeFile(join(directory, "files/large.bin"), Buffer.alloc(LARGE_FILE_BYTES, "large"));
  const tables = Object.entries(components).map(async ([id, soaked]) => {
    const { guest, routes = [`/${id}/...`], trigger = "", component = "" } = soaked;
    await copyFile(isAbsolute(guest) ? guest : join(GUESTS, `${guest}.wasm`), join(directory, `${id}.wasm`));
    const triggers = routes.map(
      (route) => `[[trigger.http]]\nroute = "${route}"\ncomponent = "${id}"\n${trigger}\n`,
    );
    return `${triggers.join("")}[component.${id}]\nsource = "${id}.wasm"\n${component}\n`;
  });
  const head = 'spin_manifest_version = 2\n[application]\nname = "soak"\n';
  await writeFile(join(directory, "spin.toml"), head + (await Promise.all(tables)).join(""));
}
