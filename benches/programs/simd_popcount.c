/* Population count of an array: the vector CNT of Arm, a table or bit tricks elsewhere. */
#include "bench.h"

enum { N = 1 << 13, ROUNDS = 20000 };
static uint64_t words[N];

static NOINLINE uint64_t count(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < N; i++)
        sum += (uint64_t)__builtin_popcountll(words[i]);
    return sum;
}

int main(void)
{
    for (int i = 0; i < N; i++)
        words[i] = bench_random();
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        sum = bench_mix(sum, count());
        words[r % N] = sum;
    }
    return bench_report("simd_popcount", sum);
}
