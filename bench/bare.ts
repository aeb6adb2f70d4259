// The measure of all cases: the same answer from `node:http` alone. `node bench/bare.ts PORT`
//
// It reads the request's body, as a server must that hands it to somebody.

import { createServer } from "node:http";
import { BODY, CONTENT_TYPE } from "./answer.ts";

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": CONTENT_TYPE, "content-length": BODY.length });
    response.end(BODY);
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
