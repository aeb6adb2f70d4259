// Reads `--listen`: a host and a port, as Spin takes them.

import { isIPv6 } from "node:net";
import { InvalidArgumentError } from "commander";

export interface ListenAddress {
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:3000`, `localhost:3000`, `[::1]:3000`. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text.trim()) ?? [];
  const port = Number(digits);
  const host = plain ?? bracketed ?? "";
  if (digits === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new InvalidArgumentError("It must be HOST:PORT, such as 127.0.0.1:3000 or [::1]:3000.");
  }
  return { host, port };
}
