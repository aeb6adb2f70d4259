// What the supervisor and a serving thread say to each other. All of it can be cloned.

import type { CompiledModules } from "../../engine/mod.ts";
import type { Diagnostic } from "../../errors/mod.ts";
import type { ServeOptions } from "../../host/mod.ts";
import type { Application } from "../../manifest/mod.ts";
import type { HttpLogEntry, Serving } from "../../trigger/mod.ts";

/** What of the options is plain data; the rest stays in the main thread. */
export type PlainServeOptions = Omit<
  ServeOptions,
  "output" | "log" | "preparing" | "binaries" | "clock" | "random"
>;

/** What a thread is started with. */
export interface ThreadOrder {
  readonly application: Application;
  readonly options: PlainServeOptions;
  /** One word: bytes of output that the supervisor has not written yet. */
  readonly outputUnderWay: SharedArrayBuffer;
}

export interface PrintedOutput {
  readonly kind: "output";
  readonly componentId: string;
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type FromThread =
  | { readonly kind: "serving"; readonly serving: Serving; readonly compiledModules: CompiledModules }
  /** Mistakes of the operator; whatever else is wrong ends the thread. */
  | { readonly kind: "refused"; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "log"; readonly entry: HttpLogEntry }
  | PrintedOutput
  | { readonly kind: "stopped" };

export type ToThread = { readonly kind: "stop" };
