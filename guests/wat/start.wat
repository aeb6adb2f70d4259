;; A start function that counts: its effect is part of a fresh state, and must be there once.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $starts (mut i32) (i32.const 0))
  (start $start)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $start
    (global.set $starts (i32.add (global.get $starts) (i32.const 1)))
    (i32.store (i32.const 4000) (i32.add (i32.load (i32.const 4000)) (i32.const 1))))

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale
      (i32.or
        (i32.ne (global.get $starts) (i32.const 1))
        (i32.ne (i32.load (i32.const 4000)) (i32.const 1))))
    (global.set $starts (i32.const 100))
    (i32.store (i32.const 4000) (i32.const 100))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
