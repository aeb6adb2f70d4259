// A Bindle server in a process of its own, to be killed: prints its URL, and stores in the directory that it is given.

import { startServer } from "./bindles.ts";

const [directory = ""] = process.argv.slice(2);
const server = await startServer(directory);
process.stdout.write(`${server.url}\n`);
