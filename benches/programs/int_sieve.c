/* Sieve of Eratosthenes over bytes: strided stores and a counting loop. */
#include "bench.h"

enum { LIMIT = 2000000, ROUNDS = 32 };
static uint8_t composite[LIMIT + 1];

static NOINLINE uint64_t sieve(void)
{
    memset(composite, 0, sizeof composite);
    for (uint32_t i = 2; i * i <= LIMIT; i++)
        if (!composite[i])
            for (uint32_t j = i * i; j <= LIMIT; j += i)
                composite[j] = 1;
    uint64_t sum = 0;
    for (uint32_t i = 2; i <= LIMIT; i++)
        if (!composite[i])
            sum = sum * 31 + i;
    return sum;
}

int main(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < ROUNDS; i++)
        sum = bench_mix(sum, sieve());
    return bench_report("int_sieve", sum);
}
