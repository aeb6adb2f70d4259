// Tells V8 which branches are hardly ever taken: those of the epoch checks.
//
// Otherwise it keeps registers free for the call behind the check, wherever there is one: an inner loop
// then takes twice the time. The section is that of the branch hinting proposal.

import { ByteWriter } from "./byte-writer.ts";
import { SECTION } from "./opcodes.ts";

const UNLIKELY = 0;

export class BranchHints {
  readonly #hints = new ByteWriter(1024);
  #functions = 0;

  /** Functions come in order, and offsets too; those are counted from where the locals of the body begin. */
  add(functionIndex: number, offsets: readonly number[]): void {
    if (offsets.length === 0) return;
    this.#functions++;
    this.#hints.u32(functionIndex).u32(offsets.length);
    for (const offset of offsets) this.#hints.u32(offset).op(1).op(UNLIKELY);
  }

  /** Writes the section, which must come before the code. */
  write(out: ByteWriter): void {
    if (this.#functions === 0) return;
    const contents = new ByteWriter(this.#hints.length + 64).name("metadata.code.branch_hint");
    contents.u32(this.#functions).append(this.#hints.view());
    out.u8(SECTION.CUSTOM).sized(contents.view());
  }
}
