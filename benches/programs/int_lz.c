/* A small LZ77 compressor and decompressor with a hash of three bytes: byte loads, short copies, branches. */
#include "bench.h"

enum { LENGTH = 1 << 20, HASH = 1 << 14, ROUNDS = 40 };
static uint8_t input[LENGTH], packed[LENGTH * 2], output[LENGTH + 300];
static uint32_t head[HASH];

static void make_text(void)
{
    static const char *words[] = {"alpha ", "beta ", "gamma ", "delta ", "epsilon ", "zeta ", "the ", "of ",
                                  "code ", "block ", "guest ", "host ", "\n", "0123456789", "load ", "store "};
    size_t n = 0;
    while (n < LENGTH - 16) {
        const char *w = words[bench_random() >> 60];
        size_t k = strlen(w);
        memcpy(input + n, w, k);
        n += k;
    }
}

static inline uint32_t hash3(const uint8_t *p)
{
    uint32_t v = p[0] | p[1] << 8 | (uint32_t)p[2] << 16;
    return v * 2654435761u >> 18;
}

static NOINLINE size_t compress(void)
{
    uint8_t *out = packed;
    memset(head, 0, sizeof head);
    size_t i = 0;
    while (i + 4 < LENGTH) {
        uint32_t h = hash3(input + i);
        size_t candidate = head[h];
        head[h] = (uint32_t)i;
        size_t length = 0;
        if (candidate && i - candidate < 65535)
            while (length < 255 && i + length < LENGTH && input[candidate + length] == input[i + length])
                length++;
        if (length >= 4) {
            size_t distance = i - candidate;
            *out++ = 1, *out++ = (uint8_t)distance, *out++ = (uint8_t)(distance >> 8), *out++ = (uint8_t)length;
            i += length;
        } else {
            *out++ = 0, *out++ = input[i++];
        }
    }
    for (; i < LENGTH; i++)
        *out++ = 0, *out++ = input[i];
    return (size_t)(out - packed);
}

static NOINLINE size_t expand(size_t size)
{
    uint8_t *out = output;
    for (size_t i = 0; i < size;) {
        if (packed[i++]) {
            size_t distance = packed[i] | packed[i + 1] << 8, length = packed[i + 2];
            i += 3;
            for (const uint8_t *from = out - distance; length--;)
                *out++ = *from++;
        } else {
            *out++ = packed[i++];
        }
    }
    return (size_t)(out - output);
}

int main(void)
{
    make_text();
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        size_t size = compress();
        size_t back = expand(size);
        if (back != LENGTH || memcmp(input, output, LENGTH))
            return 1;
        sum = bench_mix(sum, size);
        input[bench_random() % LENGTH] ^= 1;
    }
    return bench_report("int_lz", sum);
}
