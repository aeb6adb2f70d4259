// A CGI program: greets, then prints its environment.

#include <stdio.h>
#include <stdlib.h>

extern char **environ;

int main(void) {
  const char *path = getenv("PATH_INFO");
  printf("content-type: text/plain; charset=utf-8\n\n");
  printf("Hello, %s!\n\n", path && path[0] && path[1] ? path + 1 : "world");
  for (char **entry = environ; *entry; entry++) printf("%s\n", *entry);
  return 0;
}
