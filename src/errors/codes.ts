// Every error code that Spindle can show, once.
//
// A code never changes its meaning. docs/errors.md explains each; a test compares the two lists.
// The value is the one-line meaning, as `docs/errors.md` has it in its headings.

export const ERROR_CODES = {
  INTERNAL: "Spindle itself is at fault",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
