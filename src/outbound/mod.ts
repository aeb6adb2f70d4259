// The door of the outbound room: what guests may ask of the network, and how it is asked.

export { BlockedNetworks, type BlockedNetworksOptions } from "./blocked-networks.ts";
export type { OutboundLimits } from "./call-meter.ts";
export { type ComponentHostsOptions, readAllowedHosts } from "./component-hosts.ts";
export type { Timeouts } from "./exchange.ts";
export {
  type ChainedRequest,
  type ChainedResponse,
  OutboundNetwork,
  type OutboundNetworkOptions,
  type OwnService,
  type SendOptions,
} from "./network.ts";
export { OutboundError, type OutboundFault } from "./outbound-error.ts";
export {
  OutboundHttp,
  type OutboundRequest,
  type OutboundResponse,
  type StreamedRequest,
  type StreamedResponse,
} from "./outbound-http.ts";
export { OutboundSockets } from "./outbound-sockets.ts";
