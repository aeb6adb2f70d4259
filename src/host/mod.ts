// The door of the host room: an Application, served.

export { type InspectedComponent, type InspectOptions, inspectApplication } from "./inspect-application.ts";
export {
  blockedNetworks,
  type OutboundOptions,
  type OutputSink,
  ServedApplication,
  type ServeOptions,
} from "./served-application.ts";
