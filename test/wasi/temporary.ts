// Temporary folders of tests, removed when the test is over.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "spindle-wasi-"));

  /** @param files contents by path; a path that ends in "/" is an empty directory */
  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    for (const [path, contents] of Object.entries(files)) {
      const full = join(this.path, path);
      mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
      if (!path.endsWith("/")) writeFileSync(full, contents);
    }
  }

  join(path: string): string {
    return join(this.path, path);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
