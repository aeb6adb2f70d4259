// Runs Node 26, which the package brings, with the given arguments: `node scripts/with-node.mjs --test ...`.
// Plain JavaScript for any Node from 18 on.

import { findNode } from "../bin/find-node.mjs";
import { handOver } from "../bin/hand-over.mjs";

handOver(findNode(), process.argv.slice(2));
