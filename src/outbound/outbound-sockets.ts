// What the sockets of a component may reach: the allow-list says so, with the schemes `tcp` and `udp`,
// and the blocked networks have the last word, as in `crates/factor-outbound-networking` at v4.0.2.
//
// Destinations are addresses, never names: look-ups of names are not offered, as Spin offers none.

import { isIPv6 } from "node:net";

import type { AllowedHosts } from "../manifest/mod.ts";
import type { OutboundNetwork } from "./network.ts";

/** In this thread, over all guests. Below what systems allow a process, which needs others. */
const SOCKETS_MAX = 1024;

let open = 0;

export class OutboundSockets {
  readonly #network: Pick<OutboundNetwork, "blocked" | "report">;
  readonly #componentId: string;
  readonly #allowedHosts: AllowedHosts;

  constructor(
    network: Pick<OutboundNetwork, "blocked" | "report">,
    component: { readonly id: string; readonly allowedHosts: AllowedHosts },
  ) {
    this.#network = network;
    this.#componentId = component.id;
    this.#allowedHosts = component.allowedHosts;
  }

  /** Whether a component may connect to an address, bind to it, or send to it. The operator is told if not. */
  allows(
    use: "tcp-connect" | "udp-bind" | "udp-send",
    { address, port }: { readonly address: string; readonly port: number },
  ): boolean {
    const scheme = use === "tcp-connect" ? "tcp" : "udp";
    const host = isIPv6(address) ? `[${address}]` : address;
    if (this.#allowedHosts.allows({ scheme, host, port })) return !this.#network.blocked.blocks(address);
    const destination = `${scheme}://${host}:${port}`;
    this.#network.report(
      `Component "${this.#componentId}" may not use ${destination}: its manifest does not allow it.\n` +
        `To allow it, add 'allowed_outbound_hosts = ["${destination}"]' to the manifest component section.`,
    );
    return false;
  }

  /** Counts a socket until the result is disposed; undefined if there are too many. */
  admit(): Disposable | undefined {
    if (open >= SOCKETS_MAX) return undefined;
    open++;
    let isHeld = true;
    return {
      [Symbol.dispose]() {
        if (isHeld) open--;
        isHeld = false;
      },
    };
  }
}
