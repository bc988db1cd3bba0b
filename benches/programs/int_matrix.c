/* Integer matrix product with a modulus: multiply-add, division by a constant, strided loads. */
#include "bench.h"

enum { N = 200, ROUNDS = 50 };
static uint32_t a[N][N], b[N][N], c[N][N];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            uint64_t sum = 0;
            for (int k = 0; k < N; k++)
                sum += (uint64_t)a[i][k] * b[k][j];
            c[i][j] = (uint32_t)(sum % 1000003);
        }
}

int main(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = bench_random() & 0xffff, b[i][j] = bench_random() & 0xffff;
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        multiply();
        sum = bench_mix(sum, c[r][N - 1 - r]);
        memcpy(a, c, sizeof a);
    }
    return bench_report("int_matrix", sum);
}
