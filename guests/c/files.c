// A static file server of the Spin ABI: answers the file that `spin-path-info` names.
//
// A directory is answered with a list of its names if it ends with "/". What does not exist is a 404.

#include <dirent.h>
#include <sys/stat.h>

#include "spin.h"

static const struct {
  const char *extension, *content_type;
} TYPES[] = {
    {".html", "text/html; charset=utf-8"}, {".css", "text/css"},  {".js", "text/javascript"},
    {".svg", "image/svg+xml"},             {".png", "image/png"}, {".txt", "text/plain; charset=utf-8"},
    {".json", "application/json"},
};

static const char *content_type(const char *path) {
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof TYPES / sizeof *TYPES; i++)
    if (strcmp(dot, TYPES[i].extension) == 0) return TYPES[i].content_type;
  return "application/octet-stream";
}

static Response not_found(void) { return respond(404, "text/plain", text_of("Not Found\n")); }

static Response list(const char *path) {
  DIR *directory = opendir(path);
  if (!directory) return not_found();
  Text body = {0};
  FILE *out = open_memstream(&body.bytes, &body.length);
  for (struct dirent *entry; (entry = readdir(directory));) fprintf(out, "%s\n", entry->d_name);
  fclose(out);
  closedir(directory);
  return respond(200, "text/plain; charset=utf-8", body);
}

static Response serve(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return not_found();
  FILE *file = fopen(path, "r");
  if (!file) return not_found();
  Text body = {malloc(status.st_size + 1), 0};
  body.length = fread(body.bytes, 1, status.st_size, file);
  fclose(file);
  return respond(200, content_type(path), body);
}

/** Undoes percent-encoding in place. */
static void decode(char *path) {
  char *out = path;
  for (char *in = path; *in; out++) {
    unsigned byte;
    if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1) *out = byte, in += 3;
    else *out = *in++;
  }
  *out = 0;
}

Response handle(Request request) {
  char *path = path_of(request);
  decode(path);
  size_t length = strlen(path);
  return length > 0 && path[length - 1] == '/' ? list(path) : serve(path);
}
