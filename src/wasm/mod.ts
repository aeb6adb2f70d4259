// The door of the wasm room: core binaries, read, analysed and rewritten.

export { ByteReader } from "./byte-reader.ts";
export { ByteWriter } from "./byte-writer.ts";
export { opcodesAfterCalls } from "./calls.ts";
export { functionNames } from "./function-names.ts";
export {
  isComponent,
  readCompositeType,
  readGlobalType,
  readLimits,
  readTableType,
} from "./layout.ts";
export { MalformedModuleError } from "./malformed-module-error.ts";
export { MalformedTextError } from "./malformed-text-error.ts";
export type {
  CompositeType,
  CoreModule,
  CustomSection,
  Export,
  ExternType,
  FunctionType,
  GlobalType,
  Import,
  Limits,
  TableType,
  ValueType,
} from "./module.ts";
export { type Code, MODULE_HEADER, ModuleBuilder } from "./module-builder.ts";
export { OffsetMap, originalOffset } from "./offset-map.ts";
export { BULK, MEMORY_INDEX_FLAG, OP } from "./opcodes.ts";
export { readModule } from "./read-module.ts";
export { rewrite } from "./rewrite.ts";
export { rewriterVersion } from "./rewriter-version.ts";
export {
  CARD_SHIFT,
  CONTROL,
  HEAP_STEP_BYTES,
  type RewriteHooks,
  type RewriteOptions,
  type RewrittenModule,
  STRADDLE_BYTES,
  TABLE_ELEMENTS_MAX,
  type Verdict,
} from "./rewritten.ts";
export { assembleText } from "./text.ts";
