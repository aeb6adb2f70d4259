;; Mutable globals of every type that a restore could get wrong: a signalling NaN, a negative zero, references.
;;
;; `run` answers 0 if it finds everything as the module defines it, else 1; then it changes all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $answer (func (result i32)))
  (global $i32 (mut i32) (i32.const -1))
  (global $i64 (export "exported") (mut i64) (i64.const 0x8000000000000001))
  (global $f32 (mut f32) (f32.const nan:0x200001))
  (global $f64 (mut f64) (f64.const nan:0x4000000000001))
  (global $negative (mut f64) (f64.const -0))
  (global $function (mut funcref) (ref.func $one))
  (global $external (mut externref) (ref.null extern))
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))
  (table $calls 1 funcref)
  (elem declare func $one $two)
  (data (i32.const 16) "content-type: text/plain\n\nfresh")

  (func $numbers_are_stale (result i32)
    (i32.or
      (i32.or
        (i32.ne (global.get $i32) (i32.const -1))
        (i64.ne (global.get $i64) (i64.const 0x8000000000000001)))
      (i32.or
        (i32.ne (i32.reinterpret_f32 (global.get $f32)) (i32.const 0x7fa00001))
        (i32.or
          (i64.ne (i64.reinterpret_f64 (global.get $f64)) (i64.const 0x7ff4000000000001))
          (i64.ne (i64.reinterpret_f64 (global.get $negative)) (i64.const 0x8000000000000000))))))

  (func $run (export "run") (result i32)
    (local $stale i32)
    (local.set $stale (i32.or (call $numbers_are_stale) (ref.is_null (global.get $function))))
    (global.set $i32 (i32.add (global.get $i32) (i32.const 1)))
    (global.set $i64 (i64.const 0))
    (global.set $f32 (f32.const 1.5))
    (global.set $f64 (f64.const 1.5))
    (global.set $negative (f64.const 0))
    (global.set $function (ref.null func))
    (local.get $stale))

  ;; As a CGI program: answers if the state is fresh, and traps if it is not.
  (func (export "_start")
    (if (call $run) (then (unreachable)))
    (i64.store (i32.const 0) (i64.const 0x1f00000010)) ;; one iovec: 31 bytes at 16
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
