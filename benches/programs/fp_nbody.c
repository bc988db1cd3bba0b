/* Five bodies under gravity, double precision: dependent arithmetic, square roots and divisions. */
#include "bench.h"
#include <math.h>

enum { BODIES = 5 };
static double position[BODIES][3], velocity[BODIES][3];
static const double mass[BODIES] = {39.47, 0.0377, 0.0113, 0.00172, 0.00203};

static NOINLINE void advance(double dt)
{
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            double d[3], square = 0;
            for (int k = 0; k < 3; k++) {
                d[k] = position[i][k] - position[j][k];
                square += d[k] * d[k];
            }
            double magnitude = dt / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                velocity[i][k] -= d[k] * mass[j] * magnitude;
                velocity[j][k] += d[k] * mass[i] * magnitude;
            }
        }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            position[i][k] += dt * velocity[i][k];
}

int main(void)
{
    for (int i = 1; i < BODIES; i++) {
        position[i][0] = 5.0 * i;
        position[i][1] = 0.3 * i;
        position[i][2] = 0.1 * i;
        velocity[i][1] = sqrt(mass[0] / (5.0 * i));
    }
    for (int i = 0; i < 2500000; i++)
        advance(0.0001);
    double energy = 0;
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            energy += 0.5 * mass[i] * velocity[i][k] * velocity[i][k];
    return bench_report_double("fp_nbody", energy);
}
