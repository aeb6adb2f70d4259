// A guest of wasi:http that does as its path says, good and bad.
//
//   /hello           answers at once
//   /headers         shows the request
//   /echo            copies the request's body as it comes, with splices
//   /late-echo       answers before it reads, then copies with reads and writes
//   /pieces          three pieces, 20 ms between them
//   /flood           as much as the client takes, until it is told that nobody reads
//   /after           answers, then works for 50 ms and prints "done"
//   /after-long      answers, then waits for ever
//   /wait            waits for ever
//   /length/N/M      promises N bytes and writes M; with /held behind it, returns without an end
//   /trailers        copies the request's body, and then its trailers
//   /empty           a body that is finished and empty
//   /bodiless        a response of which no body was asked
//   /none            returns without an answer
//   /error           answers with an error code
//   /trap-before     traps before it answers
//   /trap-in         traps in the middle of the body
//   /trap-after      traps after the body
//   /held            returns while it still has the body and its stream
//   /held-late       the same after 20 ms
//   /unfinished      lets go of the body without its end
//   /twice           uses its response-outparam twice
//   /finish-open     finishes a body whose stream it still has
//   /overfull        writes more than check-write said
//   /status/N        answers with a status
//   /forbidden       sets a header that it may not set
//   /proxy/HOST/PATH asks HOST over http with the method, the body and the trailers of the request, and passes
//                    the answer on in the same way

#include "wasi-http/wasi-http.h"

typedef struct {
  const char *bytes;
  u32 length;
} Text;

static u32 result[16];
static u32 request, outparam;
static Text path;

static int starts(const char *prefix) {
  u32 length = lengthOf(prefix);
  if (path.length < length) return 0;
  for (u32 i = 0; i < length; i++)
    if (path.bytes[i] != prefix[i]) return 0;
  return 1;
}

static int is(const char *text) {
  return starts(text) && (path.length == lengthOf(text) || path.bytes[lengthOf(text)] == '?');
}

static u32 numberAt(u32 *at) {
  u32 number = 0;
  while (*at < path.length && path.bytes[*at] >= '0' && path.bytes[*at] <= '9')
    number = number * 10 + (path.bytes[(*at)++] - '0');
  return number;
}

static int failed(void) {
  if ((u8)result[0] == 0) return 0;
  if ((u8)result[1] == 0) error_drop(result[2]);
  return 1;
}

/** Waits for room where there is none. Nonzero: nobody reads any more. */
static int writeAll(u32 stream, const void *bytes, u32 length) {
  const u8 *rest = bytes;
  while (length) {
    output_check(stream, result);
    if ((u8)result[0]) return failed();
    u64 room = *(u64 *)&result[2];
    if (room == 0) {
      u32 pollable = output_subscribe(stream);
      pollable_block(pollable);
      pollable_drop(pollable);
      continue;
    }
    u32 piece = room < length ? (u32)room : length;
    output_write(stream, rest, piece, result);
    if (failed()) return 1;
    rest += piece;
    length -= piece;
  }
  return 0;
}

static void say(u32 stream, const char *text) { writeAll(stream, text, lengthOf(text)); }
static void sayText(u32 stream, Text text) { writeAll(stream, text.bytes, text.length); }

static void sleep(u32 milliseconds) {
  u32 pollable = clock_subscribe((u64)milliseconds * 1000000);
  pollable_block(pollable);
  pollable_drop(pollable);
}

static u32 bodyOf(u32 response) {
  response_body(response, result);
  if ((u8)result[0]) __builtin_trap();
  return result[1];
}

static u32 streamOf(u32 body) {
  body_write(body, result);
  return result[1];
}

static void answer(u32 response) { outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0); }

/** @param trailers 0: none */
static void finishWith(u32 body, u32 stream, u32 trailers) {
  output_drop(stream);
  body_finish(body, trailers != 0, trailers, result);
}

static void finish(u32 body, u32 stream) { finishWith(body, stream, 0); }

static u32 textHeaders(void) {
  u32 headers = fields_new();
  header(headers, "content-type", "text/plain");
  return headers;
}

/** Those of an answer that may have the trailer `x-end`. */
static u32 trailedHeaders(void) {
  u32 headers = textHeaders();
  header(headers, "trailer", "x-end");
  return headers;
}

/** Answers with 200 and a body that is begun. */
static u32 begin(u32 *stream) {
  u32 response = response_new(textHeaders());
  u32 body = bodyOf(response);
  answer(response);
  *stream = streamOf(body);
  return body;
}

static u32 inputOf(u32 *body) {
  request_consume(request, result);
  *body = result[1];
  incoming_body_stream(*body, result);
  return result[1];
}

/** Lets go of what has been read; 0: it has no trailers. */
static u32 trailersOf(u32 body, u32 stream) {
  input_drop(stream);
  u32 future = incoming_body_finish(body), pollable = future_trailers_subscribe(future);
  pollable_block(pollable);
  pollable_drop(pollable);
  future_trailers_get(future, result);
  // option<result<result<option<trailers>, error-code>>>, aligned to 8; the draft has one result less
  u8 *got = (u8 *)result;
  if (got[0] != 1 || got[8] != 0) __builtin_trap();
#ifndef WASI_DRAFT
  got += 8;
  if (got[8] != 0) __builtin_trap();
#endif
  return got[16] ? *(u32 *)(got + 20) : 0;
}

static void splice(u32 to, u32 from) {
  do output_splice(to, from, 1 << 20, result);
  while (!failed());
}

static void copy(u32 to, u32 from) {
  u8 *lap = heapEnd;
  for (;;) {
    heapEnd = lap;
    input_read(from, 65536, result);
    if (failed() || writeAll(to, (void *)result[1], result[2])) return;
  }
}

static void showHeaders(u32 stream) {
  Text authority;
  request_authority(request, result);
  authority.bytes = (const char *)result[1];
  authority.length = result[2];
  sayText(stream, path);
  say(stream, "\n");
  sayText(stream, authority);
  say(stream, "\n");
  u32 fields = request_headers(request);
  fields_entries(fields, result);
  u32 *entries = (u32 *)result[0], count = result[1];
  for (u32 i = 0; i < count; i++, entries += 4) {
    Text name = {(const char *)entries[0], entries[1]}, value = {(const char *)entries[2], entries[3]};
    sayText(stream, name);
    say(stream, ": ");
    sayText(stream, value);
    say(stream, "\n");
  }
  fields_drop(fields);
}

static void proxy(void) {
  u32 at = lengthOf("/proxy/"), hostAt = at;
  while (at < path.length && path.bytes[at] != '/') at++;
  u32 method[3];
  request_method(request, method);
  u32 headers = fields_new();
  header(headers, "x-from", "proxy");
  u32 outgoing = outgoing_request_new(headers);
  outgoing_request_set_method(outgoing, (u8)method[0], (const char *)method[1], method[2]);
  outgoing_request_set_scheme(outgoing, 1, 0, 0, 0);
  if (outgoing_request_set_authority(outgoing, 1, path.bytes + hostAt, at - hostAt)) __builtin_trap();
  if (outgoing_request_set_path(outgoing, 1, path.bytes + at, path.length - at)) __builtin_trap();
  outgoing_request_body(outgoing, result);
  u32 outBody = result[1];
  send_request(outgoing, 0, 0, result);
  if ((u8)result[0]) __builtin_trap();
  u32 future = result[2];
  u32 out = streamOf(outBody), inBody, in = inputOf(&inBody);
  copy(out, in);
  finishWith(outBody, out, trailersOf(inBody, in));
  u32 pollable = future_response_subscribe(future);
  pollable_block(pollable);
  pollable_drop(pollable);
  future_response_get(future, result);
  // option<result<result<incoming-response, error-code>>>, aligned to 8
  u8 *got = (u8 *)result;
  if (got[0] != 1 || got[8] != 0) __builtin_trap();
  if (got[16] != 0) {
    u32 response = response_new(textHeaders()), body = bodyOf(response);
    response_set_status(response, 502);
    answer(response);
    u32 stream = streamOf(body);
    char code[] = "error 00\n";
    code[6] += got[24] / 10;
    code[7] += got[24] % 10;
    say(stream, code);
    finish(body, stream);
    return;
  }
  u32 incoming = *(u32 *)(got + 24);
  u32 response = response_new(trailedHeaders());
  response_set_status(response, incoming_response_status(incoming));
  incoming_response_consume(incoming, result);
  u32 from = result[1];
  incoming_body_stream(from, result);
  in = result[1];
  u32 body = bodyOf(response);
  answer(response);
  out = streamOf(body);
  copy(out, in);
  finishWith(body, out, trailersOf(from, in));
}

static void length(void) {
  u32 at = lengthOf("/length/"), digits = at, promised = numberAt(&at);
  u32 headers = textHeaders();
  fields_append(headers, "content-length", 14, path.bytes + digits, at - digits, result);
  at++;
  u32 written = numberAt(&at);
  u32 response = response_new(headers), body = bodyOf(response);
  answer(response);
  u32 stream = streamOf(body);
  (void)promised;
  for (u32 i = 0; i < written; i++)
    if (writeAll(stream, "x", 1)) break;
  if (at == path.length) finish(body, stream);
}

static void echoTrailers(void) {
  u32 response = response_new(trailedHeaders()), body = bodyOf(response);
  answer(response);
  u32 stream = streamOf(body), inputBody, input = inputOf(&inputBody);
  copy(stream, input);
  finishWith(body, stream, trailersOf(inputBody, input));
}

static const char PIECE[4096] = {0};

EXPORT_HANDLER void handle(u32 incoming, u32 param) {
  if (!heapEnd) heapEnd = &__heap_base;
  request = incoming;
  outparam = param;
  request_path(request, result);
  path.bytes = (const char *)result[1];
  path.length = result[2];
  u32 stream, body, input, inputBody;

  if (is("/none")) return;
  if (is("/trap-before")) __builtin_trap();
  if (is("/wait")) sleep(1000000);
  if (starts("/proxy/")) return proxy();
  if (starts("/length/")) return length();
  if (is("/trailers")) return echoTrailers();
  if (is("/error")) return outparam_set(outparam, 1, 36, 0, 0, 0, 0, 0, 0);
  if (is("/bodiless")) return answer(response_new(textHeaders()));
  if (starts("/status/")) {
    u32 at = lengthOf("/status/"), response = response_new(textHeaders());
    if (response_set_status(response, numberAt(&at))) __builtin_trap();
    return answer(response);
  }
  if (is("/forbidden")) {
    u32 fields = fields_new();
    header(fields, "connection", "close");
  }
  if (is("/echo")) {
    input = inputOf(&inputBody);
    body = begin(&stream);
    splice(stream, input);
    return finish(body, stream);
  }
  body = begin(&stream);
  if (is("/empty")) return finish(body, stream);
  if (is("/headers")) showHeaders(stream);
  else if (is("/late-echo")) {
    input = inputOf(&inputBody);
    copy(stream, input);
  } else if (is("/pieces")) {
    for (u32 i = 0; i < 3; i++) {
      say(stream, "piece\n");
      sleep(20);
    }
  } else if (is("/flood")) {
    while (!writeAll(stream, PIECE, sizeof PIECE));
    return;
  } else if (is("/overfull")) {
    for (;;) output_write(stream, PIECE, sizeof PIECE, result);
  } else
    say(stream, "Hello from Spindle\n");
  if (is("/held")) return;
  if (is("/held-late")) return sleep(20);
  if (is("/trap-in")) __builtin_trap();
  if (is("/twice")) answer(response_new(fields_new()));
  if (is("/unfinished")) {
    output_drop(stream);
    return body_drop(body);
  }
  if (is("/finish-open")) return body_finish(body, 0, 0, result);
  finish(body, stream);
  if (is("/trap-after")) __builtin_trap();
  if (is("/after")) {
    sleep(50);
    say(get_stderr(), "done\n");
  }
  if (is("/after-long")) sleep(1000000);
}
