// A dependency that uses every permission which it may or may not be given, and tells what came of it.

#include "abi.h"

COMPONENT_TYPE("report.bin")

IMPORT("wasi:cli/environment@0.2.0", "get-environment") void get_environment(text *result);
IMPORT("wasi:filesystem/preopens@0.2.0", "get-directories") void get_directories(text *result);
IMPORT("wasi:http/types@0.2.0", "[constructor]fields") u32 new_fields(void);
IMPORT("wasi:http/types@0.2.0", "[constructor]outgoing-request") u32 new_request(u32 fields);
IMPORT("wasi:http/outgoing-handler@0.2.0", "handle") void send(u32 request, u32 has_options, u32 options, void *result);
IMPORT("wasi:sockets/tcp-create-socket@0.2.0", "create-tcp-socket") void create_tcp_socket(u32 family, void *result);
IMPORT("wasi:sockets/instance-network@0.2.0", "instance-network") u32 instance_network(void);
IMPORT("wasi:sockets/ip-name-lookup@0.2.0", "resolve-addresses")
void resolve(u32 network, const u8 *name, u32 length, void *result);
IMPORT("fermyon:spin/variables@2.0.0", "get") void get_variable(const u8 *name, u32 length, void *result);
IMPORT("fermyon:spin/key-value@2.0.0", "[static]store.open") void open_store(const u8 *label, u32 length, void *result);
IMPORT("fermyon:spin/sqlite@2.0.0", "[static]connection.open")
void open_database(const u8 *name, u32 length, void *result);

static text answer;
// Large enough, and aligned, for each of the results.
static unsigned long long area[8];

// A list: how many there are. None is what a dependency sees that may not have any.
static text counted(const text *list) {
  return joined(literal("count "), number(list->length));
}

// A result: its discriminant, and that of the error behind it at `offset`.
static text outcome(u32 offset) {
  const u8 *bytes = (const u8 *)area;
  return bytes[0] == 0 ? literal("ok") : joined(literal("error "), number(bytes[offset]));
}

static text use(u32 permission) {
  text list, name = literal("default");
  switch (permission) {
    case 0:
      get_environment(&list);
      return counted(&list);
    case 1:
      get_directories(&list);
      return counted(&list);
    case 2:
      send(new_request(new_fields()), 0, 0, area);
      return outcome(8);
    case 3:
      create_tcp_socket(0, area);
      return outcome(4);
    case 4:
      resolve(instance_network(), (const u8 *)"127.0.0.1", 9, area);
      return outcome(4);
    case 5:
      get_variable(name.bytes, name.length, area);
      return outcome(4);
    case 6:
      open_store(name.bytes, name.length, area);
      return outcome(4);
    default:
      open_database(name.bytes, name.length, area);
      return outcome(4);
  }
}

EXPORT("test:composed/report@1.0.0#report") text *report(u32 permission) {
  answer = use(permission);
  return &answer;
}
