/* y = a x + y in single precision, vectorised by the compiler at -O3. */
#include "bench.h"

enum { N = 8192, ROUNDS = 90000 };
static float x[N], y[N];

static NOINLINE void saxpy(float a, const float *restrict p, float *restrict q)
{
    for (int i = 0; i < N; i++)
        q[i] = a * p[i] + q[i];
}

int main(void)
{
    for (int i = 0; i < N; i++)
        x[i] = (float)(i % 7), y[i] = (float)(i % 5);
    /* Small integers times powers of two: exact, so that a fused multiply-add gives the same sum. */
    for (int r = 0; r < ROUNDS; r++)
        saxpy(r & 1 ? 0.5f : -0.5f, x, y);
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += y[i];
    return bench_report_double("simd_saxpy", sum);
}
