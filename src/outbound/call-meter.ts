// What one call may send and receive over the network, all of its requests together.

import { OutboundError } from "./outbound-error.ts";
import type { BodyCounter } from "./wire-body.ts";

export interface OutboundLimits {
  readonly outboundRequestsMax: number;
  /** Headers and bodies, of requests and of answers. */
  readonly outboundBytesMax: number;
}

export class CallMeter implements BodyCounter {
  readonly #limits: OutboundLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: OutboundLimits) {
    this.#limits = limits;
  }

  /** Counts a request. @throws OutboundError too-many-requests */
  countRequest(bytes: number): void {
    const { outboundRequestsMax, outboundBytesMax } = this.#limits;
    if (this.#requests >= outboundRequestsMax) {
      throw new OutboundError("too-many-requests", `A call may send ${outboundRequestsMax} requests`);
    }
    if (this.#bytes + bytes > outboundBytesMax) {
      throw new OutboundError("too-many-requests", `A call may exchange ${outboundBytesMax} bytes`);
    }
    this.#requests++;
    this.#bytes += bytes;
  }

  /** Counts what was received. @throws OutboundError response-too-large */
  countResponse(bytes: number): void {
    const { outboundBytesMax } = this.#limits;
    this.#bytes += bytes;
    if (this.#bytes <= outboundBytesMax) return;
    throw new OutboundError("response-too-large", `A call may exchange ${outboundBytesMax} bytes`);
  }

  /** Counts a piece of a request. @throws OutboundError too-many-requests */
  sent(bytes: number): void {
    this.#bytes += bytes;
    const { outboundBytesMax } = this.#limits;
    if (this.#bytes <= outboundBytesMax) return;
    throw new OutboundError("too-many-requests", `A call may exchange ${outboundBytesMax} bytes`);
  }

  received(bytes: number): void {
    this.countResponse(bytes);
  }
}
