// The C hello of the benchmark: the Spin ABI, one header, nineteen bytes.

#include "spin.h"

Response handle(Request request) {
  (void)request;
  return respond(200, "text/plain", text_of("Hello from Spindle\n"));
}
