/* Dot products with GCC's vector extensions: floats in four accumulators, and 16-bit integers widened to 32. */
#include "bench.h"

typedef float floats __attribute__((vector_size(16)));

enum { N = 8192, ROUNDS = 40000 };
static float x[N] __attribute__((aligned(16))), y[N] __attribute__((aligned(16)));
static int16_t p[N], q[N];

static NOINLINE float dot_float(void)
{
    floats s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (int i = 0; i < N; i += 16) {
        s0 += *(floats *)(x + i) * *(floats *)(y + i);
        s1 += *(floats *)(x + i + 4) * *(floats *)(y + i + 4);
        s2 += *(floats *)(x + i + 8) * *(floats *)(y + i + 8);
        s3 += *(floats *)(x + i + 12) * *(floats *)(y + i + 12);
    }
    s0 += s1 + s2 + s3;
    return s0[0] + s0[1] + s0[2] + s0[3];
}

static NOINLINE int32_t dot_int(void)
{
    int32_t sum = 0;
    for (int i = 0; i < N; i++)
        sum += p[i] * q[i];
    return sum;
}

int main(void)
{
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i % 13), y[i] = (float)(i % 11);
        p[i] = (int16_t)bench_random(), q[i] = (int16_t)(bench_random() & 0xff);
    }
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        sum = bench_mix(sum, (uint64_t)dot_float());
        sum = bench_mix(sum, (uint32_t)dot_int());
        x[r % N] += 1, p[r % N]++;
    }
    return bench_report("simd_dot", sum);
}
