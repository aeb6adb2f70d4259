// The WebAssembly JavaScript API as Node 26 has it, JavaScript Promise Integration included.
// Declared here because the DOM library, which has most of it, would declare a browser as well.

declare namespace WebAssembly {
  type ImportExportKind = "function" | "global" | "memory" | "table" | "tag";

  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: ImportExportKind }[];
    static exports(module: Module): { name: string; kind: ImportExportKind }[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }

  type Exported = ((...args: unknown[]) => unknown) | Global | Memory | Table | Tag;
  type Imports = Record<string, Record<string, unknown>>;

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Record<string, Exported>;
  }

  class Memory {
    constructor(descriptor: {
      initial: number | bigint;
      maximum?: number | bigint;
      shared?: boolean;
      address?: "i32" | "i64";
    });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }

  class Table {
    constructor(descriptor: { element: string; initial: number; maximum?: number }, value?: unknown);
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(count: number, value?: unknown): number;
  }

  class Global {
    constructor(descriptor: { value: string; mutable?: boolean }, value?: unknown);
    value: unknown;
  }

  class Tag {
    constructor(type: { parameters: string[] });
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
  class Exception {
    is(tag: Tag): boolean;
  }

  /** Marks a host function whose promise suspends the guest (JSPI). */
  class Suspending {
    constructor(fn: (...args: never[]) => unknown);
  }
  /** Wraps an export so that it returns a promise and may be suspended (JSPI). */
  function promising(fn: unknown): (...args: unknown[]) => Promise<unknown>;

  function compile(bytes: Uint8Array): Promise<Module>;
  function validate(bytes: Uint8Array): boolean;
}
