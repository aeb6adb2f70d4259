// Guest of the Spin ABI that fetches the URL in `x-target` through `wasi_experimental_http`.
//
// It answers what it read: the status, the answer's headers as text, the body. The path selects misuse:
//
//     /closed        reads a response that it has closed
//     /handle        reads a response that never was
//     /small         gives a buffer of one byte for the headers
//     /header        one header only: the name is in `x-name`
//     /leak          opens `x-times` responses, and closes none
//     /method /lies  sends "NO METHOD" as method; gives pointers outside of memory
//
// An error is answered with 502 and its number.

#include "spin.h"

#define HTTP(name) IMPORT("wasi_experimental_http", name)
HTTP("req")
int32_t http_req(const char *url, size_t url_length, const char *method, size_t method_length, const char *headers,
                 size_t headers_length, const char *body, size_t body_length, uint16_t *status, uint32_t *handle);
HTTP("close") int32_t http_close(uint32_t handle);
HTTP("header_get")
int32_t http_header_get(uint32_t handle, const char *name, size_t name_length, char *buffer, size_t capacity,
                        size_t *written);
HTTP("headers_get_all") int32_t http_headers_get_all(uint32_t handle, char *buffer, size_t capacity, size_t *written);
HTTP("body_read") int32_t http_body_read(uint32_t handle, char *buffer, size_t capacity, size_t *written);

static const char *const METHODS[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};
static const char HEADERS[] = "x-one: 1\nx-two:2\n";

static Response fail(int error) {
  Text body = {0};
  body.length = asprintf(&body.bytes, "error %d\n", error);
  return respond(502, "text/plain", body);
}

/** Reads the body in pieces of at most 1,000 bytes; returns the error. */
static int32_t read_body(uint32_t handle, FILE *out) {
  char piece[1000];
  for (;;) {
    size_t written = 0;
    int32_t error = http_body_read(handle, piece, sizeof piece, &written);
    if (error || written == 0) return error;
    fwrite(piece, 1, written, out);
  }
}

static Response show(uint32_t handle, uint16_t status) {
  static char headers[65536];
  size_t written = 0;
  int32_t error = http_headers_get_all(handle, headers, sizeof headers, &written);
  if (error) return fail(error);
  Text body = {0};
  FILE *out = open_memstream(&body.bytes, &body.length);
  fprintf(out, "%u\n%.*s\n", status, (int)written, headers);
  error = read_body(handle, out);
  fclose(out);
  if (error) return fail(error);
  error = http_close(handle);
  return error ? fail(error) : respond(200, "text/plain", body);
}

static Response show_header(uint32_t handle, const char *name) {
  char *value = malloc(1000);
  size_t written = 0;
  int32_t error = http_header_get(handle, name, strlen(name), value, 1000, &written);
  return error ? fail(error) : respond(200, "text/plain", (Text){value, written});
}

Response handle(Request request) {
  char *target = header_value(request.headers, "x-target");
  char *name = header_value(request.headers, "x-name");
  char *times = header_value(request.headers, "x-times");
  if (!target) return respond(400, "text/plain", text_of("no x-target\n"));

  if (text_is(request.uri, "/handle")) return show(4711, 0);
  if (text_is(request.uri, "/lies"))
    return fail(http_req((char *)0xfffffff0u, 100, "GET", 3, "", 0, "", 0, NULL, NULL));

  const char *method = text_is(request.uri, "/method") ? "NO METHOD" : METHODS[request.method];
  uint16_t status = 0;
  uint32_t handle = 0;
  for (int left = times ? atoi(times) : 1; left > 0; left--) {
    int32_t error = http_req(target, strlen(target), method, strlen(method), HEADERS, strlen(HEADERS),
                             request.body.bytes, request.body.length, &status, &handle);
    if (error) return fail(error);
    if (left > 1 && !text_is(request.uri, "/leak")) http_close(handle);
  }
  if (text_is(request.uri, "/closed")) http_close(handle);
  if (text_is(request.uri, "/small")) {
    char byte;
    size_t written;
    return fail(http_headers_get_all(handle, &byte, 1, &written));
  }
  if (text_is(request.uri, "/header")) return show_header(handle, name ? name : "");
  return show(handle, status);
}
