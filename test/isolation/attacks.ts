// Guests that look for what an earlier request left, and that leave all they can.
//
// Each is the inside of a module with two functions: `$look` answers 0 in a fresh state only, `$soil`
// changes everything of its kind. `compose` adds exports which end in every way that a call can end.

/** How a call ends that has soiled its state. */
export const ENDINGS = ["return", "trap", "exit", "throw", "overflow"] as const;
export type Ending = (typeof ENDINGS)[number];

export interface Attack {
  readonly name: string;
  readonly text: string;
}

/** What a component of a file is called, and what is in it. */
export const FILE = { name: "file.txt", contents: "contents" } as const;

const IMPORTS = `
  (import "test" "call back" (func $call_back))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_rights" (func $fd_fdstat_set_rights (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))`;

/** `$scan` adds up all words of the memory from an address on, which must be a multiple of 8. */
const SCAN = `
  (func $scan (param $at i32) (result i32)
    (local $found i64)
    (block $done (loop $next
      (br_if $done (i64.ge_u (i64.extend_i32_u (local.get $at)) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16))))
      (local.set $found (i64.or (local.get $found) (i64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
    (i64.ne (local.get $found) (i64.const 0)))`;

const ENDING_FUNCTIONS = `
  (tag $mistake)
  (func $recurse (param i32) (result i32) (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "look") (result i32) (i32.ne (call $look) (i32.const 0)))
  (func (export "nothing"))
  (func (export "be called back") (call $call_back))
  (func (export "soil, return") (call $soil))
  (func (export "soil, trap") (call $soil) (unreachable))
  (func (export "soil, exit") (call $soil) (call $proc_exit (i32.const 0)))
  (func (export "soil, throw") (call $soil) (throw $mistake))
  (func (export "soil, overflow") (call $soil) (drop (call $recurse (i32.const 0))))`;

/** The module of an attack, as text. */
export function compose({ text }: Attack): string {
  return `(module ${IMPORTS} ${text} ${SCAN} ${ENDING_FUNCTIONS})`;
}

/** Pages that a memory of an attack may have. */
export const MEMORY_PAGES_MAX = 40;

export const ATTACKS: readonly Attack[] = [
  {
    name: "every word of memory",
    text: `
      (memory (export "memory") 3)
      (data (i32.const 70000) "as compiled")
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (i64.ne (i64.load (i32.const 70000)) (i64.const 0x69706d6f63207361))) ;; "as compi"
        (memory.fill (i32.const 70000) (i32.const 0) (i32.const 11))
        (i32.or (local.get $stale) (call $scan (i32.const 0))))
      (func $soil
        (local $at i32)
        (loop $next
          (i64.store (local.get $at) (i64.const -1))
          (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 196608)))))`,
  },
  {
    name: "stores across the ends of cards",
    text: `
      (memory (export "memory") 2)
      (func $look (result i32) (call $scan (i32.const 0)))
      (func $soil
        (local $end i32)
        (local.set $end (i32.const 4096))
        (loop $next
          (v128.store (i32.sub (local.get $end) (i32.const 1)) (i64x2.splat (i64.const -1)))
          (v128.store offset=65520 (i32.sub (local.get $end) (i32.const 4096)) (i64x2.splat (i64.const -1)))
          (i64.store offset=4089 (i32.sub (local.get $end) (i32.const 4096)) (i64.const -1))
          (i32.store16 offset=3 (i32.sub (local.get $end) (i32.const 4)) (i32.const -1))
          (br_if $next (i32.lt_u (local.tee $end (i32.add (local.get $end) (i32.const 8192))) (i32.const 65536))))
        (i64.store (i32.const 131064) (i64.const -1)))`,
  },
  {
    name: "pages that memory has grown",
    text: `
      (memory (export "memory") 1)
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (i32.ne (memory.grow (i32.const 4)) (i32.const 1)))
        (i32.or (local.get $stale) (call $scan (i32.const 0))))
      (func $soil
        (drop (memory.grow (i32.const 7)))
        (memory.fill (i32.const 0) (i32.const 0xff) (i32.mul (memory.size) (i32.const 65536))))`,
  },
  {
    name: "memory that has grown to its limit",
    text: `
      (memory (export "memory") 1)
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (i32.ne (memory.size) (i32.const 1)))
        (drop (memory.grow (i32.const ${MEMORY_PAGES_MAX - 1})))
        (local.set $stale (i32.or (local.get $stale) (i32.ne (memory.size) (i32.const ${MEMORY_PAGES_MAX}))))
        (i32.or (local.get $stale) (call $scan (i32.const 0))))
      (func $soil
        (block $full (loop $next
          (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
          (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
          (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536)) (i32.const 1))
          (br_if $next (i32.lt_u (memory.size) (i32.const 1000))))))`,
  },
  {
    name: "segments that were dropped",
    text: `
      (memory (export "memory") 1)
      (data $bytes "passive")
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (call $scan (i32.const 0)))
        ;; Traps if the segment is gone.
        (memory.init $bytes (i32.const 4093) (i32.const 0) (i32.const 7))
        (local.get $stale))
      (func $soil (data.drop $bytes))`,
  },
  {
    name: "globals of every type",
    text: `
      (memory (export "memory") 1)
      (global $i32 (mut i32) (i32.const 1))
      (global $i64 (mut i64) (i64.const 2))
      (global $f32 (mut f32) (f32.const nan:0x200000)) ;; signalling
      (global $f64 (mut f64) (f64.const nan:0x4000000000000))
      (global $v128 (mut v128) (v128.const i64x2 5 6))
      (global $funcref (mut funcref) (ref.null func))
      (global $externref (mut externref) (ref.null extern))
      (table $functions 1 funcref)
      (elem (table $functions) (i32.const 0) func $soil)
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (i32.ne (global.get $i32) (i32.const 1)))
        (local.set $stale (i32.or (local.get $stale) (i64.ne (global.get $i64) (i64.const 2))))
        (local.set $stale (i32.or (local.get $stale) (i32.ne (i32.reinterpret_f32 (global.get $f32)) (i32.const 0x7fa00000))))
        (local.set $stale (i32.or (local.get $stale)
          (i64.ne (i64.reinterpret_f64 (global.get $f64)) (i64.const 0x7ff4000000000000))))
        (local.set $stale (i32.or (local.get $stale)
          (v128.any_true (v128.xor (global.get $v128) (v128.const i64x2 5 6)))))
        (i32.or (local.get $stale) (i32.eqz (ref.is_null (global.get $funcref)))))
      (func $soil
        (global.set $i32 (i32.const -1))
        (global.set $i64 (i64.const -1))
        (global.set $f32 (f32.const 1))
        (global.set $f64 (f64.const 1))
        (global.set $v128 (v128.const i64x2 -1 -1))
        (global.set $funcref (table.get $functions (i32.const 0))))`,
  },
  {
    name: "tables and their segments",
    text: `
      (memory (export "memory") 1)
      (table $table 3 20 funcref)
      (elem $initial (table $table) (i32.const 0) func $look)
      (elem $passive func $look $soil)
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (i32.ne (table.size $table) (i32.const 3)))
        (local.set $stale (i32.or (local.get $stale) (ref.is_null (table.get $table (i32.const 0)))))
        (local.set $stale (i32.or (local.get $stale) (i32.eqz (ref.is_null (table.get $table (i32.const 1))))))
        ;; Traps if the segment is gone.
        (table.init $table $passive (i32.const 1) (i32.const 0) (i32.const 2))
        (local.get $stale))
      (func $soil
        (table.set $table (i32.const 1) (table.get $table (i32.const 0)))
        (drop (table.grow $table (table.get $table (i32.const 0)) (i32.const 5)))
        (table.set $table (i32.const 0) (ref.null func))
        (table.fill $table (i32.const 4) (ref.null func) (i32.const 2))
        (elem.drop $passive))`,
  },
  {
    name: "a second memory, with 64-bit addresses",
    text: `
      (memory (export "memory") 1)
      (memory $second i64 1)
      (func $look (result i32)
        (local $stale i32)
        (local $at i64)
        (local.set $stale (i64.ne (memory.grow $second (i64.const 1)) (i64.const 1)))
        (loop $next
          (local.set $stale (i32.or (local.get $stale) (i64.ne (i64.load $second (local.get $at)) (i64.const 0))))
          (br_if $next (i64.lt_u (local.tee $at (i64.add (local.get $at) (i64.const 8))) (i64.const 131072))))
        (local.get $stale))
      (func $soil
        (drop (memory.grow $second (i64.const 2)))
        (i64.store $second (i64.const 4093) (i64.const -1))
        (i64.store $second offset=131000 (i64.const 5) (i64.const -1))
        (memory.fill $second (i64.const 20000) (i32.const 1) (i64.const 9000)))`,
  },
  {
    name: "atomic accesses to a shared memory",
    text: `
      (memory (export "memory") 1 1 shared)
      (func $look (result i32) (call $scan (i32.const 0)))
      (func $soil
        (i32.atomic.store (i32.const 4) (i32.const 1))
        (i64.atomic.store (i32.const 8192) (i64.const 1))
        (drop (i32.atomic.rmw.add (i32.const 16384) (i32.const 1)))
        (drop (i64.atomic.rmw8.xchg_u (i32.const 20001) (i64.const 1)))
        (drop (i32.atomic.rmw.cmpxchg (i32.const 65532) (i32.const 0) (i32.const 1)))
        (i64.store (i32.const 30000) (i64.const -1)))`,
  },
  {
    name: "what host functions have written",
    text: `
      (memory (export "memory") 2)
      (func $look (result i32) (call $scan (i32.const 0)))
      (func $soil
        ;; Results across the ends of cards, and at the end of memory.
        (drop (call $args_sizes_get (i32.const 4094) (i32.const 8190)))
        (drop (call $environ_get (i32.const 12286) (i32.const 16380)))
        (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 20476)))
        (drop (call $fd_fdstat_get (i32.const 1) (i32.const 24570)))
        (drop (call $fd_filestat_get (i32.const 3) (i32.const 28650)))
        (drop (call $fd_prestat_dir_name (i32.const 3) (i32.const 32767) (i32.const 1)))
        (drop (call $fd_readdir (i32.const 3) (i32.const 36860) (i32.const 200) (i64.const 0) (i32.const 40958)))
        (drop (call $random_get (i32.const 45050) (i32.const 9000)))
        (drop (call $random_get (i32.const 131060) (i32.const 12))))`,
  },
  {
    name: "descriptors, their rights and positions",
    text: `
      (memory (export "memory") 1)
      (data (i32.const 64) "${FILE.name}")
      ;; 8: bad file descriptor
      (func $look (result i32)
        (local $stale i32)
        (local.set $stale (i32.ne (call $fd_fdstat_get (i32.const 4) (i32.const 200)) (i32.const 8)))
        (local.set $stale (i32.or (local.get $stale) (call $fd_fdstat_get (i32.const 0) (i32.const 200))))
        (local.set $stale (i32.or (local.get $stale) (call $fd_fdstat_get (i32.const 2) (i32.const 200))))
        (local.set $stale (i32.or (local.get $stale) (call $fd_fdstat_get (i32.const 3) (i32.const 200))))
        (i32.or (local.get $stale) (i64.eqz (i64.load (i32.const 208)))))
      (func $soil
        ;; Opens the file, reads three bytes, and leaves it open.
        (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const ${FILE.name.length})
          (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 200)))
        (i64.store (i32.const 300) (i64.const 0x30000012c))
        (drop (call $fd_read (i32.load (i32.const 200)) (i32.const 300) (i32.const 1) (i32.const 400)))
        (drop (call $fd_readdir (i32.const 3) (i32.const 1000) (i32.const 30) (i64.const 0) (i32.const 400)))
        (drop (call $fd_fdstat_set_rights (i32.const 3) (i64.const 0) (i64.const 0)))
        (drop (call $fd_close (i32.const 0)))
        (drop (call $fd_renumber (i32.const 1) (i32.const 2))))`,
  },
];
