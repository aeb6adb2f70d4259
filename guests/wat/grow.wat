;; Grows its memory, writes to the new pages, and wants a fresh request to begin with one page of zeroes.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale (i32.ne (memory.size) (i32.const 1)))
    (local.set $stale (i32.or (local.get $stale) (i32.ne (memory.grow (i32.const 30)) (i32.const 1))))
    (local.set $stale (i32.or (local.get $stale) (i32.load (i32.const 65536))))
    (local.set $stale (i32.or (local.get $stale) (i32.load (i32.const 2031612))))
    (i32.store (i32.const 65536) (i32.const 1))
    (i32.store (i32.const 2031612) (i32.const 1))
    (local.get $stale))

  ;; Grows by as many pages as it is told; the result is that of memory.grow.
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
