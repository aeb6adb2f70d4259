// Defines every import that Spin adds for core modules.

import type { Linker } from "../engine/mod.ts";
import type { CapabilityContext } from "./capability-context.ts";
import { addExperimentalHttpToLinker } from "./experimental-http.ts";
import { addOutboundHttpToLinker } from "./outbound-http.ts";
import type { SpinAbis } from "./spin-abi/spin-abis.ts";
import { addSpinConfigToLinker } from "./spin-config.ts";

/** A component that imports a legacy interface which is not defined here is refused at start-up. */
export function addCapabilitiesToLinker<C extends CapabilityContext>(
  linker: Linker<C>,
  abis: SpinAbis,
): void {
  addOutboundHttpToLinker(linker, abis);
  addExperimentalHttpToLinker(linker);
  addSpinConfigToLinker(linker, abis);
}
