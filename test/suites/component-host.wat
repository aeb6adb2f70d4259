;; What the scripts of component suites may import of their host, as a component.
;;
;; wasm-tools parse component-host.wat -o component-host.wasm
(component
  (component $Host
    (core module $State
      (global $drops (mut i32) (i32.const 0))
      (global $last-drop (mut i32) (i32.const 0))
      (func (export "drop") (param $rep i32)
        (global.set $drops (i32.add (global.get $drops) (i32.const 1)))
        (global.set $last-drop (local.get $rep)))
      (func (export "drops") (result i32) (global.get $drops))
      (func (export "last-drop") (result i32) (global.get $last-drop)))
    (core instance $state (instantiate $State))

    (type $one (resource (rep i32) (dtor (core func $state "drop"))))
    (type $two (resource (rep i32)))
    (core func $new (canon resource.new $one))
    (core func $rep (canon resource.rep $one))

    (core module $Functions
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "rep" (func $rep (param i32) (result i32)))
      (func $same (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then (unreachable))))
      (func (export "constructor") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "assert") (param $handle i32) (param $rep i32)
        (call $same (call $rep (local.get $handle)) (local.get $rep)))
      (func (export "simple") (param $self i32) (param $rep i32)
        (call $same (local.get $self) (local.get $rep)))
      (func (export "drop-one") (param i32))
      (func (export "take") (param $self i32) (param i32))
      (func (export "three") (result i32) (i32.const 3))
      (func (export "four") (result i32) (i32.const 4))
      (func (export "echo") (param i32) (result i32) (local.get 0))
      (memory (export "memory") 1)
      (data (i32.const 8) "\10\00\00\00\02\00\00\00hi")
      (func (export "hi") (result i32) (i32.const 8)))
    (core instance $functions (instantiate $Functions (with "" (instance
      (export "new" (func $new))
      (export "rep" (func $rep))))))

    (export $resource1 "resource1" (type $one))
    (export "resource2" (type $two))
    (export "resource1-again" (type $resource1))
    (func (export "[constructor]resource1") (param "r" u32) (result (own $resource1))
      (canon lift (core func $functions "constructor")))
    (func (export "[static]resource1.assert") (param "r" (own $resource1)) (param "rep" u32)
      (canon lift (core func $functions "assert")))
    (func (export "[static]resource1.last-drop") (result u32) (canon lift (core func $state "last-drop")))
    (func (export "[static]resource1.drops") (result u32) (canon lift (core func $state "drops")))
    (func (export "[method]resource1.simple") (param "self" (borrow $resource1)) (param "rep" u32)
      (canon lift (core func $functions "simple")))
    (func (export "[method]resource1.take-borrow") (param "self" (borrow $resource1)) (param "b" (borrow $resource1))
      (canon lift (core func $functions "take")))
    (func (export "[method]resource1.take-own") (param "self" (borrow $resource1)) (param "b" (own $resource1))
      (canon lift (core func $functions "take")))

    (func (export "return-three") (result u32) (canon lift (core func $functions "three")))
    (func $four (result u32) (canon lift (core func $functions "four")))
    (instance $nested (export "return-four" (func $four)))
    (export "nested" (instance $nested))
    ;; These are asynchronous. Scripts that import them are passed over when they do.
    (func $hi (result string) (canon lift (core func $functions "hi") (memory (core memory $functions "memory"))))
    (func $two-slowly (result u32) (canon lift (core func $functions "three")))
    (func $echo-slowly (param "v" u32) (result u32) (canon lift (core func $functions "echo")))
    (func (export "[method]resource1.never-return") (param "self" (borrow $resource1))
      (canon lift (core func $functions "drop-one")))
    (export "return-hi" (func $hi))
    (export "return-two-slowly" (func $two-slowly))
    (export "echo-slowly" (func $echo-slowly))

    (core module $Simple
      (func (export "f") (result i32) (i32.const 101))
      (global (export "g") i32 (i32.const 100)))
    (export "simple-module" (core module $Simple)))

  (instance $host (instantiate $Host))
  (export "host" (instance $host))

  (core module $Functions
    (func (export "echo") (param i32) (result i32) (local.get 0))
    (func (export "two") (result i32) (i32.const 2)))
  (core instance $functions (instantiate $Functions))
  (func (export "host-echo-u32") (param "v" u32) (result u32) (canon lift (core func $functions "echo")))
  (func (export "host-return-two") (result u32) (canon lift (core func $functions "two"))))
