/* Matrix product in double precision, plain three loops. */
#include "bench.h"

enum { N = 256, ROUNDS = 24 };
static double a[N][N], b[N][N], c[N][N];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(bench_random() >> 40) / (1 << 24);
            b[i][j] = (double)(bench_random() >> 40) / (1 << 24);
        }
    double sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        multiply();
        sum += c[r][N - 1 - r];
        a[r][r] += 0.5;
    }
    return bench_report_double("fp_matmul", sum);
}
