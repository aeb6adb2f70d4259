// Where a part of an instantiated component is.

/** An item that a core instance exports: function, memory, table, global or tag. */
export interface CoreRef {
  /** Index into `instances`. */
  readonly instance: number;
  readonly name: string;
}
