/* Mandelbrot set: a tight loop of multiplies and adds with a compare and a data-dependent exit. */
#include "bench.h"

enum { SIZE = 800, LIMIT = 400 };

static NOINLINE int escape(double cr, double ci)
{
    double zr = 0, zi = 0;
    int i = 0;
    for (; i < LIMIT && zr * zr + zi * zi < 4.0; i++) {
        double t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
    }
    return i;
}

int main(void)
{
    double sum = 0;
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            sum += escape(-2.0 + 2.6 * x / SIZE, -1.3 + 2.6 * y / SIZE);
    /* Two digits: points at the border escape a step earlier or later with a fused multiply-add. */
    return printf("fp_mandelbrot %.2g\n", sum) < 0;
}
