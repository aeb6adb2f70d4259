// Gives the functions of preview 1 to a linker, under the names of both its generations.

import type { Linker } from "../../engine/mod.ts";
import type { ErrnoValue } from "../sandbox/errno.ts";
import type { Wasi } from "../wasi.ts";
import { descriptorFunctions } from "./descriptor-functions.ts";
import { directoryFunctions } from "./directory-functions.ts";
import { environmentFunctions } from "./environment-functions.ts";
import { errnoOf, type FunctionTable } from "./functions.ts";
import { type Generation, PREVIEW1, UNSTABLE } from "./generation.ts";
import { pathFunctions } from "./path-functions.ts";
import { pollFunctions } from "./poll-functions.ts";
import { systemFunctions } from "./system-functions.ts";
import { transferFunctions } from "./transfer-functions.ts";

/**
 * Defines `wasi_snapshot_preview1` and `wasi_unstable`.
 *
 * @param get finds the state of the present call in the data of the store
 */
export function addWasiP1ToLinker<T>(linker: Linker<T>, get: (data: T) => Wasi): void {
  for (const generation of [PREVIEW1, UNSTABLE]) {
    for (const [name, fn] of Object.entries(functionsOf(generation))) {
      if (fn.waits) {
        linker.suspending(generation.module, name, fn.type, (caller, ...args: never[]) =>
          answer(() => fn.run(get(caller.data), caller, ...args)),
        );
      } else {
        linker.func(generation.module, name, fn.type, (caller, ...args: never[]) => {
          try {
            return fn.run(get(caller.data), caller, ...args);
          } catch (thrown) {
            return errnoOf(thrown);
          }
        });
      }
    }
  }
}

function functionsOf(generation: Generation): FunctionTable {
  return {
    ...environmentFunctions,
    ...systemFunctions,
    ...transferFunctions(generation),
    ...descriptorFunctions(generation),
    ...directoryFunctions,
    ...pathFunctions(generation),
    ...pollFunctions(generation),
  };
}

function answer(run: () => ErrnoValue | Promise<ErrnoValue>): ErrnoValue | Promise<ErrnoValue> {
  try {
    const errno = run();
    return typeof errno === "number" ? errno : errno.catch(errnoOf);
  } catch (thrown) {
    return errnoOf(thrown);
  }
}
