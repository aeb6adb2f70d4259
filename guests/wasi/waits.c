// Waits, asks the time and for randomness, and prints what must hold of them.

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void) {
  unsigned char random[32];
  getentropy(random, sizeof random);
  int different = 0;
  for (int i = 1; i < 32; i++) different |= random[i] != random[0];
  int64_t before = now();
  printf("waiting\n");
  fflush(stdout);
  struct timespec wait = {0, 20 * 1000 * 1000};
  nanosleep(&wait, NULL);
  int64_t passed = now() - before;
  printf("waited long enough: %d, random: %d\n", passed >= 20 * 1000 * 1000, different);
  struct pollfd ready[1] = {{.fd = 1, .events = POLLOUT}};
  printf("stdout is ready: %d\n", poll(ready, 1, 1000));
  printf("first random byte %02x\n", random[0]);
  return 0;
}
