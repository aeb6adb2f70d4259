// A guest of fermyon:spin/inbound-http: shows the request, sends one, or asks for a variable, by three interfaces.
//
//   /show               method, uri and headers of the request, then its body
//   /variable/NAME      by fermyon:spin/variables@2.0.0; an error is answered with 500 and its text
//   /config/NAME        by fermyon:spin/config
//   /store/NAME         by wasi:config/store; 404 if there is none
//   /send               sends the request's method and body to the URL in the header x-target
//
// world.bin is the binary form of world.wit: see wasi-http/wasi-http.h.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

__asm__(".section \".custom_section.component-type\",\"\",@\n.incbin \"inbound-http/world.bin\"\n");

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef struct {
  const char *bytes;
  u32 length;
} Text;

typedef struct {
  Text name, value;
} Pair;

typedef struct {
  u32 isSome;
  Text bytes;
} Body;

/** result<response, http-error> */
typedef struct {
  u32 isError;
  u16 status; // of an error: its number
  u32 hasHeaders;
  const Pair *headers;
  u32 headerCount;
  Body body;
} Sent;

/** result<string, error> and result<option<string>, error> */
typedef struct {
  u32 isError, a, b, c;
} Got;

IMPORT("fermyon:spin/http", "send-request")
void send_request(u32 method, const char *uri, u32 uriLength, const Pair *headers, u32 headerCount, const Pair *params,
                  u32 paramCount, u32 hasBody, const char *body, u32 bodyLength, Sent *result);
IMPORT("fermyon:spin/variables@2.0.0", "get") void variables_get(const char *name, u32 length, Got *result);
IMPORT("fermyon:spin/config", "get-config") void config_get(const char *name, u32 length, Got *result);
IMPORT("wasi:config/store@0.2.0-draft-2024-09-27", "get") void store_get(const char *name, u32 length, Got *result);

extern u8 __heap_base;
static u8 *heapEnd;

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, u32 oldSize, u32 alignment, u32 size) {
  if (!heapEnd) heapEnd = &__heap_base;
  u8 *start = (u8 *)(((u32)heapEnd + alignment - 1) & ~(alignment - 1));
  heapEnd = start + size;
  u32 needed = ((u32)heapEnd + 65535) / 65536, pages = __builtin_wasm_memory_size(0);
  if (needed > pages && __builtin_wasm_memory_grow(0, needed - pages) == (u32)-1) __builtin_trap();
  for (u32 i = 0; i < oldSize && i < size; i++) start[i] = ((u8 *)old)[i];
  return start;
}

/** response */
static struct {
  u16 status;
  u32 hasHeaders;
  const Pair *headers;
  u32 headerCount;
  Body body;
} response;

static Text made;

static void add(Text text) {
  char *to = cabi_realloc(0, 0, 1, text.length);
  if (!made.bytes) made.bytes = to;
  for (u32 i = 0; i < text.length; i++) to[i] = text.bytes[i];
  made.length += text.length;
}

#define TEXT(literal) ((Text){literal, sizeof literal - 1})

static int starts(Text text, Text prefix) {
  if (text.length < prefix.length) return 0;
  for (u32 i = 0; i < prefix.length; i++)
    if (text.bytes[i] != prefix.bytes[i]) return 0;
  return 1;
}



static const Pair HEADERS[] = {{TEXT("x-guest"), TEXT("é")}};
static const Text METHODS[] = {TEXT("get"), TEXT("post"), TEXT("put"), TEXT("delete"), TEXT("patch"), TEXT("head"), TEXT("options")};

static void *answer(u16 status, Text body) {
  response.status = status;
  response.hasHeaders = 1;
  response.headers = HEADERS;
  response.headerCount = 1;
  response.body.isSome = 1;
  response.body.bytes = body;
  return &response;
}

static void *answerGot(Got got) {
  if ((u8)got.isError) return answer(500, (Text){(const char *)got.b, got.c});
  return answer(200, (Text){(const char *)got.a, got.b});
}

static void *send(u32 method, Text target, Body body) {
  Sent sent;
  send_request(method, target.bytes, target.length, HEADERS, 1, 0, 0, body.isSome, body.bytes.bytes, body.bytes.length, &sent);
  if (!(u8)sent.isError) return answer(sent.status, sent.body.bytes);
  static char text[] = "error 0";
  text[6] = '0' + (u8)sent.status;
  return answer(502, TEXT(text));
}

__attribute__((export_name("fermyon:spin/inbound-http#handle-request")))
void *handle(u32 method, const char *uri, u32 uriLength, const Pair *headers, u32 headerCount, const Pair *params,
             u32 paramCount, u32 hasBody, const char *body, u32 bodyLength) {
  Text path = {uri, uriLength};
  Got got;
  (void)params;
  if (paramCount) __builtin_trap();
  if (starts(path, TEXT("/variable/"))) {
    variables_get(uri + 10, uriLength - 10, &got);
    return answerGot(got);
  }
  if (starts(path, TEXT("/config/"))) {
    config_get(uri + 8, uriLength - 8, &got);
    return answerGot(got);
  }
  if (starts(path, TEXT("/store/"))) {
    store_get(uri + 7, uriLength - 7, &got);
    if ((u8)got.isError) return answer(500, TEXT(""));
    if (!(u8)got.a) return answer(404, TEXT(""));
    return answer(200, (Text){(const char *)got.b, got.c});
  }
  for (u32 i = 0; i < headerCount; i++)
    if (starts(path, TEXT("/send")) && starts(headers[i].name, TEXT("x-target")))
      return send(method, headers[i].value, (Body){hasBody, {body, bodyLength}});
  add(METHODS[method]);
  add(TEXT(" "));
  add(path);
  add(TEXT("\n"));
  for (u32 i = 0; i < headerCount; i++) {
    add(headers[i].name);
    add(TEXT(": "));
    add(headers[i].value);
    add(TEXT("\n"));
  }
  add((Text){body, hasBody ? bodyLength : 0});
  return answer(200, made);
}
