// Asks V8 whether a module is valid, and repeats its reason with the offset if not.

import { MalformedModuleError } from "./malformed-module-error.ts";

/** @throws MalformedModuleError */
export function checkValid(bytes: Uint8Array): void {
  if (WebAssembly.validate(bytes)) return;
  let message = "invalid";
  try {
    new WebAssembly.Module(bytes);
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
  }
  // "WebAssembly.Module(): Compiling function #0 failed: ... @+34"
  const [, reason, offset] = /^(?:WebAssembly\.Module\(\): )?(.*?)(?: @\+(\d+))?$/s.exec(message) ?? [];
  throw new MalformedModuleError(reason ?? message, Number(offset ?? 0));
}
