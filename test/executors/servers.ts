// HTTP servers for guests to talk to, on ports of their own.

import http from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Server } from "node:net";
import { CERTIFICATE, KEY } from "./certificate.ts";

/** A server that is closed, with all its connections, by `using`. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
}

export async function serve(handler: http.RequestListener): Promise<TestServer> {
  const server = http.createServer(handler);
  return started(server, () => server.closeAllConnections());
}

/** A server with the certificate for "localhost". */
export async function serveTls(handler: http.RequestListener): Promise<TestServer> {
  const server = https.createServer({ key: KEY, cert: CERTIFICATE }, handler);
  return started(server, () => server.closeAllConnections());
}

/** A server of bytes; what it writes need not be HTTP. */
export async function serveRaw(handler: (socket: net.Socket) => void): Promise<TestServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    // A client that hangs up is part of many tests.
    socket.on("error", () => undefined);
    handler(socket);
  });
  return started(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

async function started(server: Server, closeConnections: () => void): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      closeConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
