// An interpreter as a guest: QuickJS of 2021 behind the Spin ABI, as the JavaScript SDK of 2022 had it.
//
// It is not in guests.json, because it needs the sources of QuickJS; README.md says how it is built.
// The program is run once, before the first request: what that leaves in memory is each request's beginning.

#include <sys/time.h>

#include "../c/spin.h"
#include "quickjs.h"

static const char PROGRAM[] =
    "const routes = new Map();\n"
    "routes.set('/', (request) => ({\n"
    "  status: 200,\n"
    "  headers: { 'content-type': 'text/plain' },\n"
    "  body: ['Hello', 'from', 'Spindle'].join(' ') + '\\n',\n"
    "}));\n"
    "function handle(method, uri, headers) {\n"
    "  const request = { method, url: new String(uri), headers: Object.fromEntries(headers) };\n"
    "  const route = routes.get(uri.replace(/[?].*$/, ''));\n"
    "  return route ? route(request) : { status: 404, headers: {}, body: 'Not Found\\n' };\n"
    "}\n";

static JSContext *context;
static JSValue handler;

/** QuickJS takes its random seed from the clock. The one in the image must not depend on when it was taken. */
int __wrap_gettimeofday(struct timeval *time, void *zone) {
  (void)zone;
  *time = (struct timeval){1640995200, 0};
  return 0;
}

__attribute__((constructor)) static void begin(void) {
  context = JS_NewContext(JS_NewRuntime());
  JS_FreeValue(context, JS_Eval(context, PROGRAM, sizeof PROGRAM - 1, "program.js", JS_EVAL_TYPE_GLOBAL));
  JSValue global = JS_GetGlobalObject(context);
  handler = JS_GetPropertyStr(context, global, "handle");
  JS_FreeValue(context, global);
  if (!JS_IsFunction(context, handler)) abort();
}

static JSValue string_of(Text text) { return JS_NewStringLen(context, text.bytes, text.length); }

static JSValue pairs_of(Headers headers) {
  JSValue list = JS_NewArray(context);
  for (uint32_t i = 0; i < headers.count; i++) {
    JSValue pair = JS_NewArray(context);
    JS_SetPropertyUint32(context, pair, 0, string_of(headers.items[i].name));
    JS_SetPropertyUint32(context, pair, 1, string_of(headers.items[i].value));
    JS_SetPropertyUint32(context, list, i, pair);
  }
  return list;
}

static Text text_at(JSValue object, const char *name) {
  JSValue value = JS_GetPropertyStr(context, object, name);
  size_t length;
  const char *text = JS_ToCStringLen(context, &length, value);
  if (!text) abort();
  Text copy = {malloc(length + 1), length};
  memcpy(copy.bytes, text, length);
  JS_FreeCString(context, text);
  JS_FreeValue(context, value);
  return copy;
}

Response handle(Request request) {
  JSValue arguments[] = {JS_NewInt32(context, request.method), string_of(request.uri), pairs_of(request.headers)};
  JSValue answer = JS_Call(context, handler, JS_UNDEFINED, 3, arguments);
  if (JS_IsException(answer)) return respond(500, "text/plain", text_of("The program threw\n"));
  int32_t status = 500;
  JSValue number = JS_GetPropertyStr(context, answer, "status");
  JS_ToInt32(context, &status, number);
  return respond(status, "text/plain", text_at(answer, "body"));
}
