// Gives WASI 0.2 to a linker of components, in all its versions.

import type { ComponentCaller, HostInterface } from "../../engine/mod.ts";
import { suspending } from "../../engine/mod.ts";
import type { Wasi } from "../wasi.ts";
import { cliInterfaces } from "./cli.ts";
import { clockInterfaces } from "./clocks.ts";
import { filesystemInterfaces } from "./filesystem.ts";
import { Version, type VersionName, type WasiFunction, type WasiInterface } from "./interfaces.ts";
import { pollInterface } from "./poll.ts";
import { randomInterfaces } from "./random.ts";
import { socketInterfaces } from "./sockets/interfaces.ts";
import { errorInterface, streamsInterface } from "./streams.ts";

/** What is needed of a `ComponentLinker`. */
interface InterfaceLinker<T> {
  define(host: HostInterface<T>): unknown;
}

/**
 * Defines `wasi:{cli,clocks,filesystem,io,random,sockets}` in 0.2 and its two drafts.
 *
 * @param get finds the state of the present call in the data of the store
 */
export function addWasiP2ToLinker<T>(linker: InterfaceLinker<T>, get: (data: T) => Wasi): void {
  for (const version of Object.values(Version)) {
    for (const wasiInterface of interfacesOf(version)) linker.define(bind(wasiInterface, get));
  }
}

function interfacesOf(version: VersionName): WasiInterface[] {
  return [
    ...(version === Version.OCTOBER ? [] : [errorInterface(version)]),
    pollInterface(version),
    streamsInterface(version),
    ...clockInterfaces(version),
    ...randomInterfaces(version),
    ...cliInterfaces(version),
    ...filesystemInterfaces(version),
    ...socketInterfaces(version),
  ];
}

function bind<T>(
  { wit, functions, waiting = {}, resources = {} }: WasiInterface,
  get: (data: T) => Wasi,
): HostInterface<T> {
  const bound =
    (fn: WasiFunction) =>
    (caller: ComponentCaller<T>, ...args: never[]) =>
      fn(get(caller.data), caller, ...args);
  return {
    wit,
    functions: {
      ...mapValues(functions, bound),
      ...mapValues(waiting, (fn) => suspending(bound(fn))),
    },
    resources: mapValues(resources, (drop) => ({ drop: (_caller, object) => drop(object) })),
  };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
