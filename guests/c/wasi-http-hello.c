// The same nineteen bytes as hello.c, through wasi:http; for the benchmark.

#include "wasi-http/wasi-http.h"

EXPORT_HANDLER void handle(u32 request, u32 outparam) {
  u32 result[6];
  u32 headers = fields_new();
  header(headers, "content-type", "text/plain");
  u32 response = response_new(headers);
  response_body(response, result);
  u32 body = result[1];
  outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
  body_write(body, result);
  u32 stream = result[1];
  output_write_and_flush(stream, "Hello from Spindle\n", 19, result);
  output_drop(stream);
  body_finish(body, 0, 0, result);
}
