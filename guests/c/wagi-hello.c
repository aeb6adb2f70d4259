// The Wagi hello of the benchmark: reads nothing, writes a CGI head and nineteen bytes.

#include <stdio.h>

int main(void) {
  printf("content-type: text/plain\n\nHello from Spindle\n");
  return 0;
}
