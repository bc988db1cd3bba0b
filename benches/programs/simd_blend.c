/* Alpha blending of bytes: widening multiplies and narrowing shifts, vectorised by the compiler at -O3. */
#include "bench.h"

enum { N = 1 << 15, ROUNDS = 24000 };
static uint8_t a[N], b[N], alpha[N], out[N];

static NOINLINE void blend(void)
{
    for (int i = 0; i < N; i++)
        out[i] = (uint8_t)((a[i] * alpha[i] + b[i] * (255 - alpha[i]) + 128) >> 8);
}

int main(void)
{
    for (int i = 0; i < N; i++)
        a[i] = (uint8_t)bench_random(), b[i] = (uint8_t)bench_random(), alpha[i] = (uint8_t)bench_random();
    for (int r = 0; r < ROUNDS; r++) {
        blend();
        memcpy(r & 1 ? a : b, out, N);
        a[r % N] ^= 0x5a;
    }
    uint64_t sum = 0;
    for (int i = 0; i < N; i++)
        sum = bench_mix(sum, out[i]);
    return bench_report("simd_blend", sum);
}
