// wasi:http and what it is built on, as core functions of the canonical ABI. No C library is needed.
//
// world.bin is the binary form of world.wit: the type that makes a component of this module. It was made
// with `jco embed` 1.17.9 and the texts of WASI 0.2.12; only a change of world.wit makes it anew. draft.bin
// is that of draft.wit, from `wasm-tools component embed`.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef WASI_DRAFT
#define WORLD "draft.bin"
#define VERSION "@0.2.0-rc-2023-11-10"
#else
#define WORLD "world.bin"
#define VERSION "@0.2.12"
#endif

__asm__(".section \".custom_section.component-type\",\"\",@\n.incbin \"wasi-http/" WORLD "\"\n");

#define IMPORT(module, name) __attribute__((import_module(module VERSION), import_name(name)))
#define HTTP "wasi:http/types"
#define STREAMS "wasi:io/streams"

IMPORT(HTTP, "[constructor]fields") u32 fields_new(void);
IMPORT(HTTP, "[method]fields.append")
void fields_append(u32 fields, const char *name, u32 nameLength, const char *value, u32 valueLength, void *result);
IMPORT(HTTP, "[method]fields.entries") void fields_entries(u32 fields, void *result);
IMPORT(HTTP, "[resource-drop]fields") void fields_drop(u32 fields);

IMPORT(HTTP, "[method]incoming-request.method") void request_method(u32 request, void *result);
IMPORT(HTTP, "[method]incoming-request.path-with-query") void request_path(u32 request, void *result);
IMPORT(HTTP, "[method]incoming-request.authority") void request_authority(u32 request, void *result);
IMPORT(HTTP, "[method]incoming-request.headers") u32 request_headers(u32 request);
IMPORT(HTTP, "[method]incoming-request.consume") void request_consume(u32 request, void *result);

IMPORT(HTTP, "[method]incoming-body.stream") void incoming_body_stream(u32 body, void *result);
IMPORT(HTTP, "[static]incoming-body.finish") u32 incoming_body_finish(u32 body);
IMPORT(HTTP, "[resource-drop]incoming-body") void incoming_body_drop(u32 body);
IMPORT(HTTP, "[method]future-trailers.subscribe") u32 future_trailers_subscribe(u32 future);
IMPORT(HTTP, "[method]future-trailers.get") void future_trailers_get(u32 future, void *result);

IMPORT(HTTP, "[constructor]outgoing-response") u32 response_new(u32 headers);
IMPORT(HTTP, "[method]outgoing-response.set-status-code") u32 response_set_status(u32 response, u32 status);
IMPORT(HTTP, "[method]outgoing-response.body") void response_body(u32 response, void *result);
IMPORT(HTTP, "[static]response-outparam.set")
void outparam_set(u32 outparam, u32 isError, u32 response, u32, u64, u32, u32, u32, u32);
IMPORT(HTTP, "[resource-drop]response-outparam") void outparam_drop(u32 outparam);

IMPORT(HTTP, "[method]outgoing-body.write") void body_write(u32 body, void *result);
IMPORT(HTTP, "[static]outgoing-body.finish") void body_finish(u32 body, u32 hasTrailers, u32 trailers, void *result);
IMPORT(HTTP, "[resource-drop]outgoing-body") void body_drop(u32 body);

IMPORT(HTTP, "[constructor]outgoing-request") u32 outgoing_request_new(u32 headers);
IMPORT(HTTP, "[method]outgoing-request.body") void outgoing_request_body(u32 request, void *result);
IMPORT(HTTP, "[method]outgoing-request.set-method")
u32 outgoing_request_set_method(u32 request, u32 method, const char *other, u32 length);
IMPORT(HTTP, "[method]outgoing-request.set-scheme")
u32 outgoing_request_set_scheme(u32 request, u32 isSome, u32 scheme, const char *other, u32 length);
IMPORT(HTTP, "[method]outgoing-request.set-authority")
u32 outgoing_request_set_authority(u32 request, u32 isSome, const char *text, u32 length);
IMPORT(HTTP, "[method]outgoing-request.set-path-with-query")
u32 outgoing_request_set_path(u32 request, u32 isSome, const char *text, u32 length);
IMPORT("wasi:http/outgoing-handler", "handle") void send_request(u32 request, u32 hasOptions, u32 options, void *result);

IMPORT(HTTP, "[method]future-incoming-response.subscribe") u32 future_response_subscribe(u32 future);
IMPORT(HTTP, "[method]future-incoming-response.get") void future_response_get(u32 future, void *result);
IMPORT(HTTP, "[method]incoming-response.status") u32 incoming_response_status(u32 response);
IMPORT(HTTP, "[method]incoming-response.consume") void incoming_response_consume(u32 response, void *result);

IMPORT(STREAMS, "[method]input-stream.blocking-read") void input_read(u32 stream, u64 length, void *result);
IMPORT(STREAMS, "[resource-drop]input-stream") void input_drop(u32 stream);
IMPORT(STREAMS, "[method]output-stream.check-write") void output_check(u32 stream, void *result);
IMPORT(STREAMS, "[method]output-stream.write") void output_write(u32 stream, const void *bytes, u32 length, void *result);
IMPORT(STREAMS, "[method]output-stream.blocking-write-and-flush")
void output_write_and_flush(u32 stream, const void *bytes, u32 length, void *result);
IMPORT(STREAMS, "[method]output-stream.subscribe") u32 output_subscribe(u32 stream);
IMPORT(STREAMS, "[method]output-stream.blocking-splice") void output_splice(u32 to, u32 from, u64 length, void *result);
IMPORT(STREAMS, "[resource-drop]output-stream") void output_drop(u32 stream);
IMPORT("wasi:io/error", "[resource-drop]error") void error_drop(u32 error);
IMPORT("wasi:io/poll", "[method]pollable.block") void pollable_block(u32 pollable);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void pollable_drop(u32 pollable);
IMPORT("wasi:clocks/monotonic-clock", "subscribe-duration") u32 clock_subscribe(u64 nanoseconds);
IMPORT("wasi:cli/stderr", "get-stderr") u32 get_stderr(void);

// The host asks for memory for what it gives. Nothing is freed: the slot is made like new after each request.
extern u8 __heap_base;
static u8 *heapEnd;

static u8 *allocate(u32 alignment, u32 size) {
  if (!heapEnd) heapEnd = &__heap_base;
  u8 *start = (u8 *)(((u32)heapEnd + alignment - 1) & ~(alignment - 1));
  heapEnd = start + size;
  u32 needed = ((u32)heapEnd + 65535) / 65536, pages = __builtin_wasm_memory_size(0);
  if (needed > pages && __builtin_wasm_memory_grow(0, needed - pages) == (u32)-1) __builtin_trap();
  return start;
}

#ifndef OWN_ALLOCATOR
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, u32 oldSize, u32 alignment, u32 size) {
  u8 *start = allocate(alignment, size);
  for (u32 i = 0; i < oldSize && i < size; i++) start[i] = ((u8 *)old)[i];
  return start;
}
#endif

static u32 lengthOf(const char *text) {
  u32 length = 0;
  while (text[length]) length++;
  return length;
}

static void header(u32 fields, const char *name, const char *value) {
  u32 result[2];
  fields_append(fields, name, lengthOf(name), value, lengthOf(value), result);
  if ((u8)result[0]) __builtin_trap();
}

#define EXPORT_HANDLER __attribute__((export_name("wasi:http/incoming-handler" VERSION "#handle")))
