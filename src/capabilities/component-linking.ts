// Defines every interface that Spin adds for components.

import type { ComponentLinker } from "../engine/mod.ts";
import type { CapabilityContext } from "./capability-context.ts";
import { outboundHttpInterfaces } from "./spin-components/outbound-http.ts";
import { variableInterfaces } from "./spin-components/variables.ts";
import { wasiHttpInterfaces } from "./wasi-http/linking.ts";

/** The interfaces of WASI that these are built on must be defined in the linker too, before or after. */
export function addCapabilitiesToComponentLinker<C extends CapabilityContext>(
  linker: ComponentLinker<C>,
): void {
  const interfaces = [...wasiHttpInterfaces(), ...outboundHttpInterfaces, ...variableInterfaces];
  for (const host of interfaces) linker.define(host);
}
