/* Spectral norm of an infinite matrix: integer to double conversions and divisions. */
#include "bench.h"
#include <math.h>

enum { N = 1000 };

static inline double element(int i, int j)
{
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static NOINLINE void times(const double *v, double *out, int transposed)
{
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++)
            sum += (transposed ? element(j, i) : element(i, j)) * v[j];
        out[i] = sum;
    }
}

int main(void)
{
    static double u[N], v[N], t[N];
    for (int i = 0; i < N; i++)
        u[i] = 1;
    for (int i = 0; i < 32; i++) {
        times(u, t, 0), times(t, v, 1);
        times(v, t, 0), times(t, u, 1);
    }
    double uv = 0, vv = 0;
    for (int i = 0; i < N; i++)
        uv += u[i] * v[i], vv += v[i] * v[i];
    return bench_report_double("fp_spectral", sqrt(uv / vv));
}
