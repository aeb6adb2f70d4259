// The measure of streaming: `node:http` that pipes each request into its answer. `node bench/bare-pipe.ts PORT`

import { createServer } from "node:http";

const server = createServer((request, response) => {
  request.pipe(response);
});
server.listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
