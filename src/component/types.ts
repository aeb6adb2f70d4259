// The types of the component model, with every name and index resolved.
//
// A resource type is one object: two types name the same resource if, and only if, they hold the same
// object. A nested component that is instantiated twice has two of each resource that it defines.

import type { CoreRef } from "./core-ref.ts";

export type PrimitiveKind =
  | "bool"
  | "s8"
  | "u8"
  | "s16"
  | "u16"
  | "s32"
  | "u32"
  | "s64"
  | "u64"
  | "f32"
  | "f64"
  | "char"
  | "string";

/** A value of a component, and what it is in JavaScript. */
export type ValueType =
  /** boolean, number, bigint for 64 bits, string */
  | { readonly kind: PrimitiveKind }
  /** an object with the fields' names in camelCase */
  | { readonly kind: "record"; readonly fields: readonly Field[] }
  /** `{ tag: "case-name", val }`; without `val` where the case has no payload */
  | { readonly kind: "variant"; readonly cases: readonly Case[] }
  /** an array; for a list of u8 what `ByteLists` says */
  | { readonly kind: "list"; readonly element: ValueType; readonly length?: number }
  /** an array */
  | { readonly kind: "tuple"; readonly elements: readonly ValueType[] }
  /** an object with a boolean for each name in camelCase */
  | { readonly kind: "flags"; readonly names: readonly string[] }
  /** the case's name */
  | { readonly kind: "enum"; readonly names: readonly string[] }
  /** the value or `undefined`; `{ tag: "none" }` or `{ tag: "some", val }` if the payload is an option itself */
  | { readonly kind: "option"; readonly payload: ValueType }
  /** `{ tag: "ok", val }` or `{ tag: "err", val }` */
  | { readonly kind: "result"; readonly ok?: ValueType; readonly error?: ValueType }
  /** the host's own object for a resource of the host; a `GuestResource` for one that a component defines */
  | { readonly kind: "own" | "borrow"; readonly resource: ResourceType };

/**
 * What a list of u8 without a fixed length is: a Uint8Array, copied, or a text with one character for each
 * byte, which costs a third where the bytes are texts to the host as well.
 */
export type ByteLists = "arrays" | "text";

export interface Field {
  readonly name: string;
  readonly type: ValueType;
}

export interface Case {
  readonly name: string;
  readonly type?: ValueType;
}

export interface FunctionType {
  readonly params: readonly Field[];
  readonly result?: ValueType;
}

export type ResourceType =
  /** The host's: `interface` is its full name with version, `name` that of the resource in it. */
  | { readonly kind: "imported"; readonly interface: string; readonly name: string }
  /** Defined by a component: its instances are numbers of the component, which `destructor` lets go. */
  | {
      readonly kind: "defined";
      readonly name: string | undefined;
      /** Number of the component instance that defines it. */
      readonly owner: number;
      readonly destructor?: CoreRef;
    };
