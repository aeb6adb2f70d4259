// The rules for names within components.
//
// Labels become names of properties in generated code, so nothing but a label may pass for one.

import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import type { Item } from "./scope.ts";

const FIRST_WORD = "(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)";
// No two alternatives match the same text, so that no name takes long to refuse.
const WORD = "(?:[0-9]*[a-z][a-z0-9]*|[0-9]*[A-Z][A-Z0-9]*|[0-9]+)";
const LABEL_PATTERN = `${FIRST_WORD}(?:-${WORD})*`;
const LABEL = new RegExp(`^${LABEL_PATTERN}$`);

/** @throws MalformedComponentError if one is not a label, or two are the same but for their case */
export function requireLabels(
  named: readonly { readonly name: string }[],
  what: string,
  offset: number,
): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (!LABEL.test(name)) throw new MalformedComponentError(`"${name}" is not a name for a ${what}`, offset);
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw new MalformedComponentError(`two names for a ${what} are "${name}"`, offset);
    seen.add(folded);
  }
}

/** A name on its own, or that of a function of a resource. Drafts of 2025 also tagged what is asynchronous. */
const PLAIN_NAME = new RegExp(
  `^(?:(\\[constructor\\])(${LABEL_PATTERN})|(\\[(?:async )?(?:method|static)\\])(${LABEL_PATTERN})\\.${LABEL_PATTERN}|(?:\\[async\\])?${LABEL_PATTERN})$`,
);
const LOWER_LABEL = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*";
const VERSION = "[0-9]+(?:\\.[0-9]+(?:\\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?)?)?";
/** `namespace:package/interface@version` */
const INTERFACE_NAME = new RegExp(`^${LOWER_LABEL}:${LOWER_LABEL}/${LABEL_PATTERN}(?:@${VERSION})?$`);
/** Names that say where an import is to be found. Nothing is looked for there. */
const LOCATED_NAME = /^(?:(?:un)?locked-dep|url|integrity)=</;

export type ExternDirection = "import" | "export";

/** Items by the names under which a component imports or exports them. */
export class ExternItems {
  readonly items = new Map<string, Item>();
  readonly #direction: ExternDirection;
  readonly #folded = new Set<string>();

  constructor(direction: ExternDirection) {
    this.#direction = direction;
  }

  /** @throws MalformedComponentError if the name is none, or too like another, or not one for such an item */
  add(name: string, item: Item, offset: number): void {
    this.#check(name, item, offset);
    const folded = fold(name);
    if (this.#folded.has(folded) && !LOCATED_NAME.test(name)) {
      throw new MalformedComponentError(`two ${this.#direction}s have the name "${name}"`, offset);
    }
    this.#folded.add(folded);
    this.items.set(name, item);
  }

  #check(name: string, item: Item, offset: number): void {
    const plain = PLAIN_NAME.exec(name);
    const [, constructorTag, constructed, memberTag, owner] = plain ?? [];
    const tag = constructorTag ?? memberTag;
    const isLocated = this.#direction === "import" && LOCATED_NAME.test(name);
    if (!plain && !isLocated && !INTERFACE_NAME.test(name)) {
      throw new MalformedComponentError(`"${name}" is not a name for an ${this.#direction}`, offset);
    }
    if (tag === undefined) return;
    const resource = this.items.get(constructed ?? owner ?? "");
    if (!fitsTag(tag, item, resource)) {
      throw new MalformedComponentError(`"${name}" is not a name for what it names`, offset);
    }
  }
}

/** Whether a function belongs to the resource under which it is named. */
function fitsTag(tag: string, item: Item, owner: Item | undefined): boolean {
  if (item.kind !== "func" || owner?.kind !== "type" || owner.type.kind !== "resource") return false;
  const { resource } = owner.type;
  const { type } = item;
  if (type instanceof UnsupportedComponentError) return true;
  switch (tag) {
    case "[method]": {
      const [self] = type.params;
      return self?.name === "self" && self.type.kind === "borrow" && self.type.resource === resource;
    }
    case "[constructor]": {
      const made = type.result?.kind === "result" ? type.result.ok : type.result;
      return made?.kind === "own" && made.resource === resource;
    }
    default:
      return true;
  }
}

/** Names that fold to the same are too alike. Only a constructor may have the name of another item, its resource. */
function fold(name: string): string {
  const lower = name.toLowerCase();
  if (lower.startsWith("[constructor]")) return lower;
  const plain = lower.replace(/^\[[^\]]*\]/, "");
  const [resource, method] = plain.split(".");
  return resource !== undefined && resource === method ? resource : plain;
}

/** Adds an item under its name, once. @throws MalformedComponentError if there is one already */
export function addNamed<T>(
  items: Map<string, T>,
  entry: { readonly name: string; readonly item: T },
  offset: number,
): void {
  if (items.has(entry.name)) throw new MalformedComponentError(`"${entry.name}" is there twice`, offset);
  items.set(entry.name, entry.item);
}
