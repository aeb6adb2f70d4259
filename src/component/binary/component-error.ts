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

/** What asynchronous functions brought: built-ins, their options, and types. */
const ASYNCHRONOUS = /^canon |\basync\b|^the type (stream|future|error-context)$/;

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

  /** What the component is made for or uses, as the end of a sentence that begins with its name. */
  get reason(): string {
    return ASYNCHRONOUS.test(this.feature)
      ? `is made for WASI 0.3 (it uses ${this.feature}), which this version does not run`
      : `uses ${this.feature}, which this version does not have`;
  }
}
