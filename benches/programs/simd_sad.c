/* Sum of absolute differences of 16x16 blocks, as a video encoder's motion search does it. */
#include "bench.h"

enum { WIDTH = 256, HEIGHT = 256 };
static uint8_t now[HEIGHT][WIDTH], before[HEIGHT][WIDTH];

static NOINLINE uint32_t sad(const uint8_t *a, const uint8_t *b)
{
    uint32_t sum = 0;
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++) {
            int d = a[y * WIDTH + x] - b[y * WIDTH + x];
            sum += (uint32_t)(d < 0 ? -d : d);
        }
    return sum;
}

int main(void)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            before[y][x] = (uint8_t)((x * y >> 3) + (int)(bench_random() & 15));
            now[y][x] = before[y][x];
        }
    uint64_t sum = 0;
    for (int r = 0; r < 48; r++)
        for (int by = 16; by < HEIGHT - 32; by += 16)
            for (int bx = 16; bx < WIDTH - 32; bx += 16) {
                uint32_t best = ~0u;
                for (int dy = -8; dy <= 8; dy++)
                    for (int dx = -8; dx <= 8; dx++) {
                        uint32_t s = sad(&now[by + r % 8][bx + r % 5], &before[by + dy][bx + dx]);
                        best = s < best ? s : best;
                    }
                sum = bench_mix(sum, best);
            }
    return bench_report("simd_sad", sum);
}
