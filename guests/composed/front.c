// The component of the trigger: asks the two that it depends on.
//
//     /greet/NAME     what `words` makes of the name
//     /report/DIGIT   what came of the permission of that number in the dependency `report`
//     /own            how many environment variables this component itself sees

#include "abi.h"

COMPONENT_TYPE("front.bin")

IMPORT("test:composed/words@1.0.0", "greet") void greet(const u8 *name, u32 length, text *result);
IMPORT("test:composed/report@1.0.0", "report") void report(u32 permission, text *result);
IMPORT("wasi:cli/environment@0.2.0", "get-environment") void get_environment(text *result);

static struct {
  unsigned short status;
  u32 has_headers;
  text headers;
  u32 has_body;
  text body;
} response;

static int starts(const u8 *uri, u32 length, text prefix) {
  if (length < prefix.length) return 0;
  for (u32 i = 0; i < prefix.length; i++)
    if (uri[i] != prefix.bytes[i]) return 0;
  return 1;
}

static void *answer(text body) {
  response.status = 200;
  response.has_body = 1;
  response.body = body;
  return &response;
}

EXPORT("fermyon:spin/inbound-http#handle-request")
void *handle(u32 method, const u8 *uri, u32 length, void *headers, u32 headers_count, void *params,
             u32 params_count, u32 has_body, void *body, u32 body_length) {
  text result;
  if (starts(uri, length, literal("/greet/"))) {
    greet(uri + 7, length - 7, &result);
    return answer(result);
  }
  if (starts(uri, length, literal("/report/")) && length == 9) {
    report(uri[8] - '0', &result);
    return answer(result);
  }
  get_environment(&result);
  return answer(number(result.length));
}
