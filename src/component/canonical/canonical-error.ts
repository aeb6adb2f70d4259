// What the canonical ABI forbids. It traps the guest, uncatchably.

/** The message is the reason in the words of the specification's own tests, such as `unknown handle index 7`. */
export class CanonicalError extends Error {
  override readonly name = "CanonicalError";
}

export function trap(reason: string): never {
  throw new CanonicalError(reason);
}
