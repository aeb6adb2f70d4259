;; Vector stores of each width, over the border of two pages and at the end of memory, and a global of v128.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $vector (mut v128) (v128.const i32x4 1 2 3 4))
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $is_stale (result i32)
    (i32.or
      (i32.or
        (v128.any_true (v128.load (i32.const 65528)))
        (v128.any_true (v128.load (i32.const 131056))))
      (i32.or
        (v128.any_true (v128.load (i32.const 8188)))
        (i32.eqz (i32x4.all_true (i32x4.eq (global.get $vector) (v128.const i32x4 1 2 3 4)))))))

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale (call $is_stale))
    (v128.store (i32.const 65528) (v128.const i64x2 -1 -1))
    (v128.store8_lane 15 (i32.const 131071) (v128.const i64x2 -1 -1))
    (v128.store16_lane 7 (i32.const 131068) (v128.const i64x2 -1 -1))
    (v128.store32_lane 3 (i32.const 8190) (v128.const i64x2 -1 -1))
    (v128.store64_lane 1 (i32.const 8196) (v128.const i64x2 -1 -1))
    (global.set $vector (v128.const f64x2 nan:0x4000000000001 -0))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
