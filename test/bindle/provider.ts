// A Bindle server that leaves it to an identity provider who its users are, and that provider.

import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { bindleOf } from "./bindles.ts";

/** A JWT that expires in so many seconds. Nobody here looks at its signature. */
export function tokenFor(seconds: number, subject = "ann"): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + seconds;
  return `${part({ alg: "RS256" })}.${part({ iss: "https://id.example.com", sub: subject, exp })}.c2ln`;
}

export type TokenAnswer = Readonly<Record<string, unknown>> & { readonly error?: string };

export interface Provider extends AsyncDisposable {
  /** The base URL of a Bindle server that sends its users to this provider. */
  readonly url: string;
  /** What the token endpoint was asked. */
  readonly grants: readonly Readonly<Record<string, string>>[];
  /** What the API got as `Authorization`. */
  readonly authorizations: readonly (string | undefined)[];
}

/** A Bindle server and its identity provider; the latter gives these answers, the last one again and again. */
export async function startProvider(
  answers: readonly TokenAnswer[],
  details: object = {},
): Promise<Provider> {
  const grants: Record<string, string>[] = [];
  const authorizations: (string | undefined)[] = [];
  const json = (response: ServerResponse, value: object, status = 200) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === "/token") {
      grants.push(Object.fromEntries(new URLSearchParams(await text(request))));
      const answer = answers[Math.min(grants.length, answers.length) - 1] ?? {};
      json(response, answer, answer.error === undefined ? 200 : 400);
    } else if (request.url?.startsWith("/v1/login?provider=")) {
      json(response, {
        device_code: "device",
        user_code: "ABCD-EFGH",
        verification_uri: "https://id.example.com/device",
        expires_in: 60,
        interval: 0,
        client_id: "spindle",
        token_url: `http://${request.headers.host}/token`,
        ...details,
      });
    } else {
      authorizations.push(request.headers.authorization);
      json(response, bindleOf("hello/1.0.0", {}).invoice);
    }
  };
  const server = http.createServer((request, response) => void serve(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  // It listens on a TCP port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/`,
    grants,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

export const tokenAnswer = (idToken: string, refresh = "refresh 1") => ({
  access_token: "access",
  token_type: "Bearer",
  expires_in: 3600,
  refresh_token: refresh,
  scope: "openid",
  id_token: idToken,
});

export const PENDING = { error: "authorization_pending" };
