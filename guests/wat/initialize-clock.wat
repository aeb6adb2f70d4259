;; `_initialize` reads the clock and a random number: its effect is not part of a fresh state, each request
;; must see its own.
;;
;; Guest of the Spin ABI: answers the sixteen bytes, the clock in nanoseconds and the random number.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; The answer: status 200, no headers, a body of 16 bytes at 64.
  (data (i32.const 16) "\c8\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\40\00\00\00\10\00\00\00")

  (func (export "_initialize")
    (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 64)))
    (drop (call $random_get (i32.const 72) (i32.const 8))))

  (func (export "handle-http-request") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 16))
  (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "canonical_abi_free") (param i32 i32 i32)))
