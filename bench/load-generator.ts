// The process that makes the load, as its parent sees it.

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { LoadOrder, LoadResult } from "./load.ts";

export class LoadGenerator implements Disposable {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, "load.ts"));

  /** Puts load on a server, and waits until it is over. */
  run(order: LoadOrder): Promise<LoadResult> {
    const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
    const failed = () => reject(new Error("The load generator has ended"));
    this.#process.once("exit", failed);
    this.#process.once("message", (result) => {
      this.#process.off("exit", failed);
      // load.ts sends nothing else.
      resolve(result as LoadResult);
    });
    this.#process.send(order);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}
