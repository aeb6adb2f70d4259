// The door of the paths room: names of files, without a file system.

export { type GlobSegment, GlobSyntaxError, looksLikeGlob, parseGlob, parseGlobSegments } from "./glob.ts";
