// The door of the host room: an Application, served.

export {
  blockedNetworks,
  type OutboundOptions,
  type OutputSink,
  ServedApplication,
  type ServeOptions,
} from "./served-application.ts";
