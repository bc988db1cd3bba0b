/* New code, and random numbers: what children that share memory do until they are killed. Nothing of the C library's that
 * locks. */
#ifndef NEW_CODE_H
#define NEW_CODE_H
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096L

static unsigned next(unsigned *random) {
    *random = *random * 1103515245 + 12345;
    return *random >> 16;
}

static int run_new_code(char *page, unsigned value) {
    value &= 0x7f;
#ifdef __aarch64__
    unsigned words[] = {0x52800000 | value << 5, 0xd65f03c0};
#else
    unsigned char words[] = {0xb8, value, 0, 0, 0, 0xc3};
#endif
    memcpy(page, words, sizeof words);
    __builtin___clear_cache(page, page + sizeof words);
    return ((int (*)(void))page)() == (int)value;
}

/* Maps, runs and unmaps. */
static int churn(unsigned value) {
    char *page = (char *)syscall(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int right = page != MAP_FAILED && run_new_code(page, value) && run_new_code(page, value + 1);
    syscall(SYS_mprotect, page, PAGE, PROT_READ);
    return syscall(SYS_munmap, page, PAGE) == 0 && right;
}
#endif
