// Code that computes, to measure what the rewriter costs a guest. Each export does the same every time,
// and returns a figure to compare.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

#define SIEVE_SIZE (1 << 20)
#define SORT_SIZE (1 << 17)
#define MATRIX_SIZE 128
#define TEXT_SIZE (1 << 18)
#define CHAIN_HEADS (1 << 14)
#define TREE_SIZE 30000
#define KECCAK_ROUNDS 20000

static uint32_t seed;

static uint32_t next(void) { return seed = seed * 1664525u + 1013904223u; }

// A store in each turn of an inner loop that does nothing else: the worst that can be.

static uint8_t is_prime[SIEVE_SIZE];

EXPORT("sieve") int sieve(void) {
  int count = 0;
  for (int i = 0; i < SIEVE_SIZE; i++) is_prime[i] = 1;
  for (int i = 2; i < SIEVE_SIZE; i++) {
    if (!is_prime[i]) continue;
    count++;
    for (int j = i + i; j < SIEVE_SIZE; j += i) is_prime[j] = 0;
  }
  return count;
}

static uint32_t numbers[SORT_SIZE];

static void quick_sort(uint32_t *of, int left, int right) {
  while (left < right) {
    uint32_t pivot = of[(left + right) >> 1];
    int i = left, j = right;
    while (i <= j) {
      while (of[i] < pivot) i++;
      while (of[j] > pivot) j--;
      if (i > j) break;
      uint32_t kept = of[i];
      of[i++] = of[j];
      of[j--] = kept;
    }
    if (j - left < right - i) {
      quick_sort(of, left, j);
      left = i;
    } else {
      quick_sort(of, i, right);
      right = j;
    }
  }
}

EXPORT("sort") int sort(void) {
  seed = 1;
  for (int i = 0; i < SORT_SIZE; i++) numbers[i] = next();
  quick_sort(numbers, 0, SORT_SIZE - 1);
  return numbers[100];
}

static double a[MATRIX_SIZE][MATRIX_SIZE], b[MATRIX_SIZE][MATRIX_SIZE], c[MATRIX_SIZE][MATRIX_SIZE];

EXPORT("matrix") int matrix(void) {
  for (int i = 0; i < MATRIX_SIZE; i++) {
    for (int j = 0; j < MATRIX_SIZE; j++) {
      a[i][j] = i + j;
      b[i][j] = i - j;
      c[i][j] = 0;
    }
  }
  for (int i = 0; i < MATRIX_SIZE; i++) {
    for (int j = 0; j < MATRIX_SIZE; j++) {
      for (int k = 0; k < MATRIX_SIZE; k++) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return (int)c[3][5];
}

// A compressor that looks for what came before by a hash of three bytes.

static uint8_t text[TEXT_SIZE], packed[2 * TEXT_SIZE];
static uint32_t last_seen[CHAIN_HEADS];

EXPORT("lz") int lz(void) {
  seed = 7;
  for (int i = 0; i < TEXT_SIZE; i++) text[i] = "the quick brown fox jumps"[(next() >> 20) % 25];
  for (int i = 0; i < CHAIN_HEADS; i++) last_seen[i] = 0;
  uint32_t out = 0;
  for (uint32_t at = 0; at + 4 < TEXT_SIZE;) {
    uint32_t head = ((text[at] | text[at + 1] << 8 | text[at + 2] << 16) * 2654435761u) >> 18;
    uint32_t match = last_seen[head];
    last_seen[head] = at;
    uint32_t length = 0;
    if (match && at - match < 65535) {
      while (length < 255 && at + length < TEXT_SIZE && text[match + length] == text[at + length]) length++;
    }
    if (length > 3) {
      packed[out++] = 1;
      packed[out++] = length;
      packed[out++] = at - match;
      packed[out++] = (at - match) >> 8;
      at += length;
    } else {
      packed[out++] = 0;
      packed[out++] = text[at++];
    }
  }
  return out;
}

struct node {
  struct node *left, *right;
  uint32_t value;
};
static struct node nodes[TREE_SIZE];
static int used;

static struct node *insert(struct node *into, uint32_t value) {
  if (!into) {
    struct node *made = &nodes[used++];
    *made = (struct node){0, 0, value};
    return made;
  }
  if (value < into->value) {
    into->left = insert(into->left, value);
  } else {
    into->right = insert(into->right, value);
  }
  return into;
}

EXPORT("tree") int tree(void) {
  seed = 3;
  used = 0;
  struct node *root = 0;
  for (int i = 0; i < TREE_SIZE; i++) root = insert(root, next() >> 8);
  return root->left->value;
}

// The mixing of Keccak-f without its permutation.

static uint64_t state[25];

static uint64_t rotated(uint64_t word) { return word << 1 | word >> 63; }

EXPORT("keccak") int keccak(void) {
  for (int i = 0; i < 25; i++) state[i] = i;
  for (int round = 0; round < KECCAK_ROUNDS; round++) {
    uint64_t row[5];
    for (int i = 0; i < 5; i++) row[i] = state[i] ^ state[i + 5] ^ state[i + 10] ^ state[i + 15] ^ state[i + 20];
    for (int i = 0; i < 5; i++) {
      uint64_t mixed = row[(i + 4) % 5] ^ rotated(row[(i + 1) % 5]);
      for (int j = 0; j < 25; j += 5) state[j + i] ^= mixed;
    }
    for (int j = 0; j < 25; j += 5) {
      for (int i = 0; i < 5; i++) row[i] = state[j + i];
      for (int i = 0; i < 5; i++) state[j + i] ^= ~row[(i + 1) % 5] & row[(i + 2) % 5];
    }
    state[0] ^= round;
  }
  return (int)state[0];
}
