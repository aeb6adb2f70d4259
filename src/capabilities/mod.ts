// The door of the capabilities room: what Spin adds for a guest.

export type { CapabilityContext } from "./capability-context.ts";
export { addCapabilitiesToLinker } from "./linking.ts";
export { methodNumber } from "./spin-abi/http-types.ts";
export { type GuestRequest, writeRequest } from "./spin-abi/request.ts";
export { type GuestResponse, readResponse } from "./spin-abi/response-area.ts";
export { SpinAbis } from "./spin-abi/spin-abis.ts";
export { type Generation, SpinAbi, type SpinAbiVersion } from "./spin-abi/version.ts";
