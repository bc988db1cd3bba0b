/* Boyer-Moore-Horspool and a naive search with wildcards over text: byte compares and table look-ups. */
#include "bench.h"

enum { LENGTH = 1 << 21, ROUNDS = 20 };
static char text[LENGTH + 1];

static NOINLINE unsigned horspool(const char *needle)
{
    size_t skip[256], n = strlen(needle), count = 0;
    for (int i = 0; i < 256; i++)
        skip[i] = n;
    for (size_t i = 0; i + 1 < n; i++)
        skip[(uint8_t)needle[i]] = n - 1 - i;
    for (size_t i = 0; i + n <= LENGTH; i += skip[(uint8_t)text[i + n - 1]]) {
        size_t k = n;
        while (k && text[i + k - 1] == needle[k - 1])
            k--;
        count += !k;
    }
    return (unsigned)count;
}

static NOINLINE unsigned wildcard(const char *pattern)
{
    unsigned count = 0;
    for (const char *p = text; *p; p++) {
        const char *t = p, *q = pattern;
        while (*q && *t && (*q == '?' || *q == *t))
            q++, t++;
        count += !*q;
    }
    return count;
}

int main(void)
{
    for (int i = 0; i < LENGTH; i++)
        text[i] = "abcdefgh etaoin "[bench_random() >> 60];
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        sum = bench_mix(sum, horspool("tea"));
        sum = bench_mix(sum, horspool("non eta"));
        sum = bench_mix(sum, wildcard("a?e?o"));
        text[bench_random() % LENGTH] = 'z';
    }
    return bench_report("int_strsearch", sum);
}
