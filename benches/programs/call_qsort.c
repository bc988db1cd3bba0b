/* The C library's qsort and bsearch with a callback: calls through one pointer. */
#include "bench.h"

enum { N = 100000, ROUNDS = 10 };
static int64_t values[N];

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < N; i++)
            values[i] = (int64_t)bench_random();
        qsort(values, N, sizeof values[0], compare);
        for (int i = 0; i < N; i++) {
            int64_t key = values[(i * 7919) % N];
            sum += (uint64_t)((int64_t *)bsearch(&key, values, N, sizeof key, compare) - values);
        }
        sum = bench_mix(sum, (uint64_t)values[N / 2]);
    }
    return bench_report("call_qsort", sum);
}
