;; Tail calls, direct and through a table, a million deep: no stack is used, but the epoch is checked.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $step (func (param i32) (result i32)))
  (table $steps funcref (elem $even $odd))
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $even (type $step)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (type $step)
    (return_call_indirect $steps (type $step) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))

  ;; Without end, for a test of the deadline.
  (func $forever (export "forever") (return_call $forever))

  (func $run (export "run") (result i32)
    (i32.store (i32.const 5000) (i32.add (i32.load (i32.const 5000)) (i32.const 1)))
    (i32.or
      (call $even (i32.const 1000000))
      (i32.ne (i32.load (i32.const 5000)) (i32.const 1))))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
