// Greets by the name in the path, with the word in the environment, and shows a file that is mounted.

#include "spin.h"

/** Appends what the file holds, or why it cannot be read. */
static void print_file(FILE *out, const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(out, "Cannot read %s\n", path);
    return;
  }
  char buffer[4096];
  size_t count;
  while ((count = fread(buffer, 1, sizeof buffer, file)) > 0) fwrite(buffer, 1, count, out);
  fclose(file);
}

Response handle(Request request) {
  const char *greeting = getenv("GREETING");
  char *name = header_value(request.headers, "spin-path-info");
  Text body = {0};
  FILE *out = open_memstream(&body.bytes, &body.length);
  fprintf(out, "%s, %s!\n", greeting ? greeting : "Hello", name && strlen(name) > 1 ? name + 1 : "world");
  print_file(out, "/data/motd.txt");
  fclose(out);
  return respond(200, "text/plain; charset=utf-8", body);
}
