// What is wrong with a core module, and where.

/** The bytes are not a WebAssembly module that we, or V8, can take. */
export class MalformedModuleError extends Error {
  override readonly name = "MalformedModuleError";
  /** Distance from the first byte of the module. */
  readonly offset: number;
  readonly reason: string;

  constructor(reason: string, offset: number) {
    super(`Malformed module at byte ${offset}: ${reason}`);
    this.reason = reason;
    this.offset = offset;
  }
}
