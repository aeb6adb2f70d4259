// Wagi guest that shows what it was given: arguments, environment, standard input.
//
// The query selects what it answers: mode=location, status, nohdr, env, exit, trap.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

/** Reads all of standard input; prints its length and its FNV-1a hash. */
static void print_body(void) {
  static unsigned char buffer[65536];
  size_t total = 0, count;
  unsigned hash = 2166136261u;
  while ((count = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
    total += count;
    for (size_t i = 0; i < count; i++) hash = (hash ^ buffer[i]) * 16777619u;
  }
  printf("body=%zu fnv=%08x content-length=%s\n", total, hash, variable("CONTENT_LENGTH"));
}

int main(int argc, char **argv) {
  const char *query = variable("QUERY_STRING");
  if (strstr(query, "mode=location")) return printf("location: /elsewhere\n\n"), 0;
  if (strstr(query, "mode=status")) return printf("status: 418 teapot\ncontent-type: text/plain\n\nshort and stout\n"), 0;
  if (strstr(query, "mode=nohdr")) return printf("\nbody without content-type\n"), 0;
  if (strstr(query, "mode=exit")) return fprintf(stderr, "exiting 3\n"), 3;
  if (strstr(query, "mode=trap")) __builtin_trap();

  printf("content-type: text/plain\nx-guest: c-wagi\n\n");
  printf("method=%s path=%s query=%s\n", variable("REQUEST_METHOD"), variable("PATH_INFO"), query);
  for (int i = 0; i < argc; i++) printf("arg[%d]=%s\n", i, argv[i]);
  if (strstr(query, "mode=env"))
    for (char **entry = environ; *entry; entry++) printf("env %s\n", *entry);
  print_body();
  fprintf(stderr, "wagi guest done\n");
  return 0;
}
