// A component of WASI 0.3, as small as can be. Its text:
//
//     (component
//       (core func $get (canon context.get i32 0))
//       (core module $m (import "" "g" (func (result i32))) (func (export "handle") (param i32 i32)))
//       (core instance $i (instantiate $m (with "" (instance (export "g" (func $get))))))
//       (import "test:asynchronous/thing@0.3.0" (instance))
//       (instance $h)
//       (export "wasi:http/handler@0.3.0" (instance $h)))

export const ASYNCHRONOUS_COMPONENT = Buffer.from(
  [
    "0061736d0d0001000804010a7f0001320061736d01000000010a026000017f60027f7f0002060100",
    "0167000003020101070a010668616e646c6500010a040102000b020d020101016700000000010012",
    "0007030142000a2201001d746573743a6173796e6368726f6e6f75732f7468696e6740302e332e30",
    "050005030101000b1d010017776173693a687474702f68616e646c657240302e332e30050100",
  ].join(""),
  "hex",
);
