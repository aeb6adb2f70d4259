// `allowed_http_hosts`, the list that manifests had before `allowed_outbound_hosts`, converted to it.
//
// An item was a host with or without a port, for HTTP and HTTPS alike; "self" the application, and
// "insecure:allow-all" every host (`crates/manifest/src/compat.rs` of Spin).

import { type Findings, type KeyPath, quote } from "./findings.ts";

const EVERY_HTTP_HOST = ["http://*:*", "https://*:*", "http://self"];

/** What a component of version 1 could reach without saying so, before it was asked to say. */
export const DATABASE_HOSTS = ["redis://*:*", "mysql://*:*", "postgres://*:*"];

/** Converts the items; those that cannot be read are reported below `path` and left out. */
export function convertAllowedHttpHosts(
  items: readonly string[],
  path: KeyPath,
  findings: Findings,
): string[] {
  if (items.includes("insecure:allow-all")) return EVERY_HTTP_HOST;
  return items.flatMap((item, index) => {
    const host = hostOf(item);
    if (host.kind === "host")
      return host.host === "self" ? ["http://self"] : [`http://${host.host}`, `https://${host.host}`];
    const message = `Invalid allowed HTTP host ${quote(item)}: ${host.flaw}`;
    findings.error([...path, index], { code: "MANIFEST_HOST", message });
    return [];
  });
}

type ReadHost =
  | { readonly kind: "host"; readonly host: string }
  | { readonly kind: "mistake"; readonly flaw: string };

function hostOf(item: string): ReadHost {
  const url = URL.parse(item.includes("//") ? item : `http://${item}`);
  if (!url?.hostname || !["http:", "https:"].includes(url.protocol)) {
    return { kind: "mistake", flaw: "it is not a host, or host:port" };
  }
  if (url.pathname.length > 1)
    return { kind: "mistake", flaw: "it contains a path; expected a host and an optional port" };
  return { kind: "host", host: url.host };
}
