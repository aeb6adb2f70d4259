// What the host functions of this room ask of the data of a call.

import type { OutboundHttp } from "../outbound/mod.ts";
import type { GuestVariables } from "./guest-variables.ts";

export interface CapabilityContext {
  readonly componentId: string;
  /** The network, as far as the manifest grants it. */
  readonly outbound: OutboundHttp;
  readonly variables: GuestVariables;
  /** What the trigger made the call with; a component that is called through this one gets to see it. */
  readonly data: unknown;
}
