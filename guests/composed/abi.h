// What every guest of this folder needs of the canonical ABI: an allocator, and text.

typedef unsigned int u32;
typedef unsigned char u8;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define COMPONENT_TYPE(file) __asm__(".section \".custom_section.component-type\",\"\",@\n.incbin \"" file "\"\n");
#define EXPORT(name) __attribute__((export_name(name)))

typedef struct {
  const u8 *bytes;
  u32 length;
} text;

static u8 heap[65536];
static u32 used;

// Nothing is freed: each call begins with a fresh heap.
EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
  used = (used + align - 1) & ~(align - 1);
  u8 *made = heap + used;
  if (size > sizeof heap - used) __builtin_trap();
  used += size;
  for (u32 i = 0; i < old_size && i < size; i++) made[i] = ((u8 *)old)[i];
  return made;
}

static text literal(const char *bytes) {
  u32 length = 0;
  while (bytes[length]) length++;
  return (text){(const u8 *)bytes, length};
}

static text number(u32 value) {
  u8 *digits = cabi_realloc(0, 0, 1, 10);
  u32 at = 10;
  do digits[--at] = '0' + value % 10; while (value /= 10);
  return (text){digits + at, 10 - at};
}

static text joined(text a, text b) {
  u8 *bytes = cabi_realloc(0, 0, 1, a.length + b.length);
  for (u32 i = 0; i < a.length; i++) bytes[i] = a.bytes[i];
  for (u32 i = 0; i < b.length; i++) bytes[a.length + i] = b.bytes[i];
  return (text){bytes, a.length + b.length};
}
