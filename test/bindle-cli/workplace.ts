// `spindle bindle` and `spindle up --bindle` in processes of their own, with caches and keys that are the test's.

import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { type SpindleProcess, Workplace } from "../cli/spindle-process.ts";

const GUESTS = join(import.meta.dirname, "..", "..", "guests");

export const MANIFEST = `spin_manifest_version = 2
[application]
name = "example.com/printer"
version = "1.2.3"

[[trigger.http]]
route = "/spin/..."
component = "spin"

[[trigger.http]]
route = "/files/..."
component = "files"
executor = { type = "wagi" }

[component.spin]
source = "spin-b.wasm"

[component.files]
source = "wagi.wasm"
files = [{ source = "static", destination = "/" }]
`;
export const ID = "example.com/printer/1.2.3";

export class BindleWorkplace implements Disposable {
  readonly #place: Workplace;
  readonly folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  /** An application with files, unless the manifest is another. */
  constructor(manifest: string = MANIFEST) {
    this.#place = new Workplace(manifest, ["c/spin-b", "c/wagi"]);
    this.folder = this.#place.folder;
    this.#place.write("static/hello.txt", "hello");
    this.#place.write("static/empty", "");
    const home = (name: string) => join(this.folder, "..", name);
    this.#environment = {
      XDG_CACHE_HOME: home("cache"),
      XDG_CONFIG_HOME: home("config"),
      XDG_DATA_HOME: home("data"),
    };
  }

  get cache(): string {
    return join(this.folder, "..", "cache", "spindle", "bindle");
  }

  /** Parcels that are kept, by their digests. */
  get parcels(): readonly string[] {
    const folder = join(this.cache, "parcels");
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  get leftovers(): readonly string[] {
    return this.#place.leftovers;
  }

  write(name: string, text: string): void {
    this.#place.write(name, text);
  }

  copyGuest(guest: string, name: string): void {
    mkdirSync(join(this.folder, name, ".."), { recursive: true });
    copyFileSync(join(GUESTS, `${guest}.wasm`), join(this.folder, name));
  }

  /** Runs `spindle`, which ends by itself. */
  async run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
    await using spindle = this.start(args, environment);
    const { code, stdout, stderr } = await spindle.ended();
    return { code, stdout, stderr };
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): SpindleProcess {
    return this.#place.spindle(args, { env: { ...this.#environment, ...environment } });
  }

  async up(args: readonly string[]): Promise<SpindleProcess> {
    return await this.#place.up(args, { env: this.#environment });
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
