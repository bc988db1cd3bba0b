/* Backtracking over bit masks: counts the solutions of N queens and solves hard sudokus. */
#include "bench.h"

static uint32_t rows[9], columns[9], boxes[9];
static uint8_t grid[81];
static uint64_t visited;

static int solve(int from)
{
    int best = -1, best_count = 10;
    uint32_t best_mask = 0;
    (void)from;
    for (int i = 0; i < 81; i++) {
        if (grid[i])
            continue;
        uint32_t mask = ~(rows[i / 9] | columns[i % 9] | boxes[i / 27 * 3 + i % 9 / 3]) & 0x3fe;
        int count = 0;
        for (uint32_t m = mask; m; m &= m - 1)
            count++;
        if (count < best_count)
            best = i, best_count = count, best_mask = mask;
    }
    visited++;
    if (best < 0)
        return 1;
    int r = best / 9, c = best % 9, b = r / 3 * 3 + c / 3;
    for (uint32_t bit = 2, digit = 1; digit <= 9; digit++, bit <<= 1) {
        if (!(best_mask & bit))
            continue;
        rows[r] |= bit, columns[c] |= bit, boxes[b] |= bit, grid[best] = (uint8_t)digit;
        if (solve(best))
            return 1;
        rows[r] &= ~bit, columns[c] &= ~bit, boxes[b] &= ~bit, grid[best] = 0;
    }
    return 0;
}

static unsigned queens(uint32_t all, uint32_t cols, uint32_t left, uint32_t right)
{
    unsigned count = 0;
    if (cols == all)
        return 1;
    for (uint32_t free = all & ~(cols | left | right); free; free &= free - 1) {
        uint32_t bit = free & -free;
        count += queens(all, cols | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

int main(void)
{
    static const char *puzzles[] = {
        "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..",
        "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9",
        "1....7.9..3..2...8..96..5....53..9...1..8...26....4...3......1..4......7..7...3..",
    };
    uint64_t sum = 0;
    for (int p = 0; p < 3; p++) {
        memset(rows, 0, sizeof rows), memset(columns, 0, sizeof columns), memset(boxes, 0, sizeof boxes);
        for (int i = 0; i < 81; i++) {
            grid[i] = puzzles[p][i] == '.' ? 0 : (uint8_t)(puzzles[p][i] - '0');
            uint32_t bit = grid[i] ? 1u << grid[i] : 0;
            rows[i / 9] |= bit, columns[i % 9] |= bit, boxes[i / 27 * 3 + i % 9 / 3] |= bit;
        }
        if (!solve(0))
            return 1;
        for (int i = 0; i < 81; i++)
            sum = bench_mix(sum, grid[i]);
    }
    sum = bench_mix(sum, visited);
    for (int n = 8; n <= 13; n++)
        sum = bench_mix(sum, queens((1u << n) - 1, 0, 0, 0));
    return bench_report("int_sudoku", sum);
}
