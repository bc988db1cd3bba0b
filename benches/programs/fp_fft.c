/* Iterative radix-2 FFT, there and back, double precision. */
#include "bench.h"
#include <math.h>

enum { BITS = 14, N = 1 << BITS, ROUNDS = 160 };
static double re[N], im[N], cosine[N / 2], sine[N / 2];

static NOINLINE void fft(double direction)
{
    for (unsigned i = 0, j = 0; i < N; i++) {
        if (i < j) {
            double t = re[i];
            re[i] = re[j], re[j] = t;
            t = im[i];
            im[i] = im[j], im[j] = t;
        }
        unsigned m = N >> 1;
        for (; j & m; m >>= 1)
            j ^= m;
        j |= m;
    }
    for (unsigned half = 1; half < N; half *= 2)
        for (unsigned i = 0; i < N; i += 2 * half)
            for (unsigned k = 0; k < half; k++) {
                double wr = cosine[k * (N / 2 / half)], wi = direction * sine[k * (N / 2 / half)];
                unsigned p = i + k, q = p + half;
                double xr = re[q] * wr - im[q] * wi, xi = re[q] * wi + im[q] * wr;
                re[q] = re[p] - xr, im[q] = im[p] - xi;
                re[p] += xr, im[p] += xi;
            }
}

int main(void)
{
    for (int i = 0; i < N / 2; i++) {
        cosine[i] = cos(2 * 3.14159265358979323846 * i / N);
        sine[i] = sin(2 * 3.14159265358979323846 * i / N);
    }
    for (int i = 0; i < N; i++)
        re[i] = (double)(bench_random() >> 40) / (1 << 24);
    for (int r = 0; r < ROUNDS; r++) {
        fft(1);
        fft(-1);
        for (int i = 0; i < N; i++)
            re[i] /= N, im[i] /= N;
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += re[i] * (i % 17);
    return bench_report_double("fp_fft", sum);
}
