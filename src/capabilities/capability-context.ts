// What the host functions of this room ask of the data of a call.

import type { OutboundHttp } from "../outbound/mod.ts";
import type { GuestVariables } from "./guest-variables.ts";
import type { HeldBytes } from "./wasi-http/held-bytes.ts";

export interface CapabilityContext {
  readonly componentId: string;
  /** The network, as far as the manifest grants it. */
  readonly outbound: OutboundHttp;
  readonly variables: GuestVariables;
  /** Headers and messages that the host holds for the call. */
  readonly heldBytes: HeldBytes;
  /** What the trigger made the call with; a component that is called through this one gets to see it. */
  readonly data: unknown;
}
