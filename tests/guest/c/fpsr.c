/* FPSR's cumulative bits: also of results that are tiny before rounding only (Arm ARM A1.5.5). */
#include <stdint.h>
#include <stdio.h>

#define UFC 8
#define IXC 16
#define ROUNDS 20

static uint64_t take_fpsr(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, fpsr\n msr fpsr, xzr" : "=r"(value)::"memory");
    return value;
}

/* Bits of all rounds, which must be the same. */
#define REPEAT(name, statement)                                                                                        \
    do {                                                                                                               \
        uint64_t all = 0, any = 0;                                                                                     \
        for (int round = 0; round < ROUNDS; round++) {                                                                 \
            take_fpsr();                                                                                               \
            statement;                                                                                                 \
            uint64_t bits = take_fpsr();                                                                               \
            all = round ? all & bits : bits;                                                                           \
            any |= bits;                                                                                               \
        }                                                                                                              \
        printf("%s: %s%s%s\n", name, any & UFC ? "underflow " : "", any & IXC ? "inexact" : "", all == any ? "" : "?"); \
    } while (0)

int main(void)
{
    volatile double least = 0x1p-1022, below = 0x0.fffffffffffffp-1022, above_one = 0x1.0000000000001p0, double_result;
    volatile float least_single = 0x1p-126f, below_single = 0x0.fffffep-126f, above_one_single = 0x1.000002p0f, result;
    volatile double nearly_single = 0x0.ffffffff8p-126;
    REPEAT("double product", double_result = below * above_one);
    REPEAT("single product", result = below_single * above_one_single);
    REPEAT("fused", double_result = __builtin_fma(below, above_one, 0.0));
    REPEAT("narrowing", result = (float)nearly_single);
    REPEAT("exact double", double_result = least * 1.0);
    REPEAT("exact single", result = least_single * 1.0f);
    REPEAT("ordinary", double_result = above_one * above_one);
    REPEAT("denormal", double_result = least * 0x1.8p-52);
    return double_result == 0 && result == 0;
}
