// The application that is soaked: guests of all kinds, honest and hostile, with files.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServedApplication } from "../../src/host/mod.ts";
import { loadApplication } from "../../src/loader/mod.ts";

const GUESTS = join(import.meta.dirname, "../../guests");

/** What takes longer gets 504: some guests never end. */
export const REQUEST_TIME_MS = 250;
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
export const LARGE_FILE_BYTES = 1024 * 1024;

interface SoakedComponent {
  readonly guest: string;
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
};

export interface SoakedApplication extends AsyncDisposable {
  readonly served: ServedApplication;
  readonly componentIds: readonly string[];
  /** Failed requests so far. */
  readonly failures: number;
}

export async function startSoakedApplication(): Promise<SoakedApplication> {
  await using owned = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "spindle-soak-"));
  owned.defer(() => rm(directory, { recursive: true }));
  await writeApplication(directory);
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
  const served = owned.use(
    await ServedApplication.start(application, {
      listen: { host: "127.0.0.1", port: 0 },
      limits: { requestTimeMs: REQUEST_TIME_MS, bodyBytesMax: BODY_BYTES_MAX },
      componentLimits: { memoryBytesMax: 64 * 1024 * 1024 },
      output: () => ({ stdout: nowhere, stderr: nowhere }),
      log: () => void failures++,
    }),
  );
  const stack = owned.move();
  return {
    served,
    componentIds: Object.keys(COMPONENTS),
    get failures() {
      return failures;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function writeApplication(directory: string): Promise<void> {
  await mkdir(join(directory, "files"));
  await mkdir(join(directory, "working"));
  await writeFile(join(directory, "files/small.txt"), "small");
  await writeFile(join(directory, "files/large.bin"), Buffer.alloc(LARGE_FILE_BYTES, "large"));
  const tables = Object.entries(COMPONENTS).map(async ([id, { guest, trigger = "", component = "" }]) => {
    await copyFile(join(GUESTS, `${guest}.wasm`), join(directory, `${id}.wasm`));
    return `
[[trigger.http]]
route = "/${id}/..."
component = "${id}"
${trigger}
[component.${id}]
source = "${id}.wasm"
${component}
`;
  });
  const head = 'spin_manifest_version = 2\n[application]\nname = "soak"\n';
  await writeFile(join(directory, "spin.toml"), head + (await Promise.all(tables)).join(""));
}
