// Which Node can run Spindle. Plain JavaScript for any Node from 18 on.

/** The first major version with all that Spindle needs unflagged, as resizable memory buffers. */
export const NODE_MAJOR = 26;

/** Says whether this very process can run Spindle. */
export function isSuitable() {
  return Number(process.versions.node.split(".")[0]) >= NODE_MAJOR;
}
