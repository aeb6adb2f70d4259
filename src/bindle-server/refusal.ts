// Why a request is not done: a status, and a text that is the reference's where it has one.

/** Thrown by whatever answers a request. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text);
    this.status = status;
    this.headers = headers;
  }
}

/** `src/provider/mod.rs` and `src/server/` of deislabs/bindle at v0.9.2. */
export const REFUSALS = {
  path: () => new Refusal(400, "Invalid URL. Missing Bindle ID and/or parcel SHA"),
  id: () => new Refusal(400, "invalid ID given"),
  body: (state: string) => new Refusal(400, `Request body toml deserialize error: ${state}`),
  query: () => new Refusal(400, "Invalid query string"),
  search: (state: string) => new Refusal(400, `Cannot search: ${state}`),
  parcel: (sha: string, id: string) => new Refusal(400, `Parcel SHA ${sha} does not exist in invoice ${id}`),
  login: () => new Refusal(400, "Error with auth request"),
  digest: () => new Refusal(400, "digest does not match"),
  size: () => new Refusal(400, "parcel size does not match invoice"),
  signature: (text: string) => new Refusal(400, text),
  roles: () =>
    new Refusal(
      400,
      "This bindle server implementation only supports returning keys with the role of `host`. Please only specify `host` as a role (or omit the parameter)",
    ),
  unauthorized: () => new Refusal(401, "unauthorized", { "www-authenticate": 'Basic realm="bindle"' }),
  denied: () => new Refusal(403, "access denied"),
  yanked: () => new Refusal(403, "bindle is yanked"),
  notFound: () =>
    new Refusal(404, "resource not found: if an item does not appear in our records, it does not exist!"),
  method: (allow: string) => new Refusal(405, "method not allowed", { allow }),
  exists: () => new Refusal(409, "resource already exists"),
  tooLarge: (what: string, bytesMax: number) => new Refusal(413, `${what} is larger than ${bytesMax} bytes`),
  createYanked: () => new Refusal(422, "bindle cannot be created as yanked"),
  busy: () => new Refusal(503, "too many requests at once", { "retry-after": "1" }),
} as const;
