// Sets up the clone if need be, then runs Node 26 with the given arguments: `node scripts/with-node.mjs --test ...`.
//
// One command, so that npm scripts need no shell between npm and Node: signals to npm would end at it.
// Plain JavaScript for any Node from 18 on.

import { findNode } from "../bin/find-node.mjs";
import { handOver } from "../bin/hand-over.mjs";
import { setUp } from "./setup.mjs";

setUp();
handOver(findNode(), process.argv.slice(2));
