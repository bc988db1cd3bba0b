// Underflow is raised by results that are tiny before rounding (Arm ARM A1.5.5), also if rounding
// makes the smallest normal number of them; and by nothing else that gives that number.
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

static volatile double one_less = 1.0 - DBL_EPSILON / 2;
static volatile double tiny = DBL_MIN;
static volatile float tiny_single = FLT_MIN;
static volatile float single_less = 1.0f - FLT_EPSILON / 2;

static void show(const char *what, int raised)
{
	printf("%-28s%s%s\n", what, raised & FE_UNDERFLOW ? " underflow" : "", raised & FE_INEXACT ? " inexact" : "");
}

#define RAISED(what, expression)                                                                                       \
	do {                                                                                                           \
		feclearexcept(FE_ALL_EXCEPT);                                                                          \
		volatile double result = (expression);                                                                 \
		int raised = fetestexcept(FE_ALL_EXCEPT);                                                              \
		show(what, raised);                                                                                    \
		if (result != DBL_MIN && result != FLT_MIN)                                                            \
			printf("%s: %a\n", what, result);                                                              \
	} while (0)

int main(void)
{
	for (int round = 0; round < 3; round++) {
		RAISED("product rounded up", tiny * one_less);
		RAISED("exact product", tiny * 1.0);
		RAISED("quotient, subnormal", tiny / (1.0 + DBL_EPSILON));
		RAISED("fused rounded up", fma(tiny, one_less, 0.0));
		RAISED("single product rounded up", tiny_single * single_less);
		RAISED("conversion rounded up", (float)(tiny_single * (1.0 - 0x1p-30)));
		RAISED("exact conversion", (float)(double)tiny_single);
		RAISED("difference", 2 * tiny - tiny);
	}
	return 0;
}
