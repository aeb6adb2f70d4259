// What the sockets of a guest may reach. Whoever links the guest says so: nothing here knows of lists.

/** `address` is an IP address as text, without brackets or scope. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** Guests never listen: there is no use for the address of a TCP socket of their own. */
export type SocketUse = "tcp-connect" | "udp-bind" | "udp-send";

export interface GuestNetwork {
  /** Whether a guest may use an address. Asked before each connection and each datagram. */
  allows(use: SocketUse, remote: SocketAddress): boolean;
  /** Counts a socket until the result is disposed; undefined if there are too many over all guests. */
  admit(): Disposable | undefined;
  /** The addresses of a name. Absent: guests may not look up names. */
  lookUp?(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

export const NO_NETWORK: GuestNetwork = {
  allows: () => false,
  admit: () => ({ [Symbol.dispose]() {} }),
};
