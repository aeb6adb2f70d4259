// What generated modules may ask of their host, as data: every way of running them does the same.

export interface HostStep {
  readonly answer: number;
  /** A word that the host writes to memory 0. */
  readonly write: { readonly address: number; readonly word: number } | undefined;
}

/** What start functions tell the host, which cannot write then: it knows no memory yet. */
export const START_VALUE = 5;

/** A host function was called with `value`; `notes` are those of the call, this one included. */
export function hostStep(value: number, notes: readonly number[]): HostStep {
  const write = { address: (value & 0xffff) % 65_532, word: (Math.imul(value, 31) ^ notes.length) >>> 0 };
  return {
    answer: Math.imul(value, 0x9e3779b1) ^ notes.length,
    write: value === START_VALUE ? undefined : write,
  };
}
