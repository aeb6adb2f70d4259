;; A guest of 2019: imports `wasi_unstable`, prints the size of "file" below its first preopen, then the
;; last byte of it, which it seeks from the end.
(module
  (import "wasi_unstable" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "file")
  (data (i32.const 8) "size 0, last byte 0\n")
  (func $must (param i32) (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func (export "_start")
    (call $must (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
      (i64.const 0x200026) (i64.const 0) (i32.const 0) (i32.const 64)))
    (call $must (call $fd_filestat_get (i32.load (i32.const 64)) (i32.const 128)))
    (i32.store8 (i32.const 13) (i32.add (i32.const 48) (i32.load (i32.const 152))))
    ;; Whence 1 is from the end in this generation.
    (call $must (call $fd_seek (i32.load (i32.const 64)) (i64.const -1) (i32.const 1) (i32.const 72)))
    (i32.store (i32.const 80) (i32.const 26))
    (i32.store (i32.const 84) (i32.const 1))
    (call $must (call $fd_read (i32.load (i32.const 64)) (i32.const 80) (i32.const 1) (i32.const 88)))
    (i32.store (i32.const 80) (i32.const 8))
    (i32.store (i32.const 84) (i32.const 20))
    (call $must (call $fd_write (i32.const 1) (i32.const 80) (i32.const 1) (i32.const 88)))))
