// What the host holds for one call: headers, and messages that are not sent yet.
//
// Each object is limited by itself, but a guest can make very many. So all of a call draw on one account,
// and what is let go of is paid back.

/** Thousands of headers, or 250 messages with bodies that nobody reads yet. Beyond, the guest traps. */
export const HELD_BYTES_PER_CALL_MAX = 16 * 1024 * 1024;

export class HeldBytes {
  #bytes = 0;

  /** @throws Error at the limit, which ends the guest */
  add(bytes: number): void {
    if (this.#bytes + bytes > HELD_BYTES_PER_CALL_MAX) {
      throw new Error(`The guest holds headers and messages of more than ${HELD_BYTES_PER_CALL_MAX} bytes`);
    }
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}
