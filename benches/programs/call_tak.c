/* Takeuchi's function and Ackermann's: deep recursion with several arguments. */
#include "bench.h"

static NOINLINE int tak(int x, int y, int z)
{
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static NOINLINE unsigned ackermann(unsigned m, unsigned n)
{
    if (m == 0)
        return n + 1;
    return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

int main(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 500; i++)
        sum = bench_mix(sum, (uint64_t)tak(18, 12, 6 + i % 3));
    for (int i = 0; i < 10; i++)
        sum = bench_mix(sum, ackermann(3, 9));
    return bench_report("call_tak", sum);
}
