/* Shared by the benchmark programs: a seeded generator and the checksum line.
 *
 * Each program is deterministic and prints one line, `NAME CHECKSUM`, which `cargo xtask bench` compares between
 * the emulators and the native build. Floating-point programs print few digits, because the compilers of the two
 * architectures contract multiply-add differently.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keeps a function out of line, so that a call stays a call. */
#define NOINLINE __attribute__((noinline, noclone))

static uint64_t bench_seed = 0x9e3779b97f4a7c15u;

/* xorshift64*: the same sequence on each machine. */
static inline uint64_t bench_random(void)
{
    bench_seed ^= bench_seed >> 12;
    bench_seed ^= bench_seed << 25;
    bench_seed ^= bench_seed >> 27;
    return bench_seed * 0x2545f4914f6cdd1du;
}

static inline uint64_t bench_mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x100000001b3u;
}

static inline int bench_report(const char *name, uint64_t checksum)
{
    return printf("%s %016llx\n", name, (unsigned long long)checksum) < 0;
}

static inline int bench_report_double(const char *name, double value)
{
    return printf("%s %.6g\n", name, value) < 0;
}

#endif
