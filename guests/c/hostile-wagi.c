// A Wagi guest that writes what is no CGI answer, or dies, as the query says.
//
//   empty no-blank-line no-header utf8-header long-head many-headers bad-line bad-name cr-value nul-value
//   status-text status-0 status-99 status-70000 status-only crlf big endless closed loop trap exit partial

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *query, *answer;
} ANSWERS[] = {
    {"empty", ""},
    {"no-blank-line", "content-type: text/plain\nno blank line follows"},
    {"no-header", "\n\nbody"},
    {"utf8-header", "content-type: text/plain\nx-name: \xff\xfe\n\nbody"},
    {"bad-line", "content-type: text/plain\nno colon here\n\nbody"},
    {"bad-name", "content-type: text/plain\nx y: z\n: nameless\n\nbody"},
    {"cr-value", "content-type: text/plain\r\nx-name: a\rb\r\n\r\nbody"},
    {"status-text", "content-type: text/plain\nstatus: teapot\n\nbody"},
    {"status-0", "content-type: text/plain\nstatus: 0\n\nbody"},
    {"status-99", "content-type: text/plain\nstatus: 99\n\nbody"},
    {"status-70000", "content-type: text/plain\nstatus: 70000\n\nbody"},
    {"status-only", "status: 204\n\n"},
    {"crlf", "Content-Type: text/plain\r\nX-A: 1\r\n\r\nbody"},
};

static void write_repeated(const char *text, size_t count) {
  for (size_t i = 0; i < count; i++) fputs(text, stdout);
}

int main(void) {
  const char *query = getenv("QUERY_STRING");
  if (!query) query = "";
  for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++)
    if (strcmp(query, ANSWERS[i].query) == 0) return fputs(ANSWERS[i].answer, stdout), 0;

  if (strcmp(query, "nul-value") == 0) return fwrite("content-type: a\0b\n\nbody", 1, 23, stdout), 0;
  if (strcmp(query, "long-head") == 0) {
    fputs("content-type: text/plain\nx-long: ", stdout);
    write_repeated("0123456789abcdef", 65536);
    return fputs("\n\nbody", stdout), 0;
  }
  if (strcmp(query, "many-headers") == 0) {
    for (int i = 0; i < 100000; i++) printf("x-%d: %d\n", i, i);
    return fputs("content-type: text/plain\n\nbody", stdout), 0;
  }
  fputs("content-type: text/plain\n\n", stdout);
  if (strcmp(query, "closed") == 0) fflush(stdout), close(1), close(2);
  if (strcmp(query, "big") == 0) write_repeated("0123456789abcdef", 1 << 20);
  if (strcmp(query, "endless") == 0) write_repeated("0123456789abcdef", SIZE_MAX);
  if (strcmp(query, "partial") == 0) fputs("the first half", stdout), fflush(stdout), abort();
  if (strcmp(query, "loop") == 0) for (volatile unsigned turns = 0;; turns++) continue;
  if (strcmp(query, "trap") == 0) __builtin_trap();
  if (strcmp(query, "exit") == 0) return 3;
  fputs("well behaved\n", stdout);
  return 0;
}
