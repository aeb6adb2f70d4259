// The door of the capabilities room: what Spin adds for a guest.

export type { CapabilityContext } from "./capability-context.ts";
export { addCapabilitiesToComponentLinker } from "./component-linking.ts";
export type { GuestVariables, VariableError } from "./guest-variables.ts";
export { addCapabilitiesToLinker } from "./linking.ts";
export { methodNumber } from "./spin-abi/http-types.ts";
export { type GuestRequest, writeRequest } from "./spin-abi/request.ts";
export { type GuestResponse, readResponse } from "./spin-abi/response-area.ts";
export { SpinAbis } from "./spin-abi/spin-abis.ts";
export { type Generation, SpinAbi, type SpinAbiVersion } from "./spin-abi/version.ts";
export { debugText, HttpFailure } from "./wasi-http/error-code.ts";
export { HeldBytes } from "./wasi-http/held-bytes.ts";
export {
  IncomingRequest,
  type ReceivedRequest,
  type ResponseOutcome,
  ResponseOutparam,
  type ResponseReceiver,
} from "./wasi-http/incoming-request.ts";
