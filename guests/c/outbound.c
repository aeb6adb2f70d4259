// Guest of the Spin ABI that passes the request on to the URL in `x-target`, through `wasi-outbound-http`.
//
// Method, body and `x-forwarded` go along; the answer comes back as it is. `x-times: N` sends it N times and
// answers the last. What fails is answered with 502 and the number of the error.

#include "spin.h"

#ifdef SPIN_GENERATION_A
typedef struct {
  int32_t is_error __attribute__((aligned(8)));
  union {
    ResponseArea response __attribute__((aligned(8)));
    int32_t error __attribute__((aligned(8)));
  };
} Result;
_Static_assert(sizeof(Result) == 64, "eight slots of 8 bytes");
#else
typedef struct {
  uint8_t is_error;
  union {
    ResponseArea response;
    uint8_t error;
  };
} Result;
_Static_assert(sizeof(Result) == 32, "the canonical record");
#endif

IMPORT("wasi-outbound-http", "request")
void outbound_request(int32_t method, const char *uri, size_t uri_length, const Header *headers, size_t header_count,
                      const Header *params, size_t param_count, int32_t has_body, const char *body,
                      size_t body_length, Result *result);

static Response fail(int error) {
  Text body = {0};
  body.length = asprintf(&body.bytes, "error %d\n", error);
  return respond(502, "text/plain", body);
}

Response handle(Request request) {
  char *target = header_value(request.headers, "x-target");
  char *forwarded = header_value(request.headers, "x-forwarded");
  char *times = header_value(request.headers, "x-times");
  if (!target) return respond(400, "text/plain", text_of("no x-target\n"));

  Header header = {text_of("x-forwarded"), {forwarded, forwarded ? strlen(forwarded) : 0}};
  Result result;
  for (int left = times ? atoi(times) : 1; left > 0; left--) {
    outbound_request(request.method, target, strlen(target), &header, forwarded != NULL, NULL, 0,
                     request.body.length > 0, request.body.bytes, request.body.length, &result);
    if (result.is_error) return fail(result.error);
  }
  ResponseArea answer = result.response;
  return (Response){
      .status = answer.status,
      .has_headers = answer.has_headers,
      .headers = {answer.headers, answer.header_count},
      .has_body = answer.has_body,
      .body = {answer.body, answer.body_length},
  };
}
