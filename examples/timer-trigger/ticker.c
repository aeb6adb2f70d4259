// A component for the timer trigger: says which tick it is, and stops the timer after the third.

#include <stdio.h>
#include <stdlib.h>

/** Which tick this is, counted from 1: the one host function of the timer trigger. */
__attribute__((import_module("timer"), import_name("tick"))) int timer_tick(void);

enum { CONTINUE = 0, STOP = 1 };

/** Each tick has an instance of its own, so this is 1 every time. */
static int calls;

__attribute__((export_name("handle-timer"))) int handle_timer(void) {
  calls++;
  printf("tick %d of the %s clock, call %d of this instance\n", timer_tick(), getenv("CLOCK"), calls);
  fflush(stdout);
  return timer_tick() < 3 ? CONTINUE : STOP;
}
