// Tells what keeps a component from starting, in the words of its manifest.

import { CompositionError, MalformedComponentError, UnsupportedComponentError } from "../component/mod.ts";
import {
  ComponentLinkError,
  LinkError,
  type Linker,
  MemoryLimitError,
  TableLimitError,
  TypesExhaustedError,
} from "../engine/mod.ts";
import { type ErrorCode, SpindleError } from "../errors/mod.ts";
import type { Component } from "../manifest/mod.ts";
import { MalformedModuleError } from "../wasm/mod.ts";
import { componentLinkDiagnostics, linkDiagnostics } from "./link-diagnostics.ts";

/** Makes a SpindleError of what `makeProgram` threw; what is not the component's fault stays as it is. */
export function startError<C>(component: Component, linker: Linker<C>, error: unknown): unknown {
  const { id, source } = component;
  if (error instanceof LinkError) return SpindleError.collect(linkDiagnostics(id, error.problems, linker));
  if (error instanceof ComponentLinkError) {
    return SpindleError.collect([
      ...componentLinkDiagnostics(id, error.problems),
      ...linkDiagnostics(id, error.coreProblems, linker),
    ]);
  }
  if (error instanceof MemoryLimitError) {
    return new SpindleError(
      "COMPONENT_MEMORY_TOO_LARGE",
      `Component "${id}" cannot run: the memory of ${source.described} begins with ${error.bytes} bytes, and it may have ${error.bytesMax}`,
      {
        hint: `Build it with less initial memory, or allow more: \`--max-instance-memory SIZE\`, or \`memory\` in [component.${id}.tool.spindle].`,
      },
    );
  }
  if (error instanceof TableLimitError) {
    return new SpindleError(
      "COMPONENT_TABLES_TOO_LARGE",
      `Component "${id}" cannot run: the tables of ${source.described} begin with ${error.elements} elements, and they may have ${error.elementsMax}`,
      {
        hint: `Allow more: \`--max-table-elements COUNT\`, or \`table_elements\` in [component.${id}.tool.spindle].`,
      },
    );
  }
  if (error instanceof TypesExhaustedError) {
    return new SpindleError(
      "MODULE_TYPES_EXHAUSTED",
      `Cannot load component "${id}" from ${source.described}: the modules before it have all the types that V8 may keep`,
      { cause: error, hint: "Serve some of the components in a process of their own." },
    );
  }
  if (error instanceof UnsupportedComponentError) {
    return new SpindleError(
      "COMPONENT_MODEL_UNSUPPORTED",
      `Component "${id}" cannot run: ${source.described} ${error.reason}`,
      { cause: error, hint: "Build it with an SDK for WASI 0.2." },
    );
  }
  if (error instanceof CompositionError) {
    return new SpindleError(
      "COMPONENT_DEPENDENCY",
      `Component "${id}" cannot run with its dependency "${error.label}": ${error.message}`,
      { cause: error },
    );
  }
  const code = binaryErrorCode(error);
  if (!code || !(error instanceof Error)) return error;
  return new SpindleError(code, `Cannot load component "${id}" from ${source.described}: ${error.message}`, {
    cause: error,
    hint: "Build the component again, or correct `source` in the manifest.",
  });
}

function binaryErrorCode(error: unknown): ErrorCode | undefined {
  if (
    error instanceof MalformedModuleError ||
    error instanceof MalformedComponentError ||
    error instanceof WebAssembly.CompileError
  )
    return "MODULE_INVALID";
  if (error instanceof WebAssembly.RuntimeError || error instanceof WebAssembly.LinkError)
    return "MODULE_TRAPS_AT_START";
  return undefined;
}
