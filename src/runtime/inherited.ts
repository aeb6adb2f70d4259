// What a dependency may use of the configuration of the component that it is linked into.
//
// The table is that of `crates/compose` and its deny adapter at Spin v4.0.2.

import type { ImportedFunction } from "../component/mod.ts";
import type { Component, Inheritable } from "../manifest/mod.ts";

/** Beginnings of the names of interfaces, without versions, that each part of a configuration opens. */
const INTERFACES: Readonly<Record<Inheritable, readonly string[]>> = {
  ai_models: ["fermyon:spin/llm"],
  allowed_outbound_hosts: [
    "fermyon:spin/http",
    "fermyon:spin/mqtt",
    "fermyon:spin/mysql",
    "fermyon:spin/postgres",
    "fermyon:spin/redis",
    "spin:mqtt/mqtt",
    "spin:mysql/mysql",
    "spin:postgres/postgres",
    "spin:redis/redis",
    "wasi:http/client",
    "wasi:http/outgoing-handler",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
  ],
  environment: ["wasi:cli/environment"],
  files: ["wasi:filesystem/preopens"],
  key_value_stores: ["fermyon:spin/key-value", "spin:key-value/key-value", "wasi:keyvalue/store"],
  sqlite_databases: ["fermyon:spin/sqlite", "spin:sqlite/sqlite"],
  variables: [
    "fermyon:spin/config",
    "fermyon:spin/variables",
    "spin:variables/variables",
    "wasi:config/store",
  ],
};

/** Tells which imports of a component's dependencies are to be refused. */
export function denialsOf({
  dependencies,
}: Pick<Component, "dependencies">): (item: ImportedFunction) => boolean {
  const denied = new Map<string, ReadonlySet<string>>();
  for (const [name, { inherits }] of Object.entries(dependencies)) {
    const closed = Object.entries(INTERFACES).filter(([part]) => !inherits.some((each) => each === part));
    denied.set(name, new Set(closed.flatMap(([, interfaces]) => interfaces)));
  }
  return ({ importer, interface: from }) =>
    importer !== undefined && (denied.get(importer)?.has(from?.split("@")[0] ?? "") ?? false);
}
