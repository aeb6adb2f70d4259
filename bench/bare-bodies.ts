// What bodies.ts compares with: `node:http` alone doing the same. `node bench/bare-bodies.ts PORT FILE`
//
// It answers a POST with its body, and a GET with the file.

import { readFile } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const [, , port, file = ""] = process.argv;
const server = createServer((request, response) => {
  if (request.method === "POST") echo(request, response);
  else send(request, response);
});

function echo(request: IncomingMessage, response: ServerResponse): void {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => answer(response, Buffer.concat(pieces)));
}

function send(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  readFile(file, (error, bytes) => {
    if (error) response.writeHead(404).end();
    else answer(response, bytes);
  });
}

function answer(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  response.end(body);
}

server.listen(Number(port), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
