// The door of the wasm room: core binaries, read, analysed and rewritten.

export type {
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
export {
  CARD_SHIFT,
  CONTROL,
  type RewriteHooks,
  type RewriteOptions,
  type RewrittenModule,
  STRADDLE_BYTES,
  type Verdict,
} from "./rewritten.ts";
