;; A guest that catches everything: a host must be able to end it nevertheless.
;;
;; Each export does what ends a guest inside `try ... catch_all`, and answers 1 if it lived to catch it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "content-type: text/plain\n\ncaught\n")
  (tag $own (param i32))

  (func (export "own") (result i32)
    (try (result i32) (do (throw $own (i32.const 1))) (catch $own)))

  (func $exit (export "exit") (result i32)
    (try (result i32) (do (call $proc_exit (i32.const 3)) (i32.const 0)) (catch_all (i32.const 1))))

  (func (export "trap") (result i32)
    (try (result i32) (do (unreachable)) (catch_all (i32.const 1))))

  (func (export "loop") (result i32)
    (try (result i32) (do (loop $again (br $again)) (i32.const 0)) (catch_all (i32.const 1))))

  (func $overflow (param i32) (result i32) (i32.add (call $overflow (local.get 0)) (i32.const 1)))
  (func (export "overflow") (result i32)
    (try (result i32) (do (call $overflow (i32.const 0))) (catch_all (i32.const 1))))

  ;; Writes to standard output, which a host may need to replay.
  (func $write (export "write") (result i32)
    (i64.store (i32.const 0) (i64.const 0x2100000010)) ;; one iovec: 33 bytes at 16
    (try (result i32)
      (do (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (catch_all (i32.const 1))))

  ;; As a CGI program: exits with 3 unless it can catch that; then it says so.
  (func (export "_start")
    (if (call $exit) (then (drop (call $write))))))
