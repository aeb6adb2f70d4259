;; Drops an element segment that it has used: the next request must find it again.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table $table 2 funcref)
  (elem $once func $run)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $run (export "run") (result i32)
    (table.init $table $once (i32.const 0) (i32.const 0) (i32.const 1)) ;; traps if the drop below was kept
    (elem.drop $once)
    (i32.const 0))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
