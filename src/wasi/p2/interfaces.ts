// The form in which the interfaces of preview 2 are written down.

import type { ComponentCaller } from "../../engine/mod.ts";
import type { Wasi } from "../wasi.ts";

/**
 * The texts of WASI 0.2 that guests are built against. 0.2.12 has all that its predecessors have; the
 * drafts are served to those who name them, as Spin does (`crates/factor-wasi/src` at v4.0.2).
 */
export const Version = {
  OCTOBER: "0.2.0-rc-2023-10-18",
  NOVEMBER: "0.2.0-rc-2023-11-10",
  FINAL: "0.2.12",
} as const;

export type VersionName = (typeof Version)[keyof typeof Version];

export type GuestCaller = ComponentCaller<unknown>;

/** Arguments and result are values as the component model has them in JavaScript, see `ValueType`. */
export type WasiFunction = (wasi: Wasi, caller: GuestCaller, ...args: never[]) => unknown;

export interface WasiInterface {
  readonly wit: string;
  /** By name in WIT: `get-random-u64`, `[method]input-stream.read`. */
  readonly functions: Readonly<Record<string, WasiFunction>>;
  /** Those that may return a promise, in second gear. */
  readonly waiting?: Readonly<Record<string, WasiFunction>>;
  /** Resources whose objects must be let go, by name. */
  readonly resources?: Readonly<Record<string, (object: never) => void>>;
}

export type Result<T, E> = { readonly tag: "ok"; readonly val: T } | { readonly tag: "err"; readonly val: E };

export function ok(): Result<undefined, never>;
export function ok<T>(val: T): Result<T, never>;
export function ok(val?: unknown): Result<unknown, never> {
  return { tag: "ok", val };
}

export function err<E>(val: E): Result<never, E> {
  return { tag: "err", val };
}

/** For resources that hold something. */
export function dispose(object: Disposable): void {
  object[Symbol.dispose]();
}

/** Functions that drafts had, that nobody has implemented, and that end whoever calls them. */
export function withdrawn(names: readonly string[]): Record<string, WasiFunction> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      () => {
        throw new Error(`"${name}" was withdrawn before WASI 0.2.0, and is not implemented`);
      },
    ]),
  );
}
