/* An expression tree walked by small functions, one a node kind: short calls, indirect and direct. */
#include "bench.h"

struct node {
    uint32_t kind;
    uint64_t value;
    struct node *left, *right;
};
static struct node pool[1 << 15];
static unsigned used;

static uint64_t evaluate(const struct node *n, uint64_t x);
static NOINLINE uint64_t leaf(const struct node *n, uint64_t x) { return n->value + x; }
static NOINLINE uint64_t add(const struct node *n, uint64_t x) { return evaluate(n->left, x) + evaluate(n->right, x); }
static NOINLINE uint64_t mul(const struct node *n, uint64_t x) { return evaluate(n->left, x) * evaluate(n->right, x); }
static NOINLINE uint64_t xor(const struct node *n, uint64_t x) { return evaluate(n->left, x) ^ evaluate(n->right, x); }

static NOINLINE uint64_t evaluate(const struct node *n, uint64_t x)
{
    switch (n->kind) {
    case 0:
        return leaf(n, x);
    case 1:
        return add(n, x);
    case 2:
        return mul(n, x);
    default:
        return xor(n, x);
    }
}

static struct node *build(int depth)
{
    struct node *n = &pool[used++];
    n->value = bench_random();
    n->kind = depth ? 1 + (uint32_t)(n->value % 3) : 0;
    if (depth) {
        n->left = build(depth - 1);
        n->right = build(depth - 1);
    }
    return n;
}

int main(void)
{
    struct node *root = build(13);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 3500; i++)
        sum = bench_mix(sum, evaluate(root, i));
    return bench_report("call_tree", sum);
}
