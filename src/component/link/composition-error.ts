// What goes wrong between a component and one that it depends on.

/** A dependency does not have what it is to give, or the component does not import what it is to be given. */
export class CompositionError extends Error {
  override readonly name = "CompositionError";
  /** Of the dependency. */
  readonly label: string;
  readonly kind: Misfit;

  constructor(reason: string, label: string, { kind, cause }: ErrorOptions & { readonly kind: Misfit }) {
    super(reason, { cause });
    this.label = label;
    this.kind = kind;
  }
}

export type Misfit =
  /** The component does not import what it is named for. */
  | "import"
  /** It does not export what it is to give. */
  | "export"
  /** It is of another type, or not to be read. */
  | "type"
  /** It uses what this version does not have. */
  | "unsupported";
