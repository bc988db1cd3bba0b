/* A parser with a bug behind a chain of bytes. */
#include <stddef.h>
#include <stdint.h>

uint8_t table[16];
unsigned calls;

__attribute__((noinline)) int parse(const uint8_t *bytes, size_t len) {
    calls++;
    if (len < 6) return 0;
    if (bytes[0] != 'R') return 1;
    if (bytes[1] != 'A') return 2;
    if (bytes[2] != 'E') return 3;
    if (bytes[3] != 'M') return 4;
    /* The offset is the input's. */
    table[(size_t)bytes[4] << 24] = bytes[5];
    return 5;
}

__attribute__((noinline)) int count_calls(void) { return calls; }

__attribute__((noinline)) long sum_eight(long a, long b, long c, long d, long e, long f, long g, long h) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}

int main(void) {
    return parse((const uint8_t *)"RAEM", 4) + sum_eight(0, 0, 0, 0, 0, 0, 0, 0) + count_calls();
}
