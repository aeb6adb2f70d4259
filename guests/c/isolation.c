// Looks for anything that an earlier request left behind, answers what it found, then soils all it can.
//
// Every answer of a server that isolates requests is the same, byte for byte, and has no line "left:".
// It is a guest of the Spin ABI; with -DWAGI a CGI program of the same body.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef WAGI
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#else
#include "spin.h"
#endif

#define PAGE 65536u
#define MARK 0x5bd1e995u

extern char **environ;

static int zeroed_counter;
static int initialised_counter = 7;
static char zeroed_block[3 * PAGE];
static char text[] = "as compiled";

/** The mark is made anew from this, so that it stands in no data segment and in no register's spill. */
static volatile uint32_t mark_key = MARK ^ 0xffffffffu;

static void report(FILE *out, bool is_left, const char *what, long value) {
  if (is_left) fprintf(out, "left: %s (%ld)\n", what, value);
}

/** Counts the words of all memory which are the mark. */
static long count_marks(void) {
  long count = 0;
  uint32_t words = __builtin_wasm_memory_size(0) * (PAGE / 4);
  for (volatile uint32_t *word = (uint32_t *)4; word < (uint32_t *)4 + (words - 1); word++)
    count += (*word ^ mark_key) == 0xffffffffu;
  return count;
}

static long count_bytes(void) {
  long count = 0;
  for (size_t i = 0; i < sizeof zeroed_block; i++) count += zeroed_block[i] != 0;
  return count;
}

static int open_descriptors(void) {
  int count = 0;
  for (int fd = 3; fd < 64; fd++) count += fcntl(fd, F_GETFL) >= 0;
  return count;
}

static void look(FILE *out) {
  report(out, errno != 0, "errno", errno);
  report(out, zeroed_counter != 0, "a counter in zeroed data", zeroed_counter);
  report(out, initialised_counter != 7, "a counter in initialised data", initialised_counter);
  report(out, count_bytes() > 0, "bytes of a zeroed block", count_bytes());
  report(out, strcmp(text, "as compiled") != 0, "a text literal", text[0]);
  report(out, getenv("LEFT") != NULL, "a variable", 0);
  report(out, getenv("KEEP") && getenv("KEEP")[0] == '!', "an edit of a variable", 0);
  report(out, count_marks() > 0, "marks in memory", count_marks());
  report(out, strtok(NULL, "-") != NULL, "the text that strtok was in", 0);
  errno = 0;
  report(out, fcntl(0, F_GETFL) < 0, "a closed standard input", errno);
}

/** What is the same in every request, if they are isolated. */
static void describe(FILE *out) {
  void *block = malloc(100);
  fprintf(out, "pages %zu\n", (size_t)__builtin_wasm_memory_size(0));
  fprintf(out, "stack %p\n", __builtin_frame_address(0));
  fprintf(out, "heap %p\n", block);
  fprintf(out, "random %d\n", rand());
  fprintf(out, "descriptors %d\n", open_descriptors());
  for (char **entry = environ; *entry; entry++) fprintf(out, "variable %.4s\n", *entry);
  free(block);
}

static void soil_memory(void) {
  volatile uint32_t *block = malloc(40 * PAGE);
  for (size_t i = 0; i < 40 * PAGE / 4; i += 97) block[i] = mark_key ^ 0xffffffffu;
  size_t pages = __builtin_wasm_memory_grow(0, 16);
  if (pages == (size_t)-1) return;
  volatile uint32_t *grown = (uint32_t *)(pages * PAGE);
  grown[0] = grown[16 * PAGE / 4 - 1] = mark_key ^ 0xffffffffu;
}

static void soil_process(void) {
  setenv("LEFT", "yes", 1);
  char *kept = getenv("KEEP");
  if (kept) kept[0] = '!';
  static char words[] = "one-two-three";
  strtok(words, "-");
  srand(4711);
  if (opendir("/")) open("/", O_RDONLY | O_DIRECTORY);
  close(0);
}

static void soil(void) {
  zeroed_counter++;
  initialised_counter *= 3;
  memset(zeroed_block, 0xaa, sizeof zeroed_block);
  text[0] = 'x';
  soil_memory();
  soil_process();
  printf("no end of line: stays in the buffer of stdio");
  errno = EPIPE;
}

static char *examine(size_t *length) {
  char *bytes = NULL;
  FILE *out = open_memstream(&bytes, length);
  look(out);
  describe(out);
  fclose(out);
  return bytes;
}

#ifdef WAGI
int main(void) {
  size_t length;
  char *bytes = examine(&length);
  fputs("content-type: text/plain\n\n", stdout);
  fwrite(bytes, 1, length, stdout);
  fflush(stdout);
  soil();
  _Exit(0);
}
#else
Response handle(Request request) {
  (void)request;
  Text body;
  body.bytes = examine(&body.length);
  soil();
  return respond(200, "text/plain", body);
}
#endif
