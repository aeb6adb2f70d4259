// A guest with nothing of its own: it imports every function that there is, and exports each under its
// name, so that a test can call them with any arguments, through the real engine.
//
// Its allocator hands out pieces of memory in order, or lies: it gives what the word at LIE says.

import { addCapabilitiesToLinker, SpinAbis } from "../../src/capabilities/mod.ts";
import { Linker } from "../../src/engine/mod.ts";
import type { RuntimeContext } from "../../src/runtime/mod.ts";
import { addWasiP1ToLinker } from "../../src/wasi/mod.ts";
import { type FunctionType, ModuleBuilder, OP } from "../../src/wasm/mod.ts";
import { COMPONENT_ID } from "../guest-context.ts";

export interface DrivenImport {
  /** `module name`, under which it is exported. */
  readonly name: string;
  readonly type: FunctionType;
}

export const PAGES = { min: 4, max: 8 } as const;
/** Addresses of two words: what the allocator gives if it is not 0, and how much it has given. */
export const LIE = 0x2fff0;
const GIVEN = LIE + 4;
/** Where the allocator's memory begins. */
const HEAP = 0x30000;

/** Every import that a component may have. */
export function allImports(): DrivenImport[] {
  const linker = new Linker<RuntimeContext<undefined>>();
  addWasiP1ToLinker(linker, (context) => context.wasi);
  addCapabilitiesToLinker(linker, new SpinAbis([{ id: COMPONENT_ID, tool: {} }]));
  return linker.moduleNames().flatMap((module) =>
    linker.names(module).flatMap((name) => {
      const linked = linker.get(module, name);
      return linked ? [{ name: `${module} ${name}`, type: linked.type }] : [];
    }),
  );
}

export function driverModule(imports: readonly DrivenImport[], memory: "shared" | "unshared"): Uint8Array {
  const builder = new ModuleBuilder();
  const imported = imports.map(({ name, type }) => {
    const [module = "", field = ""] = name.split(" ");
    return builder.importFunction(module, field, type);
  });
  builder.exportMemory("memory", builder.memory({ ...PAGES, is64: false, shared: memory === "shared" }));
  for (const [position, { name, type }] of imports.entries()) {
    const trampoline = builder.func(type, [], (code) => {
      for (let param = 0; param < type.params.length; param++) code.u8(OP.LOCAL_GET).u32(param);
      code.u8(OP.CALL).u32(imported[position] ?? 0);
    });
    builder.exportFunction(name, trampoline);
  }
  builder.exportFunction(
    "nothing",
    builder.func({ params: [], results: [] }, [], () => {}),
  );
  addAllocator(builder);
  return builder.build();
}

/** Rounds what it has given up to 8 bytes, for it promises no less. */
export function addAllocator(builder: ModuleBuilder): void {
  const type: FunctionType = { params: ["i32", "i32", "i32", "i32"], results: ["i32"] };
  const LENGTH = 3;
  const allocate = builder.func(type, [], (code) => {
    code.u8(OP.I32_CONST).signed(LIE).u8(OP.I32_LOAD, 2, 0, OP.IF, 0x40);
    code.u8(OP.I32_CONST).signed(LIE).u8(OP.I32_LOAD, 2, 0, OP.RETURN, OP.END);
    code.u8(OP.I32_CONST).signed(GIVEN).u8(OP.I32_CONST).signed(GIVEN).u8(OP.I32_LOAD, 2, 0);
    code.u8(OP.LOCAL_GET, LENGTH, OP.I32_ADD, OP.I32_CONST, 15, OP.I32_ADD);
    code.u8(OP.I32_CONST, 0x78, I32_AND, OP.I32_STORE, 2, 0);
    code.u8(OP.I32_CONST).signed(HEAP).u8(OP.I32_CONST).signed(GIVEN).u8(OP.I32_LOAD, 2, 0);
    code.u8(OP.I32_ADD, OP.LOCAL_GET, LENGTH, OP.I32_SUB, OP.I32_CONST, 0x78, I32_AND);
  });
  builder.exportFunction("canonical_abi_realloc", allocate);
}

const I32_AND = 0x71;
