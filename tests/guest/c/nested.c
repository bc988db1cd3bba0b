/* Nested functions: the compiler builds a few instructions on the stack, so the program asks
   for an executable stack (PT_GNU_STACK), writes code there and flushes it. */
#include <stdio.h>
#include <stdlib.h>

static int apply(int (*function)(int), int value)
{
	return function(value);
}

static int sum(int depth)
{
	volatile int factor = depth + 1;
	int scale(int value) { return value * factor; }
	return depth ? apply(scale, depth) + sum(depth - 1) : 0;
}

static int compare_with(int base)
{
	int numbers[] = { 9, 1, 7, 3, 8 };
	int distance(const void *a, const void *b)
	{
		return abs(*(const int *)a - base) - abs(*(const int *)b - base);
	}
	qsort(numbers, 5, sizeof numbers[0], distance);
	return numbers[0] * 10000 + numbers[1] * 1000 + numbers[2] * 100 + numbers[3] * 10 + numbers[4];
}

int main(void)
{
	for (int i = 0; i < 8; i++)
		printf("%d\n", sum(i * 10));
	printf("%d %d\n", compare_with(0), compare_with(10));
	return 0;
}
