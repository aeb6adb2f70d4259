// What the sandbox needs of the guest's caller: whether it may wait, and how that is said beforehand.

/** `Caller` of a core module and `ComponentCaller` both are one; see those for the meaning of each member. */
export interface GearedCaller {
  shift(): void;
  readonly canSuspend: boolean;
  readonly signal: AbortSignal;
}
