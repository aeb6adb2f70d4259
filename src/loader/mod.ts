// The door of the loader room: from what the user typed to an Application on disk, or to a bindle.

export type { LoadedApplication } from "./assemble-application.ts";
export { type LoadBindleOptions, loadBindle } from "./bindle/load-bindle.ts";
export { type PrepareBindleOptions, type PreparedBindle, prepareBindle } from "./bindle/prepare-bindle.ts";
export type { Patience } from "./download.ts";
export { type ApplicationPlace, findApplication } from "./find-application.ts";
export { type LoadOptions, loadApplication } from "./load-application.ts";
export { createWorkingDirectory, type WorkingDirectory } from "./working-directory.ts";
