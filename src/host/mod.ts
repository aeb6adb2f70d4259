// The door of the host room: an Application, served.

export { type OutputSink, ServedApplication, type ServeOptions } from "./served-application.ts";
