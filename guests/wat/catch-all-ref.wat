;; The same as catch-all, with the exceptions of WebAssembly 3.0 (`try_table`).
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (tag $own (param i32))

  (func (export "own") (result i32)
    (block $caught (result i32)
      (try_table (catch $own $caught) (throw $own (i32.const 1)))
      (i32.const 0)))

  (func $exit (export "exit") (result i32)
    (block $caught
      (try_table (catch_all $caught) (call $proc_exit (i32.const 3)))
      (return (i32.const 0)))
    (i32.const 1))

  (func (export "trap") (result i32)
    (block $caught
      (try_table (catch_all $caught) (unreachable))
      (return (i32.const 0)))
    (i32.const 1))

  (func (export "loop") (result i32)
    (block $caught
      (try_table (catch_all $caught) (loop $again (br $again)))
      (return (i32.const 0)))
    (i32.const 1))

  (func (export "_start") (drop (call $exit))))
