// Every error code that Spindle can show, once.
//
// A code never changes its meaning. docs/errors.md explains each; a test compares the two lists.
// The value is the one-line meaning, as `docs/errors.md` has it in its headings.

export const ERROR_CODES = {
  APPLICATION_NOT_FOUND: "There is no application where one was expected",
  COMPONENT_HANDLER_MISSING: "A component exports nothing that its trigger could call",
  COMPONENT_IMPORT_TYPE: "A component imports a function with another type",
  COMPONENT_IMPORT_UNKNOWN: "A component imports what Spindle does not have",
  COMPONENT_MODEL_UNSUPPORTED: "A source is a WebAssembly component, not a core module",
  EXECUTOR_INVALID: "The executor of a trigger cannot be used",
  FOLLOW_UNKNOWN: "A component to follow does not exist",
  INTERNAL: "Spindle itself is at fault",
  LOG_DIRECTORY_UNUSABLE: "The log directory cannot be made or written",
  MANIFEST_BASE: "The application sets a base path for its routes",
  MANIFEST_DEPENDENCY: "A dependency of a component is wrong",
  MANIFEST_FIELD_CONFLICT: "Fields contradict each other",
  MANIFEST_FIELD_DEPRECATED: "A field has been replaced by another",
  MANIFEST_FIELD_MISSING: "A required field is missing",
  MANIFEST_FIELD_UNKNOWN: "A field does not exist",
  MANIFEST_HOST: "An allowed host cannot be read",
  MANIFEST_ID_DUPLICATE: "Two things have the same id",
  MANIFEST_ID_INVALID: "An id, name or label has characters that it may not have",
  MANIFEST_PROFILE_UNKNOWN: "No component has the profile that was asked for",
  MANIFEST_REFERENCE_UNKNOWN: "A name refers to nothing",
  MANIFEST_ROUTE_INVALID: "A route cannot be read",
  MANIFEST_SYNTAX: "The file is not TOML",
  MANIFEST_TEMPLATE: "A template cannot be read",
  MANIFEST_TOO_LARGE: "The manifest is larger than Spindle reads",
  MANIFEST_TYPE: "A value has the wrong type",
  MANIFEST_VALUE: "A value has the right type but is not allowed",
  MANIFEST_VERSION: "The version of the manifest is missing or unknown",
  MODULE_INVALID: "A source is not a valid WebAssembly module",
  MODULE_TRAPS_AT_START: "A module fails before any request reaches it",
  MOUNT_SOURCE_MISSING: "A directory to mount cannot be read",
  MOUNT_TOO_LARGE: "A directory to mount has too many entries",
  OUTBOUND_NETWORK_INVALID: "A network to block cannot be read",
  SPIN_ABI_UNKNOWN: "A component declares an ABI version that does not exist",
  WORKING_DIRECTORY_UNUSABLE: "The working directory cannot be made",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
