// A guest of wasi:http that lies to the canonical ABI and misuses its handles, in the way that its path names.
//
// Pointers, lengths and values of what it lowers:
//   /text-outside /text-utf8 /bytes-outside /bytes-length /list-outside /list-unaligned /list-endless
//   /result-outside /result-unaligned /variant
// Handles:
//   /drop-twice /use-dropped /use-consumed /wrong-type /handle-zero /handle-last /handles
//   /set-twice /drop-outparam /drop-parent /write-finished /finish-twice /body-twice /stream-twice
// The allocator, when the host lowers the path of the request a second time:
//   /realloc-outside /realloc-straddles /realloc-last /realloc-unaligned /realloc-trap /realloc-calls
//   /realloc-loop /realloc-recurse /realloc-memory /realloc-overlap
// Ends, or never does:
//   /recurse /memory /loop, /read-body, which answers when it has read the request,
//   and /stall, which begins its answer and goes no further
// Whatever the path, `?later` waits first, so that the harm is done in second gear. All others, such as
// /look, are answered with the numbers of the handles that the guest was given and with what it finds in
// its memory: the same for each request.

#define OWN_ALLOCATOR
#include "wasi-http/wasi-http.h"

#define OUTSIDE ((void *)0xfffffff0u)
#define HARM(name) (isPath("/" name))
#define PAGE 65536u

IMPORT(HTTP, "[resource-drop]incoming-request") void request_drop(u32 request);
IMPORT("wasi:io/poll", "poll") void poll(const u32 *pollables, u32 length, void *result);

typedef enum { HONEST, OUT, STRADDLES, LAST, UNALIGNED, TRAPS, CALLS, LOOPS, RECURSES, GROWS, OVERLAPS } Lie;

static u32 result[16], list[4];
static const char *path;
static u32 pathLength;
static Lie lie;
static u32 requestsSeen;
static u8 used[4];

static u32 memoryBytes(void) { return __builtin_wasm_memory_size(0) * PAGE; }

static void loop(void) {
  for (volatile u32 turns = 0;; turns++) continue;
}

static u32 recurse(volatile u32 depth) { return recurse(depth + 1) + depth; }

static void grow(void) {
  while (__builtin_wasm_memory_grow(0, 1) != (u32)-1) continue;
}

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, u32 oldSize, u32 alignment, u32 size) {
  (void)old, (void)oldSize;
  switch (lie) {
    case OUT: return OUTSIDE;
    case STRADDLES: return (void *)(memoryBytes() - alignment);
    case LAST: return (void *)0xffffffffu;
    case UNALIGNED: return (void *)(((u32)heapEnd & ~(alignment - 1)) + 1);
    case TRAPS: __builtin_trap();
    case CALLS: fields_new(); break;
    case LOOPS: loop(); break;
    case RECURSES: recurse(0); break;
    case GROWS: grow(); __builtin_trap();
    case OVERLAPS: return used;
    case HONEST: break;
  }
  return allocate(alignment, size);
}

static int isPath(const char *text) {
  u32 length = lengthOf(text);
  if (pathLength < length) return 0;
  for (u32 i = 0; i < length; i++)
    if (path[i] != text[i]) return 0;
  return pathLength == length || path[length] == '?';
}

static int isLater(void) { return pathLength > 6 && path[pathLength - 6] == '?'; }

static void sleep(u32 milliseconds) {
  u32 pollable = clock_subscribe((u64)milliseconds * 1000000);
  pollable_block(pollable);
  pollable_drop(pollable);
}

static void readPath(u32 request) {
  request_path(request, result);
  path = (const char *)result[1];
  pathLength = result[2];
}

static u32 newResponse(u32 *body) {
  u32 response = response_new(fields_new());
  response_body(response, result);
  *body = result[1];
  return response;
}

static u32 streamOf(u32 body) {
  body_write(body, result);
  return result[1];
}

static void answer(u32 outparam, u32 response) { outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0); }

static void finish(u32 body, u32 stream) {
  output_drop(stream);
  body_finish(body, 0, 0, result);
}

static void say(u32 stream, const char *text, u32 length) {
  output_write_and_flush(stream, text, length, result);
}

static void sayNumber(u32 stream, u32 number) {
  char digits[] = "0000000000 ";
  for (u32 at = 10; at-- > 0; number /= 10) digits[at] += number % 10;
  say(stream, digits, 11);
}

/** What is lowered. */
static void lieAboutValues(u32 fields) {
  if (HARM("text-outside")) fields_append(fields, OUTSIDE, 100, "v", 1, result);
  if (HARM("text-utf8")) fields_append(fields, "\xc3\x28", 2, "v", 1, result);
  if (HARM("bytes-outside")) fields_append(fields, "name", 4, (char *)(memoryBytes() - 1), 2, result);
  if (HARM("bytes-length")) fields_append(fields, "name", 4, "v", 0xffffffff, result);
  if (HARM("list-outside")) poll((u32 *)(memoryBytes() - 4), 2, result);
  if (HARM("list-unaligned")) poll((u32 *)((u32)list | 1), 1, result);
  if (HARM("list-endless")) poll(list, 0x40000001, result);
  if (HARM("result-outside")) fields_entries(fields, (void *)(memoryBytes() - 4));
  if (HARM("result-unaligned")) fields_entries(fields, (void *)((u32)result | 2));
  if (HARM("variant")) outgoing_request_set_method(outgoing_request_new(fields), 99, "", 0);
}

static void misuseHandles(u32 request, u32 outparam) {
  u32 body, other, fields = fields_new();
  if (HARM("drop-twice")) fields_drop(fields), fields_drop(fields);
  if (HARM("use-dropped")) fields_drop(fields), fields_entries(fields, result);
  if (HARM("use-consumed")) response_new(fields), response_new(fields);
  if (HARM("wrong-type")) fields_drop(request);
  if (HARM("handle-zero")) fields_drop(0);
  if (HARM("handle-last")) fields_drop(0xffffffff);
  if (HARM("handles"))
    for (;;) fields_new();
  if (HARM("set-twice")) answer(outparam, newResponse(&body)), answer(outparam, newResponse(&other));
  if (HARM("drop-outparam")) outparam_drop(outparam);
  if (HARM("drop-parent")) {
    request_consume(request, result);
    body = result[1];
    incoming_body_stream(body, result);
    incoming_body_drop(body);
    request_drop(request);
    input_read(result[1], 1, result);
  }
  if (HARM("write-finished") || HARM("finish-twice")) {
    answer(outparam, newResponse(&body));
    u32 stream = streamOf(body);
    finish(body, stream);
    if (HARM("finish-twice")) body_finish(body, 0, 0, result);
    say(stream, "more", 4);
  }
  if (HARM("body-twice")) {
    u32 response = newResponse(&body);
    response_body(response, result);
    if ((u8)result[0]) __builtin_trap();
  }
  if (HARM("stream-twice")) {
    newResponse(&body);
    streamOf(body);
    streamOf(body);
    if ((u8)result[0]) __builtin_trap();
  }
}

static void lieAboutMemory(u32 request) {
  static const struct {
    const char *name;
    Lie lie;
  } LIES[] = {
      {"/realloc-outside", OUT},     {"/realloc-straddles", STRADDLES}, {"/realloc-last", LAST},
      {"/realloc-unaligned", UNALIGNED}, {"/realloc-trap", TRAPS},      {"/realloc-calls", CALLS},
      {"/realloc-loop", LOOPS},      {"/realloc-recurse", RECURSES},    {"/realloc-memory", GROWS},
      {"/realloc-overlap", OVERLAPS},
  };
  for (u32 i = 0; i < sizeof LIES / sizeof *LIES; i++) {
    if (!isPath(LIES[i].name)) continue;
    lie = LIES[i].lie;
    request_path(request, result);
    // The entries are a list of texts and bytes: aligned, and in many pieces.
    fields_entries(request_headers(request), result);
    lie = HONEST;
  }
}

static void readBody(u32 request) {
  request_consume(request, result);
  u32 body = result[1];
  incoming_body_stream(body, result);
  u32 stream = result[1];
  do input_read(stream, 1024, result);
  while ((u8)result[0] == 0);
  if ((u8)result[1] == 0) __builtin_trap();
}

EXPORT_HANDLER void handle(u32 request, u32 outparam) {
  if (!heapEnd) heapEnd = &__heap_base;
  readPath(request);
  if (isLater()) sleep(1);
  u32 fields = fields_new();
  lieAboutValues(fields);
  misuseHandles(request, outparam);
  lieAboutMemory(request);
  if (HARM("recurse")) recurse(0);
  if (HARM("memory")) grow(), __builtin_trap();
  if (HARM("loop")) loop();
  if (HARM("read-body")) readBody(request);
  u32 body, response = newResponse(&body);
  answer(outparam, response);
  u32 stream = streamOf(body);
  if (HARM("stall")) sleep(1000000);
  sayNumber(stream, request);
  sayNumber(stream, outparam);
  sayNumber(stream, fields);
  sayNumber(stream, body);
  sayNumber(stream, ++requestsSeen);
  sayNumber(stream, used[0]);
  sayNumber(stream, (u32)heapEnd - (u32)&__heap_base > PAGE);
  sayNumber(stream, __builtin_wasm_memory_size(0));
  finish(body, stream);
}
