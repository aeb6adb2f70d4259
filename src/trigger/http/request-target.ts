// Reads the target of a request line and the `Host` header as Spin's server does.
//
// The parser of `node:http` lets nothing through but visible ASCII. Which of it may stand where is
// checked here, with the rules of `hyperium/http` 1.x, `src/uri/path.rs` and `src/uri/authority.rs`.

export interface RequestTarget {
  /** Path and query, without fragment. */
  readonly target: string;
  readonly path: string;
  readonly query: string | undefined;
  /** Of an absolute target. */
  readonly authority: string | undefined;
}

/** Reads a target in origin, absolute or asterisk form; undefined if it is none. */
export function parseTarget(raw: string): RequestTarget | undefined {
  if (raw.charCodeAt(0) === 0x2f || raw === "*") return parseOrigin(raw, undefined);
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(raw);
  if (absolute === null) return undefined;
  const [, authority = "", rest = ""] = absolute;
  if (!isAuthority(authority)) return undefined;
  return parseOrigin(rest.startsWith("/") ? rest : `/${rest}`, authority);
}

/** Nearly all targets: nothing that needs a second look. */
const PLAIN_TARGET = /^[!$-;=?-_a-z|~]*$/;
const VALID_PATH = /^[!"$-;=@-_a-~]*$/;
const VALID_QUERY = /^[!$-;=?-~]*$/;

function parseOrigin(raw: string, authority: string | undefined): RequestTarget | undefined {
  const isPlain = PLAIN_TARGET.test(raw);
  const target = isPlain ? raw : withoutFragment(raw);
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? undefined : target.slice(mark + 1);
  if (!isPlain && !(VALID_PATH.test(path) && VALID_QUERY.test(query ?? ""))) return undefined;
  return { target, path, query, authority };
}

function withoutFragment(raw: string): string {
  const hash = raw.indexOf("#");
  return hash < 0 ? raw : raw.slice(0, hash);
}

/** Says whether a text is `host`, `host:port`, `[IPv6]:port`, any of them behind `user@`. */
export function isAuthority(text: string): boolean {
  return PLAIN_AUTHORITY.test(text) || AUTHORITY.test(text);
}

const PLAIN_AUTHORITY = /^[A-Za-z0-9._-]+(:[0-9]*)?$/;
const AUTHORITY = /^([\w.~!$&'()*+,;=:%-]*@)?(\[[0-9A-Za-z:.%]+\]|[\w.~!$&'()*+,;=-]+)(:[0-9]*)?$/;
