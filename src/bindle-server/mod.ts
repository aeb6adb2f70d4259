// The door of the Bindle server.

export { BindleServer, type BindleServerLimits, type BindleServerOptions } from "./bindle-server.ts";
export type { Authentication, Authenticator } from "./gate.ts";
export { Users } from "./users.ts";
