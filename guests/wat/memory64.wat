;; A second memory with 64-bit addresses; an address beyond 4 GiB must trap, not wrap.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory $first (export "memory") 1)
  (memory $wide (export "wide") i64 1 16)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func (export "outside") (i64.store $wide (i64.const 0x100000000) (i64.const 1)))

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale
      (i32.or
        (i64.ne (i64.load $wide (i64.const 65528)) (i64.const 0))
        (i64.ne (memory.size $wide) (i64.const 1))))
    (i64.store $wide (i64.const 65528) (i64.const -1))
    (drop (memory.grow $wide (i64.const 3)))
    (i64.store $wide offset=65536 (i64.const 100000) (i64.const -1))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
