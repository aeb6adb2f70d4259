// The door of the testing room: an application in the process of a test.

export { type StartOptions, startApplication, type TestApplication } from "./test-application.ts";
