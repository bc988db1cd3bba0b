/* Quicksort with an insertion sort for short runs: unpredictable branches. */
#include "bench.h"

enum { N = 300000, ROUNDS = 10 };
static uint32_t values[N];

static void quicksort(uint32_t *v, long low, long high)
{
    while (high - low > 16) {
        uint32_t pivot = v[low + (high - low) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (j - low < high - i) {
            quicksort(v, low, j);
            low = i;
        } else {
            quicksort(v, i, high);
            high = j;
        }
    }
    for (long i = low + 1; i <= high; i++) {
        uint32_t t = v[i];
        long j = i;
        for (; j > low && v[j - 1] > t; j--)
            v[j] = v[j - 1];
        v[j] = t;
    }
}

int main(void)
{
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < N; i++)
            values[i] = (uint32_t)bench_random();
        quicksort(values, 0, N - 1);
        for (int i = 0; i < N; i += 97)
            sum = bench_mix(sum, values[i]);
    }
    return bench_report("int_quicksort", sum);
}
