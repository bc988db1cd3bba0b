/* Newton's method in single precision: division, conversions, compares, min and max. */
#include "bench.h"
#include <math.h>

static NOINLINE float cube_root(float x)
{
    float y = x > 1 ? x / 3 : 1;
    for (int i = 0; i < 24; i++) {
        float next = (2 * y + x / (y * y)) / 3;
        if (fabsf(next - y) <= 1e-6f * fabsf(y))
            return next;
        y = next;
    }
    return y;
}

int main(void)
{
    double sum = 0;
    for (int i = 1; i < 2000000; i++) {
        float x = (float)(i % 10000) * 0.37f + 0.01f;
        float r = cube_root(x);
        sum += fmaxf(fminf(r, 14.0f), 0.5f) + (float)(int)r;
    }
    return printf("fp_newton %.4g\n", sum) < 0;
}
