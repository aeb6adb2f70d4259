;; Atomic stores and read-modify-writes, on a memory that is not shared.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale (i32.atomic.rmw.add (i32.const 4096) (i32.const 1)))
    (local.set $stale (i32.or (local.get $stale) (i32.atomic.rmw8.xchg_u (i32.const 8192) (i32.const 1))))
    (local.set $stale (i32.or (local.get $stale) (i32.wrap_i64 (i64.atomic.rmw.cmpxchg (i32.const 16384) (i64.const 0) (i64.const 1)))))
    (local.set $stale (i32.or (local.get $stale) (i32.atomic.load16_u (i32.const 32768))))
    (i32.atomic.store16 (i32.const 32768) (i32.const 1))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
