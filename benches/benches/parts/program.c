/* Guest functions to be called, and a program that ends at once. */
#include <stdint.h>
#include <sys/syscall.h>

__attribute__((noinline)) void nothing(void) { __asm__ volatile(""); }

__attribute__((noinline)) long getpids(uint64_t count) {
    register long number __asm__("x8") = SYS_getpid;
    register long result __asm__("x0");
    do
        __asm__ volatile("svc #0" : "=r"(result) : "r"(number) : "memory");
    while (--count);
    return result;
}

int main(void) { return 0; }
