// Which hosts a component may reach: items of `allowed_outbound_hosts`, read and matched.
//
//     scheme://host[:port][/]      https://*.example.com   redis://[::1]:6379   *://10.0.0.0/8:8000..9000
//
// Hosts are compared in their normal form (IDNA, lower case, canonical addresses), as the URL standard
// has it. The rules are those of `crates/outbound-networking-config/src/allowed_hosts.rs` of Spin.

import { BlockList, isIP } from "node:net";

/** The domain below which the components of an application are reachable by their ids. */
export const SERVICE_CHAINING_DOMAIN = "spin.internal";

/** One item, read. */
export interface AllowedHost {
  readonly scheme: "*" | string;
  readonly host: HostPattern;
  readonly port: PortPattern;
}

export type HostPattern =
  | { readonly kind: "any" }
  | { readonly kind: "self" }
  /** Any depth below a domain, not the domain itself; the suffix begins with a dot. */
  | { readonly kind: "subdomain"; readonly suffix: string }
  | { readonly kind: "literal"; readonly host: string }
  | {
      readonly kind: "network";
      readonly network: string;
      readonly family: 4 | 6;
      readonly addresses: BlockList;
    };

export type PortPattern =
  | { readonly kind: "any" }
  /** From the first port to the one before the second. */
  | { readonly kind: "range"; readonly from: number; readonly to: number };

/** The part of a URL that is checked. */
export interface OutboundUrl {
  readonly scheme: string;
  /** As written in the URL, brackets of IPv6 included. */
  readonly host: string;
  readonly port: number | undefined;
}

/** An item that cannot be read; the message says why, without the item. */
export class AllowedHostSyntaxError extends Error {}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  mqtt: 1883,
  mysql: 3306,
  postgres: 5432,
  redis: 6379,
};

/** The hosts that one component may reach. */
export class AllowedHosts {
  readonly #items: readonly AllowedHost[];

  constructor(items: readonly AllowedHost[]) {
    this.#items = items;
  }

  /**
   * Reads items whose templates have been expanded. Items that came out empty are left out, so that an
   * optional endpoint can be an empty variable; `*.spin.internal` stands for the given components.
   */
  static parse(items: readonly string[], componentIds: readonly string[] = []): AllowedHosts {
    const hosts = items.filter((item) => !isEmptyItem(item)).map(parseAllowedHost);
    return new AllowedHosts(hosts.flatMap((host) => expandServiceChaining(host, componentIds)));
  }

  get items(): readonly AllowedHost[] {
    return this.#items;
  }

  allows(url: OutboundUrl): boolean {
    const host = normalHost(url.host);
    if (host === undefined) return false;
    const port = url.port ?? DEFAULT_PORTS[url.scheme];
    return this.#items.some(
      (item) =>
        matchesScheme(item, url.scheme) && matchesHost(item.host, host) && matchesPort(item.port, port),
    );
  }

  /** Whether a request to the application itself ("self", a URL without a host) is allowed. */
  allowsSelf(schemes: readonly string[]): boolean {
    return this.#items.some(
      ({ host, ...item }) =>
        (host.kind === "any" || host.kind === "self") &&
        schemes.some((scheme) => matchesScheme(item, scheme)),
    );
  }
}

/** Reads one item without templates; throws AllowedHostSyntaxError. */
export function parseAllowedHost(item: string): AllowedHost {
  const text = item.trim();
  const separator = text.indexOf("://");
  if (separator === -1) throw new AllowedHostSyntaxError(explainMissingScheme(text));
  const scheme = text.slice(0, separator);
  const [host, port] = splitPort(text.slice(separator + "://".length));
  return { scheme: parseScheme(scheme), port: parsePort(port, scheme), host: parseHost(host) };
}

/** An item whose variables are empty: nothing, or a scheme and nothing. */
export function isEmptyItem(expanded: string): boolean {
  return ["", "http://", "https://"].includes(expanded.trim());
}

/**
 * Reads the URL of an outbound request. If it has no scheme of its own, `scheme` is put in front.
 * A user and password may have any character but "/": they are not looked at. Undefined: not a URL.
 */
export function parseOutboundUrl(text: string, scheme: string): OutboundUrl | undefined {
  const url = withoutUserinfo(text);
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(url);
  const parsed = URL.parse(hasScheme ? url : `${scheme}://${url}`);
  if (!parsed?.hostname) return undefined;
  return {
    scheme: parsed.protocol.slice(0, -1),
    host: parsed.hostname,
    port: parsed.port === "" ? undefined : Number(parsed.port),
  };
}

function withoutUserinfo(url: string): string {
  const at = url.indexOf("@");
  const scheme = url.indexOf("://");
  const start = scheme === -1 ? 0 : scheme + "://".length;
  const path = url.indexOf("/", start);
  const isInAuthority = at >= start && (path === -1 || at < path);
  return isInAuthority ? url.slice(0, start) + url.slice(at + 1) : url;
}

function explainMissingScheme(text: string): string {
  if (!["*", ":", "", "?"].includes(text)) return 'it does not contain a scheme, such as "http://" or "*://"';
  return 'expected <scheme>://<host>[:<port>]; to allow all hosts, which gives up the sandbox, write "*://*:*"';
}

/** Splits at the last colon, unless that belongs to an IPv6 address. */
function splitPort(rest: string): readonly [host: string, port: string] {
  const colon = rest.lastIndexOf(":");
  if (colon === -1) return [rest, ""];
  const tail = rest.slice(colon + 1);
  if (tail !== "" && canParseHost(rest)) return [rest, ""];
  const slash = tail.indexOf("/");
  if (slash !== -1 && slash < tail.length - 1) {
    throw new AllowedHostSyntaxError("it has a path, which is not allowed");
  }
  return [rest.slice(0, colon), slash === -1 ? tail : tail.slice(0, slash)];
}

function canParseHost(host: string): boolean {
  try {
    parseHost(host);
    return true;
  } catch (error) {
    if (error instanceof AllowedHostSyntaxError) return false;
    throw error;
  }
}

function parseScheme(scheme: string): string {
  if (scheme === "*") return scheme;
  if (scheme.startsWith("{")) throw new AllowedHostSyntaxError("lists of schemes are not supported");
  if (/[^\p{Alphabetic}]/u.test(scheme)) {
    throw new AllowedHostSyntaxError(`the scheme "${scheme}" may only have letters`);
  }
  return scheme;
}

function parsePort(port: string, scheme: string): PortPattern {
  if (port === "*") return { kind: "any" };
  if (port === "") {
    const known = DEFAULT_PORTS[scheme];
    if (known !== undefined) return { kind: "range", from: known, to: known + 1 };
    throw new AllowedHostSyntaxError(`no port was given, and the scheme "${scheme}" has no default port`);
  }
  if (port.startsWith("{")) throw new AllowedHostSyntaxError("lists of ports are not supported");
  const [from = "", to] = port.split(/\.\.(.*)/s, 2);
  const first = parsePortNumber(from, port);
  return { kind: "range", from: first, to: to === undefined ? first + 1 : parsePortNumber(to, port) };
}

function parsePortNumber(digits: string, port: string): number {
  const number = /^\+?[0-9]+$/.test(digits) ? Number(digits) : Number.NaN;
  if (number <= 65535) return number;
  throw new AllowedHostSyntaxError(
    `the port "${port}" is not a number up to 65535, nor a range such as 8000..9000`,
  );
}

function parseHost(text: string): HostPattern {
  const host = text.trim();
  if (host === "*") return { kind: "any" };
  if (host === "self" || host === "self.alt") return { kind: "self" };
  if (host.startsWith("{")) throw new AllowedHostSyntaxError("lists of hosts are not supported");
  const network = parseNetwork(host);
  if (network) return network;
  const bare = host.endsWith("/") ? host.slice(0, -1) : host;
  if (bare.includes("/")) throw new AllowedHostSyntaxError("it has a path, which is not allowed");
  if (bare.startsWith("*.")) return parseSubdomain(bare.slice("*.".length));
  if (bare.includes("*"))
    throw new AllowedHostSyntaxError("a wildcard can only be the first label of a host");
  return { kind: "literal", host: requireHost(bare) };
}

function parseSubdomain(domain: string): HostPattern {
  if (domain.includes("*"))
    throw new AllowedHostSyntaxError("a wildcard can only be the first label of a host");
  const normal = requireHost(domain);
  if (isAddress(normal)) throw new AllowedHostSyntaxError("a wildcard needs a domain, not an address");
  return { kind: "subdomain", suffix: `.${normal}` };
}

/** Reads `address/bits`; bits of the address beyond the prefix are ignored. */
function parseNetwork(host: string): HostPattern | undefined {
  const [address = "", bits, ...more] = host.split("/");
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes("%")) return undefined;
  if (bits === undefined || more.length > 0 || !/^[0-9]{1,3}$/.test(bits)) return undefined;
  if (Number(bits) > (family === 4 ? 32 : 128)) return undefined;
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return { kind: "network", network: host, family, addresses };
}

function requireHost(host: string): string {
  const normal = normalHost(host);
  if (normal === undefined) throw new AllowedHostSyntaxError(`"${host}" is not a valid host`);
  return normal;
}

/** A host as the URL standard writes it: lower case, punycode, canonical addresses. Undefined: not a host. */
function normalHost(host: string): string | undefined {
  // These would end the host, so that another part of the text would be taken for it.
  if (/[\s/\\?#@]/.test(host) || /:(?![^[]*\])/.test(host)) return undefined;
  return URL.parse(`http://${host}/`)?.hostname || undefined;
}

function isAddress(normalHost: string): boolean {
  return normalHost.startsWith("[") || isIP(normalHost) !== 0;
}

function expandServiceChaining(item: AllowedHost, componentIds: readonly string[]): readonly AllowedHost[] {
  const { host } = item;
  if (host.kind !== "subdomain" || host.suffix !== `.${SERVICE_CHAINING_DOMAIN}`) return [item];
  return componentIds.map((id) => ({
    ...item,
    host: { kind: "literal", host: `${id}.${SERVICE_CHAINING_DOMAIN}`.toLowerCase() },
  }));
}

function matchesScheme(item: Pick<AllowedHost, "scheme">, scheme: string): boolean {
  return item.scheme === "*" || item.scheme === scheme;
}

function matchesHost(pattern: HostPattern, host: string): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "self":
      return false;
    case "subdomain":
      return !isAddress(host) && host.endsWith(pattern.suffix);
    case "literal":
      return host === pattern.host;
    case "network":
      return matchesNetwork(pattern, host);
  }
}

/** An IPv4 network has no IPv6 addresses in it, not even those that stand for IPv4 ones. */
function matchesNetwork(
  { family, addresses }: HostPattern & { readonly kind: "network" },
  host: string,
): boolean {
  if (host.startsWith("[")) return family === 6 && addresses.check(host.slice(1, -1), "ipv6");
  return family === 4 && isIP(host) === 4 && addresses.check(host, "ipv4");
}

function matchesPort(pattern: PortPattern, port: number | undefined): boolean {
  if (pattern.kind === "any") return true;
  return port !== undefined && port >= pattern.from && port < pattern.to;
}
