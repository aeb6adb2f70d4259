// Guest of the Spin ABI that shows the request it was given, or does what the path below its route says.
//
//     /echo         the request's body
//     /status/NNN   that status, no headers, no body
//     /headers      no body, three headers, two of one name
//     /bare         a body, no headers
//     /environment  the environment, one variable a line
//     /print        two lines to each of stdout and stderr, the last without an end
//     /big/N        N bytes of "x"
//     /exit /trap   ends with proc_exit(3), or with unreachable
//     else          the request in text

#include "spin.h"

extern char **environ;

static const char *const METHODS[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};

static void print_pairs(FILE *out, const char *what, Headers pairs) {
  for (size_t i = 0; i < pairs.count; i++) {
    Header pair = pairs.items[i];
    fprintf(out, "%s %.*s: %.*s\n", what, (int)pair.name.length, pair.name.bytes, (int)pair.value.length,
            pair.value.bytes);
  }
}

static Response show(Request request) {
  Text body = {0};
  FILE *out = open_memstream(&body.bytes, &body.length);
  fprintf(out, "%s %.*s\n", METHODS[request.method], (int)request.uri.length, request.uri.bytes);
  print_pairs(out, "header", request.headers);
  print_pairs(out, "param", request.params);
  if (request.has_body) fprintf(out, "body %zu\n", request.body.length);
  fclose(out);
  fprintf(stderr, "handled %.*s\n", (int)request.uri.length, request.uri.bytes);
  return respond(200, "text/plain", body);
}

static Response show_environment(void) {
  Text body = {0};
  FILE *out = open_memstream(&body.bytes, &body.length);
  for (char **entry = environ; *entry; entry++) fprintf(out, "%s\n", *entry);
  fclose(out);
  return respond(200, "text/plain", body);
}

static Response three_headers(void) {
  Headers headers = {malloc(3 * sizeof(Header)), 3};
  headers.items[0] = (Header){text_of("x-twice"), text_of("one")};
  headers.items[1] = (Header){text_of("X-Twice"), text_of("two")};
  headers.items[2] = (Header){text_of("x-empty"), text_of("")};
  return (Response){.status = 204, .has_headers = true, .headers = headers};
}

Response handle(Request request) {
  char *path = path_of(request);
  if (strcmp(path, "/echo") == 0) return respond(200, "application/octet-stream", request.body);
  if (strncmp(path, "/status/", 8) == 0) return (Response){.status = atoi(path + 8)};
  if (strcmp(path, "/headers") == 0) return three_headers();
  if (strcmp(path, "/bare") == 0) return (Response){.status = 200, .has_body = true, .body = text_of("bare\n")};
  if (strcmp(path, "/environment") == 0) return show_environment();
  if (strcmp(path, "/print") == 0) {
    printf("out 1\nout 2");
    fflush(stdout);
    fprintf(stderr, "err 1\nerr 2");
    return respond(200, "text/plain", text_of("printed\n"));
  }
  if (strncmp(path, "/big/", 5) == 0) {
    size_t length = strtoul(path + 5, NULL, 10);
    return respond(200, "text/plain", (Text){memset(malloc(length), 'x', length), length});
  }
  if (strcmp(path, "/exit") == 0) exit(3);
  if (strcmp(path, "/trap") == 0) __builtin_trap();
  return show(request);
}
