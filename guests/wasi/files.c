// Works through files below "/" by way of the standard library, and prints what it found.
//
// What it prints and what it leaves on disk are the same each time it starts in an empty directory:
// a run that is replayed halfway must not differ from one that is not.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(const char *what, int result) {
  printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  char *names[64];
  int count = 0;
  DIR *directory = opendir(path);
  if (!directory) { check(path, -1); return; }
  for (struct dirent *entry; (entry = readdir(directory)) && count < 64;) names[count++] = strdup(entry->d_name);
  closedir(directory);
  qsort(names, count, sizeof *names, by_name);
  printf("%s:", path);
  for (int i = 0; i < count; i++) printf(" %s", names[i]);
  printf("\n");
}

static void show(const char *path) {
  char line[128];
  FILE *file = fopen(path, "r");
  if (!file) { check(path, -1); return; }
  while (fgets(line, sizeof line, file)) printf("%s> %s", path, line);
  fclose(file);
}

int main(void) {
  struct stat stat_of;
  list("/");
  check("mkdir", mkdir("/made", 0777));
  check("mkdir again", mkdir("/made", 0777));
  FILE *file = fopen("/made/text", "w");
  if (!file) { check("fopen", -1); return 1; }
  fprintf(file, "one\ntwo\n");
  fclose(file);
  file = fopen("/made/text", "a");
  fprintf(file, "three\n");
  fclose(file);
  show("/made/text");
  file = fopen("/made/text", "r+");
  fseek(file, 4, SEEK_SET);
  fputs("TWO", file);
  fseek(file, 0, SEEK_END);
  printf("size %ld\n", ftell(file));
  fclose(file);
  show("/made/text");
  check("symlink", symlink("text", "/made/soft"));
  check("link", link("/made/text", "/made/hard"));
  char target[16] = {0};
  printf("readlink %d %s\n", (int)readlink("/made/soft", target, sizeof target), target);
  check("lstat", lstat("/made/soft", &stat_of));
  printf("is a link: %d\n", S_ISLNK(stat_of.st_mode));
  check("stat", stat("/made/soft", &stat_of));
  printf("is a file: %d, links %d, size %d\n", S_ISREG(stat_of.st_mode), (int)stat_of.st_nlink, (int)stat_of.st_size);
  struct timespec times[2] = {{1600000000, 1}, {1700000000, 123456789}};
  check("utimensat", utimensat(AT_FDCWD, "/made/text", times, 0));
  check("stat", stat("/made/text", &stat_of));
  printf("modified %lld.%09ld\n", stat_of.st_mtim.tv_sec, stat_of.st_mtim.tv_nsec);
  check("truncate", truncate("/made/hard", 3));
  show("/made/soft");
  printf("\n");
  check("rename", rename("/made/hard", "/made/renamed"));
  check("rename to a directory", rename("/made/renamed", "/"));
  list("/made");
  check("open beyond", open("/../etc/passwd", O_RDONLY));
  check("rmdir full", rmdir("/made"));
  check("unlink", unlink("/made/soft"));
  check("unlink again", unlink("/made/soft"));
  list("/made");
  fprintf(stderr, "done\n");
  return 7;
}
