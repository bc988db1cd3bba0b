/* A medium-sized C file for the compile benchmark: containers and algorithms for several element types. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHMS(T, NAME)                                                                                      \
    struct NAME##_list {                                                                                         \
        T *items;                                                                                                \
        size_t count, capacity;                                                                                  \
    };                                                                                                           \
    static int NAME##_push(struct NAME##_list *list, T item)                                                     \
    {                                                                                                            \
        if (list->count == list->capacity) {                                                                     \
            size_t capacity = list->capacity ? list->capacity * 2 : 8;                                           \
            T *items = realloc(list->items, capacity * sizeof *items);                                           \
            if (!items)                                                                                          \
                return -1;                                                                                       \
            list->items = items, list->capacity = capacity;                                                      \
        }                                                                                                        \
        list->items[list->count++] = item;                                                                       \
        return 0;                                                                                                \
    }                                                                                                            \
    static void NAME##_heap_sort(T *v, size_t n)                                                                 \
    {                                                                                                            \
        for (size_t start = n / 2, end = n; end > 1;) {                                                          \
            if (start) {                                                                                         \
                start--;                                                                                         \
            } else {                                                                                             \
                T t = v[--end];                                                                                  \
                v[end] = v[0], v[0] = t;                                                                         \
            }                                                                                                    \
            size_t root = start, child;                                                                          \
            while ((child = 2 * root + 1) < end) {                                                               \
                if (child + 1 < end && v[child] < v[child + 1])                                                  \
                    child++;                                                                                     \
                if (v[root] >= v[child])                                                                         \
                    break;                                                                                       \
                T t = v[root];                                                                                   \
                v[root] = v[child], v[child] = t, root = child;                                                  \
            }                                                                                                    \
        }                                                                                                        \
    }                                                                                                            \
    static long NAME##_search(const T *v, size_t n, T key)                                                       \
    {                                                                                                            \
        size_t low = 0, high = n;                                                                                \
        while (low < high) {                                                                                     \
            size_t middle = low + (high - low) / 2;                                                              \
            if (v[middle] < key)                                                                                 \
                low = middle + 1;                                                                                \
            else                                                                                                 \
                high = middle;                                                                                   \
        }                                                                                                        \
        return low < n && v[low] == key ? (long)low : -1;                                                        \
    }                                                                                                            \
    static void NAME##_multiply(const T *a, const T *b, T *c, size_t n)                                          \
    {                                                                                                            \
        for (size_t i = 0; i < n; i++)                                                                           \
            for (size_t j = 0; j < n; j++) {                                                                     \
                T sum = 0;                                                                                       \
                for (size_t k = 0; k < n; k++)                                                                   \
                    sum += a[i * n + k] * b[k * n + j];                                                          \
                c[i * n + j] = sum;                                                                              \
            }                                                                                                    \
    }                                                                                                            \
    static T NAME##_evaluate(const char *text, T x)                                                              \
    {                                                                                                            \
        T stack[32] = {0};                                                                                       \
        int top = 0;                                                                                             \
        for (; *text && top < 30; text++) {                                                                      \
            switch (*text) {                                                                                     \
            case 'x':                                                                                            \
                stack[top++] = x;                                                                                \
                break;                                                                                           \
            case '+':                                                                                            \
                top--, stack[top - 1] += stack[top];                                                             \
                break;                                                                                           \
            case '-':                                                                                            \
                top--, stack[top - 1] -= stack[top];                                                             \
                break;                                                                                           \
            case '*':                                                                                            \
                top--, stack[top - 1] *= stack[top];                                                             \
                break;                                                                                           \
            case '/':                                                                                            \
                top--, stack[top - 1] = stack[top] != 0 ? stack[top - 1] / stack[top] : 0;                       \
                break;                                                                                           \
            default:                                                                                             \
                stack[top++] = (T)(*text - '0');                                                                 \
            }                                                                                                    \
            if (top < 1)                                                                                         \
                return 0;                                                                                        \
        }                                                                                                        \
        return stack[0];                                                                                         \
    }                                                                                                            \
    double NAME##_all(unsigned seed)                                                                             \
    {                                                                                                            \
        struct NAME##_list list = {0};                                                                           \
        T a[64], b[64], c[64];                                                                                   \
        for (unsigned i = 0; i < 1000; i++) {                                                                    \
            seed = seed * 1103515245u + 12345u;                                                                  \
            if (NAME##_push(&list, (T)(seed >> 20)))                                                             \
                abort();                                                                                         \
        }                                                                                                        \
        NAME##_heap_sort(list.items, list.count);                                                                \
        for (int i = 0; i < 64; i++)                                                                             \
            a[i] = list.items[i], b[i] = list.items[999 - i];                                                    \
        NAME##_multiply(a, b, c, 8);                                                                             \
        double result = (double)NAME##_evaluate("xx*3x*+2/", c[9]) + (double)c[63];                              \
        result += (double)NAME##_search(list.items, list.count, list.items[500]);                                \
        free(list.items);                                                                                        \
        return result;                                                                                           \
    }

ALGORITHMS(int8_t, i8)
ALGORITHMS(uint8_t, u8)
ALGORITHMS(int16_t, i16)
ALGORITHMS(uint16_t, u16)
ALGORITHMS(int32_t, i32)
ALGORITHMS(uint32_t, u32)
ALGORITHMS(int64_t, i64)
ALGORITHMS(uint64_t, u64)
ALGORITHMS(float, f32)
ALGORITHMS(double, f64)

int main(void)
{
    printf("%g %g %g %g %g\n", i8_all(1), u8_all(2), i16_all(3), u16_all(4), i32_all(5));
    printf("%g %g %g %g %g\n", u32_all(6), i64_all(7), u64_all(8), f32_all(9), f64_all(10));
    return 0;
}
