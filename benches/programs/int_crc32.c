/* Table-driven CRC-32, a byte at a time: one long dependency chain through a table in memory. */
#include "bench.h"

enum { LENGTH = 1 << 20, ROUNDS = 100 };
static uint32_t table[256];
static uint8_t data[LENGTH];

static NOINLINE uint32_t crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    while (n--)
        crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
}

int main(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        table[i] = c;
    }
    for (int i = 0; i < LENGTH; i++)
        data[i] = (uint8_t)bench_random();
    uint32_t crc = 0;
    for (int r = 0; r < ROUNDS; r++)
        crc = crc32(crc, data, LENGTH);
    return bench_report("int_crc32", crc);
}
