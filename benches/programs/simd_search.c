/* Byte search with GCC's vector extensions: compare, or-reduce, then look inside the block. */
#include "bench.h"

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

enum { LENGTH = 1 << 16, ROUNDS = 100000 };
static uint8_t text[LENGTH] __attribute__((aligned(16)));

static NOINLINE long search(const uint8_t *p, uint8_t wanted)
{
    bytes pattern = (bytes){0} + wanted;
    for (long i = 0; i < LENGTH; i += 32) {
        bytes a = (bytes)(*(const bytes *)(p + i) == pattern), b = (bytes)(*(const bytes *)(p + i + 16) == pattern);
        halves any = (halves)(a | b);
        if (any[0] | any[1])
            for (long k = i; k < i + 32; k++)
                if (p[k] == wanted)
                    return k;
    }
    return -1;
}

int main(void)
{
    for (int i = 0; i < LENGTH; i++)
        text[i] = (uint8_t)(1 + bench_random() % 250);
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        long at = LENGTH - 1 - r * 3 % 4096;
        text[at] = 255;
        sum = bench_mix(sum, (uint64_t)search(text, 255));
        text[at] = 1;
    }
    return bench_report("simd_search", sum);
}
