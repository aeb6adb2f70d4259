// Headers that a guest answered with, as they may be sent.
//
// Spin inserts them into a map one after another: of a name that comes twice the last value counts, at
// the place of the first (`append_headers` in `crates/trigger-http/src/headers.rs` at v4.0.2).

/** What a guest answered cannot be sent. The client gets an empty 500; the message is for the log. */
export class GuestReplyError extends Error {
  override readonly name = "GuestReplyError";

  /** @param found what the component did, such as "answered with status 9" */
  constructor(componentId: string, found: string) {
    super(`Component "${componentId}" ${found}`);
  }
}

/** What an executor that holds whole answers holds of one, unless its component has a limit of its own. */
export const HELD_RESPONSE_BYTES_MAX = 128 * 1024 * 1024;

/** The answer is over the limit of its component. */
export function tooLong(componentId: string, bytesMax: number): GuestReplyError {
  return new GuestReplyError(
    componentId,
    `answered with more than ${bytesMax} bytes, its limit "response_bytes"`,
  );
}

export class ReplyHeaders {
  /** Name, value, name, value, ...; names in lower case. */
  readonly list: string[] = [];
  readonly #componentId: string;

  constructor(componentId: string) {
    this.#componentId = componentId;
  }

  /** Adds a header, or replaces it. @throws GuestReplyError if HTTP cannot carry it */
  set(name: string, value: string): void {
    if (!isHeaderName(name)) throw this.#invalid(`the invalid header name ${JSON.stringify(name)}`);
    if (!isHeaderValue(value)) throw this.#invalid(`an invalid value of the header "${name}"`);
    const lowerCase = name.toLowerCase();
    const { list } = this;
    for (let at = 0; at < list.length; at += 2) {
      if (list[at] === lowerCase) {
        list[at + 1] = value;
        return;
      }
    }
    list.push(lowerCase, value);
  }

  has(name: string): boolean {
    return this.list.some((text, at) => at % 2 === 0 && text === name);
  }

  #invalid(what: string): GuestReplyError {
    return new GuestReplyError(this.#componentId, `answered with ${what}`);
  }
}

/** A token (RFC 9110, 5.6.2). */
export function isHeaderName(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** Anything but control characters; one character is one byte. */
function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}
