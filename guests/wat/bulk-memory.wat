;; Fills, copies and initialises memory in bulk over many pages, and drops the segment that it copied from.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data $greeting "passive")
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $is_stale (result i32)
    (i32.or
      (i64.ne (i64.load (i32.const 4092)) (i64.const 0))
      (i32.or
        (i32.load8_u (i32.const 100000))
        (i32.load8_u (i32.const 262143)))))

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale (call $is_stale))
    (memory.init $greeting (i32.const 4093) (i32.const 0) (i32.const 7)) ;; traps if the drop below was kept
    (data.drop $greeting)
    (memory.fill (i32.const 65536) (i32.const 0xee) (i32.const 100000))
    (memory.copy (i32.const 200000) (i32.const 65536) (i32.const 62144))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
