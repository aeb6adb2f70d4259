// wasi:random: bytes that nobody can guess. The insecure ones are no worse.

import type { Wasi } from "../wasi.ts";
import type { GuestCaller, VersionName, WasiInterface } from "./interfaces.ts";

/** Of one list; making so many takes about 10 ms. Asking for more is a trap. */
const RANDOM_BYTES_MAX = 16 * 1024 * 1024;

export function randomInterfaces(version: VersionName): WasiInterface[] {
  return [
    {
      wit: `interface wasi:random/random@${version} {
        get-random-bytes: func(len: u64) -> list<u8>;
        get-random-u64: func() -> u64;
      }`,
      functions: { "get-random-bytes": randomBytes, "get-random-u64": randomU64 },
    },
    {
      wit: `interface wasi:random/insecure@${version} {
        get-insecure-random-bytes: func(len: u64) -> list<u8>;
        get-insecure-random-u64: func() -> u64;
      }`,
      functions: { "get-insecure-random-bytes": randomBytes, "get-insecure-random-u64": randomU64 },
    },
    {
      wit: `interface wasi:random/insecure-seed@${version} { insecure-seed: func() -> tuple<u64, u64>; }`,
      functions: { "insecure-seed": (wasi, caller) => [randomU64(wasi, caller), randomU64(wasi, caller)] },
    },
  ];
}

function randomBytes(wasi: Wasi, caller: GuestCaller, length: bigint): Uint8Array {
  if (length > RANDOM_BYTES_MAX) {
    throw new Error(`The guest asks for ${length} random bytes at once, more than ${RANDOM_BYTES_MAX}`);
  }
  const bytes = Buffer.allocUnsafe(Number(length));
  wasi.random(caller, bytes);
  return bytes;
}

function randomU64(wasi: Wasi, caller: GuestCaller): bigint {
  const bytes = Buffer.allocUnsafe(8);
  wasi.random(caller, bytes);
  return bytes.readBigUInt64LE();
}
