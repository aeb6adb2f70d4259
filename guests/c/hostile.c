// A guest of the Spin ABI that lies, loops, and dies, each in the way that the path below its route names.
//
// Lies about the answer (the area it returns, and what that points to):
//   /area-outside /area-straddles /headers-outside /headers-count /headers-many /name-outside /name-utf8
//   /name-space /value-utf8 /value-newline /body-outside /body-length /body-end /tag /status/NNN
// Ends, or never does:
//   /loop /recurse /underrun /memory /unreachable /divide /load /call-null /call-type /exit/NNN /abort
// The allocator lies as the variable REALLOC says, from the first call on:
//   loop, null, end (the last byte of memory), outside, trap, exit

#define SPIN_OWN_EXPORTS
#include "spin.h"

#define PAGE 65536u
#define OUTSIDE ((void *)0xfffffff0u)

static uint32_t memory_bytes(void) { return __builtin_wasm_memory_size(0) * PAGE; }

static void loop_forever(void) {
  for (volatile unsigned turns = 0;; turns++) continue;
}

EXPORT("canonical_abi_realloc")
void *canonical_abi_realloc(void *old, size_t old_length, size_t align, size_t length) {
  (void)old_length;
  const char *lie = getenv("REALLOC");
  if (lie && strcmp(lie, "loop") == 0) loop_forever();
  if (lie && strcmp(lie, "null") == 0) return NULL;
  if (lie && strcmp(lie, "end") == 0) return (void *)(memory_bytes() - 1);
  if (lie && strcmp(lie, "outside") == 0) return OUTSIDE;
  if (lie && strcmp(lie, "trap") == 0) __builtin_trap();
  if (lie && strcmp(lie, "exit") == 0) exit(3);
  return length == 0 ? (void *)align : realloc(old, length);
}

/** Lies need no care for what is freed. */
EXPORT("canonical_abi_free")
void canonical_abi_free(void *bytes, size_t length, size_t align) { (void)bytes, (void)length, (void)align; }

static Header pair = {{"x-name", 6}, {"value", 5}};
static ResponseArea area;

static void tell_headers(Header *headers, size_t count) {
  area.has_headers = 1;
  area.headers = headers;
  area.header_count = count;
}

static void tell_body(char *body, size_t length) {
  area.has_body = 1;
  area.body = body;
  area.body_length = length;
}

/** Many headers cost the guest nothing: all are the same pair of texts. */
static void tell_many_headers(size_t count) {
  Header *headers = malloc(count * sizeof(Header));
  for (size_t i = 0; i < count; i++) headers[i] = pair;
  tell_headers(headers, count);
}

static volatile unsigned never = 0xffffffff;
static volatile int zero = 0;
static void (*volatile no_function)(void) = NULL;
static double (*volatile other_function)(double) = (double (*)(double))(void *)exit;

/** Fills the engine's stack: no frame has anything in memory. */
static __attribute__((noinline)) unsigned recurse(unsigned depth) {
  return depth == never ? 0 : recurse(depth + 1) / 3 - depth;
}

/** Fills the guest's own stack, which lies in memory above its data, and then runs over them. */
static __attribute__((noinline)) unsigned underrun(unsigned depth) {
  volatile char frame[1000];
  frame[depth % 1000] = 1;
  return depth == never ? 0 : underrun(depth + 1) / 3 - frame[0];
}

static void exhaust_memory(void) {
  while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1) *(volatile char *)(memory_bytes() - PAGE) = 1;
  abort();
}

/** Ends the guest if the path says so. */
static void end(const char *path) {
  if (strcmp(path, "/loop") == 0) loop_forever();
  if (strcmp(path, "/recurse") == 0) area.status = recurse(0);
  if (strcmp(path, "/underrun") == 0) area.status = underrun(0);
  if (strcmp(path, "/memory") == 0) exhaust_memory();
  if (strcmp(path, "/unreachable") == 0) __builtin_trap();
  if (strcmp(path, "/divide") == 0) area.status = 100 / zero;
  if (strcmp(path, "/load") == 0) area.status = *(volatile int *)0xfffffffcu;
  if (strcmp(path, "/call-null") == 0) no_function();
  if (strcmp(path, "/call-type") == 0) other_function(1.0);
  if (strncmp(path, "/exit/", 6) == 0) exit(atoi(path + 6));
  if (strcmp(path, "/abort") == 0) abort();
}

static void *lie(const char *path) {
  if (strcmp(path, "/area-outside") == 0) return OUTSIDE;
  if (strcmp(path, "/area-straddles") == 0) return (void *)(memory_bytes() - 4);
  if (strcmp(path, "/headers-outside") == 0) tell_headers(OUTSIDE, 1);
  if (strcmp(path, "/headers-count") == 0) tell_headers(&pair, 0x10000000);
  if (strcmp(path, "/headers-many") == 0) tell_many_headers(100000);
  if (strcmp(path, "/name-outside") == 0) pair.name.bytes = OUTSIDE, tell_headers(&pair, 1);
  if (strcmp(path, "/name-utf8") == 0) pair.name = (Text){"x-\xff\xfe", 4}, tell_headers(&pair, 1);
  if (strcmp(path, "/name-space") == 0) pair.name = (Text){"x y", 3}, tell_headers(&pair, 1);
  if (strcmp(path, "/value-utf8") == 0) pair.value = (Text){"\xc3(", 2}, tell_headers(&pair, 1);
  if (strcmp(path, "/value-newline") == 0) pair.value = (Text){"a\r\nx-injected: b", 16}, tell_headers(&pair, 1);
  if (strcmp(path, "/body-outside") == 0) tell_body(OUTSIDE, 100);
  if (strcmp(path, "/body-length") == 0) tell_body("", 0xffffffffu);
  if (strcmp(path, "/body-end") == 0) tell_body((char *)memory_bytes(), 0);
  if (strcmp(path, "/tag") == 0) area.has_headers = 7, area.has_body = 9;
  if (strncmp(path, "/status/", 8) == 0) area.status = atoi(path + 8);
  return &area;
}

EXPORT("handle-http-request")
void *handle_http_request(int32_t method, char *uri, size_t uri_length, Header *headers, size_t header_count,
                          Header *params, size_t param_count, int32_t has_body, char *body, size_t body_length) {
  (void)method, (void)params, (void)param_count, (void)has_body, (void)body, (void)body_length;
  char *path = path_of((Request){.uri = {uri, uri_length}, .headers = {headers, header_count}});
  area.status = 200;
  end(path);
  return lie(path);
}
