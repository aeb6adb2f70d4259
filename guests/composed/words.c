// A dependency that needs nothing of anybody.

#include "abi.h"

COMPONENT_TYPE("words.bin")

static text answer;

EXPORT("test:composed/words@1.0.0#greet") text *greet(const u8 *name, u32 length) {
  answer = joined(joined(literal("Hello, "), (text){name, length}), literal("!"));
  return &answer;
}
