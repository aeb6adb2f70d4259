// The ABI of Spin 0.1 to 1.5 between host and core module, for guests written in C.
//
// A guest includes this file and defines handle(). There were two generations of the ABI under the same
// names: A (Spin 0.1 to 0.3) writes each flat value of a result into a slot of 8 bytes, B (0.4 to 1.5)
// lays results out as canonical records. SPIN_GENERATION_A selects the first.

#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef struct {
  char *bytes;
  size_t length;
} Text;

typedef struct {
  Text name, value;
} Header;

typedef struct {
  Header *items;
  size_t count;
} Headers;

enum { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_PATCH, METHOD_HEAD, METHOD_OPTIONS };

typedef struct {
  int32_t method;
  Text uri;
  Headers headers, params;
  bool has_body;
  Text body;
} Request;

/** What handle() answers; all memory in it is of malloc, because the host frees it. */
typedef struct {
  uint32_t status;
  bool has_headers, has_body;
  Headers headers;
  Text body;
} Response;

#ifdef SPIN_GENERATION_A
typedef struct {
  int32_t status __attribute__((aligned(8)));
  int32_t has_headers __attribute__((aligned(8)));
  Header *headers __attribute__((aligned(8)));
  size_t header_count __attribute__((aligned(8)));
  int32_t has_body __attribute__((aligned(8)));
  char *body __attribute__((aligned(8)));
  size_t body_length __attribute__((aligned(8)));
} ResponseArea;
_Static_assert(sizeof(ResponseArea) == 56, "seven slots of 8 bytes");
#else
typedef struct {
  uint16_t status;
  uint8_t has_headers __attribute__((aligned(4)));
  Header *headers;
  size_t header_count;
  uint8_t has_body;
  char *body;
  size_t body_length;
} ResponseArea;
_Static_assert(sizeof(ResponseArea) == 28, "the canonical record");
#endif

Response handle(Request request);

static inline Text text_of(const char *literal) { return (Text){strdup(literal), strlen(literal)}; }

static inline bool text_is(Text text, const char *literal) {
  return text.length == strlen(literal) && memcmp(text.bytes, literal, text.length) == 0;
}

static inline bool text_starts(Text text, const char *literal) {
  size_t length = strlen(literal);
  return text.length >= length && memcmp(text.bytes, literal, length) == 0;
}

/**
 * The value of a header as a C string of malloc, or NULL. Names arrive in lower case.
 *
 * Of headers with the same name the last counts: the host's own come after those that a client may forge.
 */
static inline char *header_value(Headers headers, const char *name) {
  for (size_t i = headers.count; i-- > 0;)
    if (text_is(headers.items[i].name, name)) return strndup(headers.items[i].value.bytes, headers.items[i].value.length);
  return NULL;
}

/** The path below the component's route, as a C string of malloc. */
static inline char *path_of(Request request) {
  char *path = header_value(request.headers, "spin-path-info");
  return path ? path : strndup(request.uri.bytes, request.uri.length);
}

/** A response of one header and a body that malloc made. */
static inline Response respond(uint32_t status, const char *content_type, Text body) {
  Headers headers = {malloc(sizeof(Header)), 1};
  headers.items[0] = (Header){text_of("content-type"), text_of(content_type)};
  return (Response){status, true, true, headers, body};
}

#ifndef SPIN_OWN_EXPORTS
EXPORT("canonical_abi_realloc")
void *canonical_abi_realloc(void *old, size_t old_length, size_t align, size_t length) {
  (void)old_length;
  if (length == 0) return (void *)align;
  void *bytes = realloc(old, length);
  if (!bytes) abort();
  return bytes;
}

EXPORT("canonical_abi_free")
void canonical_abi_free(void *bytes, size_t length, size_t align) {
  (void)align;
  if (length > 0) free(bytes);
}

EXPORT("handle-http-request")
ResponseArea *handle_http_request(int32_t method, char *uri, size_t uri_length, Header *headers, size_t header_count,
                                  Header *params, size_t param_count, int32_t has_body, char *body,
                                  size_t body_length) {
  static ResponseArea area;
  Response response = handle((Request){
      .method = method,
      .uri = {uri, uri_length},
      .headers = {headers, header_count},
      .params = {params, param_count},
      .has_body = has_body,
      .body = {body, body_length},
  });
  area = (ResponseArea){
      .status = response.status,
      .has_headers = response.has_headers,
      .headers = response.headers.items,
      .header_count = response.headers.count,
      .has_body = response.has_body,
      .body = response.body.bytes,
      .body_length = response.body.length,
  };
  return &area;
}
#endif
