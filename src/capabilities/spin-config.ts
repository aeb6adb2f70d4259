// `spin-config`: variables for guests of the legacy Spin ABI, in both of its generations.

import type { Caller, Linker } from "../engine/mod.ts";
import type { CapabilityContext } from "./capability-context.ts";
import { GuestWriter } from "./spin-abi/guest-writer.ts";
import type { SpinAbis } from "./spin-abi/spin-abis.ts";
import { configError } from "./spin-components/variables.ts";

/** In the order of the interface: a case is told by its number. */
const CASES = ["provider", "invalid-key", "invalid-schema", "other"] as const;

/** Defines the import. `abis` knows in which layout each component wants its answers. */
export function addSpinConfigToLinker<C extends CapabilityContext>(linker: Linker<C>, abis: SpinAbis): void {
  /**
   * Looks up a variable of the component, without a wait and without an effect.
   *
   *     get-config(key: ptr, length, result: ptr)
   *     ok    -> tag @0 = 0, ptr  @stride, length @2 stride
   *     error -> tag @0 = 1, case @stride, ptr    @2 stride, length @3 stride
   *
   * The stride is 8 in generation A and 4 in B. What B has in less than a word is followed by padding,
   * so whole words are right for both. The guest traps if the key lies outside of its memory or is not UTF-8.
   */
  const getConfig = (
    caller: Caller<CapabilityContext>,
    key: number,
    keyLength: number,
    result: number,
  ): undefined => {
    const { memory, data } = caller;
    const found = data.variables.get(memory.readText(key, keyLength));
    const error = found.tag === "err" ? configError(found.val) : undefined;
    const text = Buffer.from(found.tag === "ok" ? found.val : found.val.val);
    const words = error ? [1, CASES.indexOf(error.tag)] : [0];
    words.push(new GuestWriter(caller).bytes(text), text.length);
    const stride = abis.of(data.componentId).version.generation === "A" ? 8 : 4;
    words.forEach((word, index) => {
      memory.writeU32(result + index * stride, word);
    });
  };
  linker.func("spin-config", "get-config", "i32 i32 i32 ->", getConfig);
}
