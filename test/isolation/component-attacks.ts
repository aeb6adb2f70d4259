// Components that look for what an earlier call left, and that leave all they can.
//
// Each is made of three core modules: a library, a keeper of resources, which is a component instance of
// its own, and a main module with the two functions of the attack: `$look` answers 0 in a fresh state
// only, `$soil` changes everything of its kind. Each ending is an exported function of the component that
// soils, and then ends in its way.

import type { ComponentPlan, CoreRef, FunctionType, ResourceType } from "../../src/component/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";

export const HOST = "test:host/things@1.0.0";
export const HOST_WIT = `interface ${HOST} {
  resource thing;
  get: func() -> thing;
  use: func(lent: borrow<thing>);
  wait: func();
  leave: func();
}`;

export interface ComponentAttack {
  readonly name: string;
  readonly look: string;
  readonly soil: string;
}

export type Ending = "return" | "trap" | "exit";

/** How a call ends that has soiled its state: the functions, and what is to be seen of them. */
export const ENDINGS: Readonly<Record<string, { readonly ends: Ending; readonly says?: RegExp }>> = {
  return: { ends: "return" },
  "return, after a wait": { ends: "return" },
  trap: { ends: "trap", says: /unreachable/ },
  "trap, after a wait": { ends: "trap", says: /unreachable/ },
  throw: { ends: "trap", says: /uncaught exception/ },
  overflow: { ends: "trap", says: /stack/ },
  exit: { ends: "exit" },
  // Some attacks need the host's help, which an allocator may not ask for.
  "trap in an allocator": { ends: "trap", says: /unreachable|cannot leave component instance/ },
  "wait in an allocator": { ends: "trap", says: /cannot leave component instance/ },
  "trap in a post-return": { ends: "trap", says: /unreachable|cannot leave component instance/ },
  "wait in a post-return": { ends: "trap", says: /cannot leave component instance/ },
  "trap in a destructor": { ends: "trap", says: /unreachable/ },
  "trap in another instance, which has borrowed": { ends: "trap", says: /unreachable/ },
  "return with a borrowed handle": { ends: "trap", says: /borrow handles still remain/ },
  "drop a handle that is not there": { ends: "trap", says: /unknown handle index 99/ },
  "return a handle that is not there": { ends: "trap", says: /unknown handle index 99/ },
  "return what is no character": { ends: "trap", says: /char/ },
};

export const ATTACKS: readonly ComponentAttack[] = [
  {
    name: "indices of own resources",
    look: "(i32.ne (call $new (i32.const 7)) (i32.const 1))",
    soil: `
      (drop (call $new (i32.const 7)))
      (drop (call $new (i32.const 8)))
      (drop (call $new (i32.const 9)))
      (call $drop (i32.const 2))`,
  },
  {
    name: "own resources that were dropped in another order",
    look: `(i32.or
      (i32.ne (call $new (i32.const 7)) (i32.const 1))
      (i32.ne (call $new (i32.const 8)) (i32.const 2)))`,
    soil: `
      (local $one i32) (local $other i32)
      (local.set $one (call $new (i32.const 7)))
      (local.set $other (call $new (i32.const 8)))
      (call $drop (local.get $one))
      (call $drop (local.get $other))`,
  },
  {
    name: "the number of an own resource",
    look: "(i32.ne (call $rep (call $new (i32.const 7))) (i32.const 7))",
    // Overwrites the state of a fresh slot, too, where nothing is restored.
    soil: "(global.set $shift (i32.const 1))",
  },
  {
    name: "resources of the host",
    look: "(i32.ne (call $get) (i32.const 1))",
    soil: "(drop (call $get)) (call $use (call $get)) (call $drop-thing (i32.const 2))",
  },
  {
    name: "resources of another instance",
    look: "(i32.or (i32.ne (call $made) (i32.const 0)) (i32.ne (call $make) (i32.const 1)))",
    soil: "(drop (call $make)) (call $hold (call $make)) (call $drop-kept (i32.const 2))",
  },
  {
    name: "memory of a library",
    look: "(i32.ne (i32.load (i32.const 65536)) (i32.const 0x73756f6d))",
    soil: "(i32.store (i32.const 65536) (i32.const -1))",
  },
  {
    name: "memory that was grown",
    look: "(i32.ne (memory.size) (i32.const 2))",
    soil: `
      (drop (memory.grow (i32.const 1)))
      (i32.store (i32.const 131072) (i32.const -1))`,
  },
  {
    name: "a global that two modules share",
    look: "(global.get $shared)",
    soil: "(global.set $shared (i32.const 1))",
  },
  {
    name: "a table that two modules share",
    look: "(ref.is_null (table.get $shared (i32.const 0)))",
    soil: "(table.set $shared (i32.const 0) (ref.null func))",
  },
];

const LIBRARY = `(module
  (memory (export "memory") 2)
  (data (i32.const 65536) "mouse")
  (global (export "shared") (mut i32) (i32.const 0))
  (func $nothing)
  (table (export "table") 1 funcref)
  (elem (i32.const 0) $nothing))`;

const KEEPER = `(module
  (import "" "new" (func $new (param i32) (result i32)))
  (global $made (mut i32) (i32.const 0))
  (func (export "made") (result i32) (global.get $made))
  (func (export "make") (result i32)
    (global.set $made (i32.add (global.get $made) (i32.const 1)))
    (call $new (global.get $made)))
  (func (export "hold") (param i32))
  (func (export "hold, trap") (param i32) unreachable)
  (func (export "let go") (param i32) (global.set $made (i32.sub (global.get $made) (i32.const 100)))))`;

const main = ({ look, soil }: ComponentAttack): string => `(module
  (import "" "memory" (memory 2))
  (import "" "shared" (global $shared (mut i32)))
  (import "" "table" (table $shared 1 funcref))
  (import "" "new" (func $new-own (param i32) (result i32)))
  (import "" "rep" (func $rep (param i32) (result i32)))
  (import "" "drop" (func $drop (param i32)))
  (import "" "new-hostile" (func $new-hostile (param i32) (result i32)))
  (import "" "drop-hostile" (func $drop-hostile (param i32)))
  (import "" "get" (func $get (result i32)))
  (import "" "use" (func $use (param i32)))
  (import "" "drop-thing" (func $drop-thing (param i32)))
  (import "" "wait" (func $wait))
  (import "" "leave" (func $leave))
  (import "" "make" (func $make (result i32)))
  (import "" "hold" (func $hold (param i32)))
  (import "" "hold, trap" (func $hold-trap (param i32)))
  (import "" "made" (func $made (result i32)))
  (import "" "drop-kept" (func $drop-kept (param i32)))
  (tag $mistake)
  (global $shift (mut i32) (i32.const 0))
  (func $new (param i32) (result i32) (call $new-own (i32.add (local.get 0) (global.get $shift))))
  (func $soil ${soil})
  (func $recurse (param i32) (result i32) (i32.add (call $recurse (local.get 0)) (i32.const 1)))
  (func (export "look") (result i32) ${look})
  (func (export "nothing"))
  (func (export "nothing, text") (param i32 i32))
  (func (export "let go") (param i32))
  (func (export "return") (call $soil))
  (func (export "return, after a wait") (call $soil) (call $wait))
  (func (export "trap") (call $soil) unreachable)
  (func (export "trap, after a wait") (call $soil) (call $wait) unreachable)
  (func (export "throw") (call $soil) (throw $mistake))
  (func (export "overflow") (call $soil) (drop (call $recurse (i32.const 0))))
  (func (export "exit") (call $soil) (call $leave))
  (func (export "realloc, trap") (param i32 i32 i32 i32) (result i32) (call $soil) unreachable)
  (func (export "realloc, wait") (param i32 i32 i32 i32) (result i32) (call $wait) (i32.const 0))
  (func (export "soil, then trap") (param i32) (call $soil) unreachable)
  (func (export "trap in a destructor")
    (call $soil)
    (call $drop-hostile (call $new-hostile (i32.const 1))))
  (func (export "trap in another instance, which has borrowed") (call $soil) (call $hold-trap (call $make)))
  (func (export "return with a borrowed handle") (param i32) (call $soil))
  (func (export "drop a handle that is not there") (call $soil) (call $drop (i32.const 99)))
  (func (export "return a handle that is not there") (result i32) (call $soil) (i32.const 99))
  (func (export "return what is no character") (result i32) (call $soil) (i32.const 0xd800)))`;

const INSTANCE = { library: 0, keeper: 1, main: 2 } as const;
/** Component instances: the root, to which the main module belongs, and the keeper. */
const ROOT = 0;
const KEEPER_INSTANCE = 1;

const THING = { kind: "imported", interface: HOST, name: "thing" } as const;
const OWN: ResourceType = inMain("let go");
const HOSTILE: ResourceType = inMain("soil, then trap");
const KEPT: ResourceType = {
  kind: "defined",
  name: "kept",
  owner: KEEPER_INSTANCE,
  destructor: { instance: INSTANCE.keeper, name: "let go" },
};

function inMain(destructor: string): ResourceType {
  return {
    kind: "defined",
    name: "own",
    owner: ROOT,
    destructor: { instance: INSTANCE.main, name: destructor },
  };
}

const NOTHING: FunctionType = { params: [] };
const TEXT: FunctionType = { params: [{ name: "text", type: { kind: "string" } }] };
const NUMBER: FunctionType = { params: [], result: { kind: "u32" } };
const CHARACTER: FunctionType = { params: [], result: { kind: "char" } };
const giving = (resource: ResourceType): FunctionType => ({ params: [], result: { kind: "own", resource } });
const taking = (resource: ResourceType): FunctionType => ({
  params: [{ name: "lent", type: { kind: "borrow", resource } }],
});
const MEMORY: CoreRef = { instance: INSTANCE.library, name: "memory" };
const OPTIONS = { stringEncoding: "utf8", memory: MEMORY } as const;

const HOST_FUNCTIONS: readonly (readonly [name: string, type: FunctionType])[] = [
  ["get", giving(THING)],
  ["use", taking(THING)],
  ["wait", NOTHING],
  ["leave", NOTHING],
];

const KEEPER_FUNCTIONS: readonly (readonly [name: string, type: FunctionType])[] = [
  ["make", giving(KEPT)],
  ["hold", taking(KEPT)],
  ["hold, trap", taking(KEPT)],
  ["made", NUMBER],
];

interface Exported {
  readonly type: FunctionType;
  readonly core?: string;
  readonly realloc?: string;
  readonly postReturn?: string;
}

/** Exported functions: the core function of the same name, or what is said here. */
const EXPORTS: Readonly<Record<string, Exported>> = {
  look: { type: NUMBER },
  "trap in an allocator": { type: TEXT, core: "nothing, text", realloc: "realloc, trap" },
  "wait in an allocator": { type: TEXT, core: "nothing, text", realloc: "realloc, wait" },
  "trap in a post-return": { type: NOTHING, core: "return", postReturn: "trap" },
  "wait in a post-return": { type: NOTHING, core: "return", postReturn: "return, after a wait" },
  "return with a borrowed handle": { type: taking(THING) },
  "return a handle that is not there": { type: giving(OWN) },
  "return what is no character": { type: CHARACTER },
};

/** The component of an attack. */
export async function attackPlan(attack: ComponentAttack): Promise<ComponentPlan> {
  const modules = await Promise.all([LIBRARY, KEEPER, main(attack)].map(assembleText));
  const imported = HOST_FUNCTIONS.map(([name, type]) => ({
    interface: HOST,
    name,
    type,
    importer: undefined,
  }));
  const kept = KEEPER_FUNCTIONS.map(([name, type]) => ({
    core: { instance: INSTANCE.keeper, name },
    type,
    options: OPTIONS,
    componentInstance: KEEPER_INSTANCE,
  }));
  const plain = Object.keys(ENDINGS).map((name): [string, Exported] => [name, { type: NOTHING }]);
  const exported = Object.entries({ ...Object.fromEntries(plain), ...EXPORTS });
  const lifted = exported.map(([name, { type, core = name, realloc, postReturn }]) => ({
    core: { instance: INSTANCE.main, name: core },
    type,
    options: {
      ...OPTIONS,
      ...(realloc !== undefined && { realloc: { instance: INSTANCE.main, name: realloc } }),
      ...(postReturn !== undefined && { postReturn: { instance: INSTANCE.main, name: postReturn } }),
    },
    componentInstance: ROOT,
  }));
  const lower = (kind: "import" | "lifted") => (type: FunctionType, index: number) => ({
    callee: { kind, index },
    type,
    options: OPTIONS,
    componentInstance: ROOT,
  });
  return {
    modules,
    instances: [
      { module: INSTANCE.library, imports: [] },
      { module: INSTANCE.keeper, imports: [handleImport("new", "resource-new", KEPT)] },
      { module: INSTANCE.main, imports: mainImports() },
    ],
    imports: imported,
    importNames: [HOST],
    importedResources: [THING],
    lifted: [...kept, ...lifted],
    lowered: [
      ...HOST_FUNCTIONS.map(([, type]) => type).map(lower("import")),
      ...KEEPER_FUNCTIONS.map(([, type]) => type).map(lower("lifted")),
    ],
    exports: exported.map(([name], index) => ({ kind: "function", name, index: kept.length + index })),
    componentInstances: 2,
    parents: [undefined, undefined],
  };
}

type Imports = ComponentPlan["instances"][number]["imports"];

function mainImports(): Imports {
  const names = [...HOST_FUNCTIONS, ...KEEPER_FUNCTIONS].map(([name]) => name);
  const lowered = names.map((name, index) => ({
    module: "",
    name,
    source: { kind: "builtin", builtin: { kind: "lower", index } } as const,
  }));
  const of = (name: string) => lowered.filter((each) => each.name === name);
  const shared = ["memory", "shared", "table"].map((name) => ({
    module: "",
    name,
    source: { kind: "export", ref: { instance: INSTANCE.library, name } } as const,
  }));
  return [
    ...shared,
    handleImport("new", "resource-new", OWN),
    handleImport("rep", "resource-rep", OWN),
    handleImport("drop", "resource-drop", OWN),
    handleImport("new-hostile", "resource-new", HOSTILE),
    handleImport("drop-hostile", "resource-drop", HOSTILE),
    ...of("get"),
    ...of("use"),
    handleImport("drop-thing", "resource-drop", THING),
    ...["wait", "leave", "make", "hold", "hold, trap", "made"].flatMap(of),
    handleImport("drop-kept", "resource-drop", KEPT),
  ];
}

function handleImport(
  name: string,
  kind: "resource-new" | "resource-rep" | "resource-drop",
  resource: ResourceType,
): Imports[number] {
  const componentInstance = name === "new" && resource === KEPT ? KEEPER_INSTANCE : ROOT;
  return { module: "", name, source: { kind: "builtin", builtin: { kind, resource, componentInstance } } };
}
