// Who a client says it is.

export type Credentials =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  /** A token that does not change, such as that of a service account. */
  | { readonly kind: "bearer"; readonly token: string }
  /** What `login()` left behind; refreshed when it expires. */
  | { readonly kind: "login"; readonly session: TokenSource };

/** Gives tokens that are good for a while. */
export interface TokenSource {
  token(signal: AbortSignal): Promise<string>;
}

/** The value of the header `Authorization`, or undefined. */
export async function authorizationOf(
  credentials: Credentials,
  signal: AbortSignal,
): Promise<string | undefined> {
  switch (credentials.kind) {
    case "anonymous":
      return undefined;
    case "basic":
      return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
    case "bearer":
      return `Bearer ${credentials.token}`;
    case "login":
      return `Bearer ${await credentials.session.token(signal)}`;
  }
}

/** What a server refused when it answered 401, and what to do. */
export function refusalOf(credentials: Credentials): { readonly state: string; readonly hint: string } {
  switch (credentials.kind) {
    case "anonymous":
      return {
        state: "the server wants to know who asks",
        hint: "Give `--username` and `--password`, or log in with `spindle bindle login`.",
      };
    case "basic":
      return {
        state: "the server refused the user name or the password",
        hint: "Check `--username` and `--password`.",
      };
    case "bearer":
      return { state: "the server refused the token", hint: "Check the token, and whether it has expired." };
    case "login":
      return { state: "the server refused the login", hint: "Log in again with `spindle bindle login`." };
  }
}
