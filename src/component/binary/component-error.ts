// What is wrong with a component, and where.

/** The bytes are not a valid component. */
export class MalformedComponentError extends Error {
  override readonly name = "MalformedComponentError";
  /** Distance from the first byte of the outermost component. */
  readonly offset: number;
  readonly reason: string;

  constructor(reason: string, offset: number, options?: ErrorOptions) {
    super(`Malformed component at byte ${offset}: ${reason}`, options);
    this.reason = reason;
    this.offset = offset;
  }
}

/** The component may be valid, but needs something of the component model that is not there. */
export class UnsupportedComponentError extends Error {
  override readonly name = "UnsupportedComponentError";
  /** In the words of the component model's text format: `stream`, `canon task.return`. */
  readonly feature: string;
  readonly offset: number;

  constructor(feature: string, offset: number) {
    super(`Unsupported component: it uses ${feature} at byte ${offset}`);
    this.feature = feature;
    this.offset = offset;
  }
}
