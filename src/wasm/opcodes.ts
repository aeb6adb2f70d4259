// The opcodes that the rewriter looks at or emits, by their names in the specification.

/** Binary ids of sections. */
export const SECTION = {
  CUSTOM: 0,
  TYPE: 1,
  IMPORT: 2,
  FUNCTION: 3,
  TABLE: 4,
  MEMORY: 5,
  GLOBAL: 6,
  EXPORT: 7,
  START: 8,
  ELEMENT: 9,
  CODE: 10,
  DATA: 11,
  DATA_COUNT: 12,
  TAG: 13,
} as const;

/** Kinds of imports and exports. */
export const EXTERN = { FUNC: 0, TABLE: 1, MEMORY: 2, GLOBAL: 3, TAG: 4 } as const;

export const TYPE = {
  I32: 0x7f,
  I64: 0x7e,
  F32: 0x7d,
  F64: 0x7c,
  V128: 0x7b,
  FUNCREF: 0x70,
  REF_NULL: 0x63,
  REF: 0x64,
  FUNC: 0x60,
  STRUCT: 0x5f,
  ARRAY: 0x5e,
  SUB: 0x50,
  SUB_FINAL: 0x4f,
  REC: 0x4e,
  EMPTY: 0x40,
} as const;

export const OP = {
  UNREACHABLE: 0x00,
  NOP: 0x01,
  BLOCK: 0x02,
  LOOP: 0x03,
  IF: 0x04,
  ELSE: 0x05,
  TRY: 0x06,
  CATCH: 0x07,
  THROW: 0x08,
  THROW_REF: 0x0a,
  END: 0x0b,
  BR: 0x0c,
  BR_IF: 0x0d,
  BR_TABLE: 0x0e,
  RETURN: 0x0f,
  CALL: 0x10,
  CALL_INDIRECT: 0x11,
  RETURN_CALL: 0x12,
  RETURN_CALL_INDIRECT: 0x13,
  CALL_REF: 0x14,
  RETURN_CALL_REF: 0x15,
  DELEGATE: 0x18,
  CATCH_ALL: 0x19,
  SELECT_TYPED: 0x1c,
  TRY_TABLE: 0x1f,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  GLOBAL_GET: 0x23,
  GLOBAL_SET: 0x24,
  TABLE_SET: 0x26,
  I32_LOAD: 0x28,
  I32_LOAD8_U: 0x2d,
  I32_LOAD16_U: 0x2f,
  I32_STORE: 0x36,
  I32_STORE8: 0x3a,
  I64_STORE32: 0x3e,
  MEMORY_SIZE: 0x3f,
  MEMORY_GROW: 0x40,
  I32_CONST: 0x41,
  I64_CONST: 0x42,
  F32_CONST: 0x43,
  F64_CONST: 0x44,
  I32_EQZ: 0x45,
  I32_EQ: 0x46,
  I32_NE: 0x47,
  I32_GT_U: 0x4b,
  I32_GE_S: 0x4e,
  I64_EQZ: 0x50,
  I64_EQ: 0x51,
  I64_NE: 0x52,
  I64_LT_S: 0x53,
  I64_GT_U: 0x56,
  I32_ADD: 0x6a,
  I32_SUB: 0x6b,
  I32_SHR_U: 0x76,
  I64_ADD: 0x7c,
  I64_SUB: 0x7d,
  I64_MUL: 0x7e,
  I64_SHR_U: 0x88,
  I32_WRAP_I64: 0xa7,
  I64_EXTEND_I32_U: 0xad,
  REF_NULL: 0xd0,
  REF_FUNC: 0xd2,
  BR_ON_NULL: 0xd5,
  BR_ON_NON_NULL: 0xd6,
  PREFIX_GC: 0xfb,
  PREFIX_BULK: 0xfc,
  PREFIX_SIMD: 0xfd,
  PREFIX_ATOMIC: 0xfe,
} as const;

/** Second part of the opcodes that begin with 0xfb. */
export const GC = {
  STRUCT_NEW: 0,
  STRUCT_NEW_DEFAULT: 1,
  STRUCT_SET: 5,
  ARRAY_NEW: 6,
  ARRAY_NEW_DEFAULT: 7,
  ARRAY_NEW_FIXED: 8,
  ARRAY_NEW_DATA: 9,
  ARRAY_NEW_ELEM: 10,
  ARRAY_SET: 14,
  ARRAY_FILL: 16,
  ARRAY_COPY: 17,
  ARRAY_INIT_DATA: 18,
  ARRAY_INIT_ELEM: 19,
  BR_ON_CAST: 24,
  BR_ON_CAST_FAIL: 25,
} as const;

/** Second part of the opcodes that begin with 0xfc. */
export const BULK = {
  MEMORY_INIT: 8,
  DATA_DROP: 9,
  MEMORY_COPY: 10,
  MEMORY_FILL: 11,
  TABLE_INIT: 12,
  ELEM_DROP: 13,
  TABLE_COPY: 14,
  TABLE_GROW: 15,
  TABLE_FILL: 17,
} as const;

/** Second part of the opcodes that begin with 0xfd. */
export const SIMD = {
  V128_STORE: 11,
  V128_CONST: 12,
  V128_STORE8_LANE: 0x58,
  V128_STORE64_LANE: 0x5b,
} as const;

/** Second part of the opcodes that begin with 0xfe. */
export const ATOMIC = {
  WAIT32: 1,
  WAIT64: 2,
  I32_LOAD: 0x10,
  I32_LOAD8_U: 0x12,
  I32_STORE: 0x17,
  RMW_FIRST: 0x1e,
  CMPXCHG_FIRST: 0x48,
  CMPXCHG_LAST: 0x4e,
} as const;

/** Set in the alignment of a memory argument if the index of a memory follows. */
export const MEMORY_INDEX_FLAG = 0x40;
