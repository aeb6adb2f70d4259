// The measure of all cases: the same answer from `node:http` alone. `node bench/bare.ts PORT [THREADS]`
//
// It reads the request's body, as a server must that hands it to somebody.

import { createServer } from "node:http";
import { isMainThread, Worker } from "node:worker_threads";
import { BODY, CONTENT_TYPE } from "./answer.ts";

const [, script, port, threads = "1"] = process.argv;
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": CONTENT_TYPE, "content-length": BODY.length });
    response.end(BODY);
  });
});
// As with `up --workers`: with one thread the main thread serves, with several it only starts them.
if (isMainThread && threads !== "1") {
  for (let count = 0; count < Number(threads); count++) {
    // Node gives a program that it runs its path.
    new Worker(script as string, { argv: [port, threads] });
  }
} else {
  server.listen({ port: Number(port), host: "127.0.0.1", reusePort: threads !== "1" });
}
process.on("SIGTERM", () => process.exit(0));
