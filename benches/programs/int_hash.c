/* Open-addressing hash table: multiply, mask, dependent loads that miss the cache now and then. */
#include "bench.h"

enum { SLOTS = 1 << 18, KEYS = 150000, ROUNDS = 60 };
struct slot {
    uint64_t key, value;
};
static struct slot table[SLOTS];
static uint64_t keys[KEYS];

static NOINLINE struct slot *find(uint64_t key)
{
    uint64_t i = key * 0x9e3779b97f4a7c15u >> 46;
    while (table[i].key && table[i].key != key)
        i = (i + 1) & (SLOTS - 1);
    return &table[i];
}

int main(void)
{
    for (int i = 0; i < KEYS; i++)
        keys[i] = bench_random() | 1;
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < KEYS; i++) {
            struct slot *s = find(keys[i]);
            s->key = keys[i];
            s->value += (uint64_t)(i ^ r);
        }
    uint64_t sum = 0;
    for (int i = 0; i < SLOTS; i++)
        sum = bench_mix(sum, table[i].value);
    return bench_report("int_hash", sum);
}
