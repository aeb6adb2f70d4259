// The door of the errors room: how Spindle says that something went wrong.

export { ERROR_CODES, type ErrorCode } from "./codes.ts";
export {
  type Diagnostic,
  formatDiagnostic,
  printable,
  printableLine,
  type SourceLocation,
  type SourceText,
} from "./diagnostic.ts";
export { describeError, SpindleError, type SpindleErrorOptions } from "./spindle-error.ts";
export { closestName, didYouMean } from "./suggest.ts";
