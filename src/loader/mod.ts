// The door of the loader room: from what the user typed to an Application on disk.

export type { LoadedApplication } from "./assemble-application.ts";
export type { Patience } from "./download.ts";
export { type ApplicationPlace, findApplication } from "./find-application.ts";
export { type LoadOptions, loadApplication } from "./load-application.ts";
export { createWorkingDirectory, type WorkingDirectory } from "./working-directory.ts";
