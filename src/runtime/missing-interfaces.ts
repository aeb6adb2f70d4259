// Interfaces of Spin that are not there yet. A component may import them, because some SDKs import their
// whole world whatever the program uses; it traps when it calls one of their functions.

import type { Diagnostic } from "../errors/mod.ts";
import type { Program } from "./program.ts";

/** Beginnings of the names. */
const SPIN_PACKAGES = [
  "fermyon:spin/",
  "spin:key-value/",
  "spin:mqtt/",
  "spin:mysql/",
  "spin:postgres/",
  "spin:redis/",
  "spin:sqlite/",
  "spin:variables/",
  "wasi:config/",
  "wasi:keyvalue/",
  "wasi:otel/",
];

export function isSpinInterface(name: string): boolean {
  return SPIN_PACKAGES.some((start) => name.startsWith(start));
}

/** One warning for a component that imports what is not there. */
export function missingWarnings<C>(componentId: string, program: Program<C>): Diagnostic[] {
  if (program.kind === "module" || program.component.missing.length === 0) return [];
  const names = program.component.missing.map((name) => `\`${name}\``).join(", ");
  return [
    {
      code: "COMPONENT_INTERFACE_MISSING",
      severity: "warning",
      message: `Component "${componentId}" imports ${names}, which this version does not have: it traps if it calls a function of theirs`,
    },
  ];
}
