/* Virtual-call style: function pointers in tables, several targets at each call site. */
#include "bench.h"

struct shape;
struct operations {
    uint64_t (*area)(const struct shape *);
    void (*grow)(struct shape *, uint32_t);
};
struct shape {
    const struct operations *ops;
    uint32_t width, height;
};

static uint64_t square_area(const struct shape *s) { return (uint64_t)s->width * s->width; }
static uint64_t box_area(const struct shape *s) { return (uint64_t)s->width * s->height; }
static uint64_t triangle_area(const struct shape *s) { return (uint64_t)s->width * s->height / 2; }
static uint64_t line_area(const struct shape *s) { return s->width; }
static void grow_both(struct shape *s, uint32_t by) { s->width += by, s->height += by; }
static void grow_width(struct shape *s, uint32_t by) { s->width += by; }

static const struct operations operations[] = {
    {square_area, grow_width}, {box_area, grow_both}, {triangle_area, grow_both}, {line_area, grow_width}};

enum { SHAPES = 1000, ROUNDS = 30000 };
static struct shape shapes[SHAPES];

int main(void)
{
    for (int i = 0; i < SHAPES; i++)
        shapes[i] = (struct shape){&operations[bench_random() >> 62], (uint32_t)i & 63, (uint32_t)i & 31};
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < SHAPES; i++) {
            struct shape *s = &shapes[i];
            sum += s->ops->area(s);
            if ((i + r) % 8 == 0)
                s->ops->grow(s, 1);
        }
    return bench_report("call_virtual", sum);
}
