// What can go wrong in the sandbox, in the numbers of WASI preview 1.
//
// The later previews have the same list under names; their façades map from these numbers. Inside the
// sandbox an error is thrown, as one object per number that is made once: no stack is captured, so that
// a look-up of a file that is not there costs a fraction of a microsecond.

/** `errno` of `wasi_snapshot_preview1`. */
export const Errno = {
  SUCCESS: 0,
  TOOBIG: 1,
  ACCES: 2,
  ADDRINUSE: 3,
  ADDRNOTAVAIL: 4,
  AFNOSUPPORT: 5,
  AGAIN: 6,
  ALREADY: 7,
  BADF: 8,
  BADMSG: 9,
  BUSY: 10,
  CANCELED: 11,
  CHILD: 12,
  CONNABORTED: 13,
  CONNREFUSED: 14,
  CONNRESET: 15,
  DEADLK: 16,
  DESTADDRREQ: 17,
  DOM: 18,
  DQUOT: 19,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  HOSTUNREACH: 23,
  IDRM: 24,
  ILSEQ: 25,
  INPROGRESS: 26,
  INTR: 27,
  INVAL: 28,
  IO: 29,
  ISCONN: 30,
  ISDIR: 31,
  LOOP: 32,
  MFILE: 33,
  MLINK: 34,
  MSGSIZE: 35,
  MULTIHOP: 36,
  NAMETOOLONG: 37,
  NETDOWN: 38,
  NETRESET: 39,
  NETUNREACH: 40,
  NFILE: 41,
  NOBUFS: 42,
  NODEV: 43,
  NOENT: 44,
  NOEXEC: 45,
  NOLCK: 46,
  NOLINK: 47,
  NOMEM: 48,
  NOMSG: 49,
  NOPROTOOPT: 50,
  NOSPC: 51,
  NOSYS: 52,
  NOTCONN: 53,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTRECOVERABLE: 56,
  NOTSOCK: 57,
  NOTSUP: 58,
  NOTTY: 59,
  NXIO: 60,
  OVERFLOW: 61,
  OWNERDEAD: 62,
  PERM: 63,
  PIPE: 64,
  PROTO: 65,
  PROTONOSUPPORT: 66,
  PROTOTYPE: 67,
  RANGE: 68,
  ROFS: 69,
  SPIPE: 70,
  SRCH: 71,
  STALE: 72,
  TIMEDOUT: 73,
  TXTBSY: 74,
  XDEV: 75,
  NOTCAPABLE: 76,
} as const;

export type ErrnoName = keyof typeof Errno;
export type ErrnoValue = (typeof Errno)[ErrnoName];

/** An operation that failed in a way that the guest is told. Not an `Error`: see the head of this file. */
export class Failure {
  readonly name: ErrnoName;
  readonly errno: ErrnoValue;

  constructor(name: ErrnoName) {
    this.name = name;
    this.errno = Errno[name];
  }
}

const FAILURES: ReadonlyMap<string, Failure> = new Map(
  // Object.keys() of an `as const` object gives exactly its keys.
  (Object.keys(Errno) as ErrnoName[]).map((name) => [name, new Failure(name)]),
);

/** The one failure of that name; `throw failure("NOENT")`. */
export function failure(name: ErrnoName): Failure {
  const known = FAILURES.get(name);
  if (!known) throw new Error(`"${name}" is not an errno`);
  return known;
}

/** Names that the systems below Node use and WASI does not. */
const SYNONYMS: ReadonlyMap<string, ErrnoName> = new Map([
  ["EOPNOTSUPP", "NOTSUP"],
  ["EWOULDBLOCK", "AGAIN"],
  ["E2BIG", "TOOBIG"],
]);

/**
 * The failure that a system error of Node stands for (`code: "ENOENT"`), or undefined where the error
 * did not come from the system. A code that WASI has no number for is IO.
 */
export function failureOfSystemError(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  const code = String(error.code);
  const name = SYNONYMS.get(code) ?? code.replace(/^E/, "");
  return FAILURES.get(name) ?? failure("IO");
}
