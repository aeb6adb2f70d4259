// The door of the paths room: names of files, and directories on the way to them.

export { type GlobSegment, GlobSyntaxError, looksLikeGlob, parseGlob, parseGlobSegments } from "./glob.ts";
export { makeDirectory } from "./make-directory.ts";
export { readWhole, type WholeFile, WholeFiles } from "./whole-files.ts";
