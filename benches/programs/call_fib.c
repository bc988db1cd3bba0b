/* Naive recursive Fibonacci: calls and returns, almost nothing else. */
#include "bench.h"

/* One recursion a call: GCC would unroll the plain form into a large body. */
static NOINLINE __attribute__((optimize("no-optimize-sibling-calls", "no-inline"))) uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(void)
{
    return bench_report("call_fib", fib(39));
}
