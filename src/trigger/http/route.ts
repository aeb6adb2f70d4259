// One route of the application, as the operator wrote it and in the forms that guests are told.

export interface Route {
  readonly triggerId: string;
  /** Absent where the trigger answers by itself, with a `static_response`. */
  readonly componentId: string | undefined;
  /** As written: `/users/:id/...`. */
  readonly text: string;
  /** `text` without its trailing wildcard: `/users/:id`; empty for `/...`. */
  readonly textWithoutWildcard: string;
  /** `text` below the `base` of the application, which older manifests could set. */
  readonly matched: string;
  readonly isWildcard: boolean;
}
