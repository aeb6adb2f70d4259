;; Two memories of its own: the second grows, and what is written there must not outlast the request.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory $first (export "memory") 1)
  (memory $second (export "second") 1 8)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $is_stale (result i32)
    (i32.or
      (i32.ne (memory.size $second) (i32.const 1))
      (i32.load $second (i32.const 60000))))

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale (call $is_stale))
    (i32.store $second (i32.const 60000) (i32.const 1))
    (drop (memory.grow $second (i32.const 2)))
    (i32.store $second (i32.const 131068) (i32.const 1))
    (memory.copy $first $second (i32.const 50000) (i32.const 60000) (i32.const 4))
    (local.set $stale (i32.or (local.get $stale) (i32.ne (i32.load (i32.const 50000)) (i32.const 1))))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
