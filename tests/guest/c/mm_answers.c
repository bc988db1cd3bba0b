/* What the calls of the memory map answer: each line is a call on a fresh layout of pages and what it gave, and which
 * pages there are afterwards. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define PAGES 16
#define AREA (1UL << 36)

/* Letters of the layout: w writable, r read-only, n no access, s shared, f of a file, . nothing. */
static void lay_out(const char *letters)
{
    munmap((void *)(AREA - 8 * PAGE), (PAGES + 16) * PAGE);
    int fd = open("pages", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 64 * PAGE);
    for (int n = 0; letters[n]; n++) {
        void *at = (void *)(AREA + n * PAGE);
        int prot = letters[n] == 'n' ? PROT_NONE : letters[n] == 'r' ? PROT_READ : RW;
        if (letters[n] == 's')
            mmap(at, PAGE, prot, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        else if (letters[n] == 'f')
            mmap(at, PAGE, prot, MAP_SHARED | MAP_FIXED, fd, n * PAGE);
        else if (letters[n] != '.')
            mmap(at, PAGE, prot, ANONYMOUS | MAP_FIXED, -1, 0);
    }
    close(fd);
}

/* The same letters: what is there now. */
static const char *found(void)
{
    static char letters[PAGES + 1];
    FILE *maps = fopen("/proc/self/maps", "r");
    memset(letters, '.', PAGES);
    char line[512];
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char prot[8];
        sscanf(line, "%lx-%lx %7s", &start, &end, prot);
        for (unsigned long at = start; at < end; at += PAGE) {
            if (at >= AREA && at < AREA + PAGES * PAGE)
                letters[(at - AREA) / PAGE] = prot[1] == 'w' ? prot[3] == 's' ? 's' : 'w' : prot[0] == 'r' ? 'r' : 'n';
        }
    }
    fclose(maps);
    return letters;
}

static unsigned long P(double page)
{
    return AREA + (unsigned long)(page * PAGE);
}

static void show(const char *call, long result)
{
    if (result == -1)
        printf("%s: %s", call, strerrorname_np(errno) ?: "?");
    else if (result >= (long)AREA && result < (long)(AREA + PAGES * PAGE))
        printf("%s: page %ld", call, (result - (long)AREA) / (long)PAGE);
    else
        printf("%s: %s", call, result > 255 ? "elsewhere" : "ok");
    printf(", %s\n", found());
}
#define TRY(layout, call)                       \
    do {                                        \
        lay_out(layout);                        \
        errno = 0;                              \
        show(layout "  " #call, (long)(call)); \
    } while (0)

#define REMAP(...) syscall(SYS_mremap, __VA_ARGS__, 0, 0)
static void moving(void)
{
    const int may = MREMAP_MAYMOVE, fixed = MREMAP_MAYMOVE | MREMAP_FIXED, stay = MREMAP_MAYMOVE | 4;
    TRY("wwww", REMAP(P(0), 4 * PAGE, 2 * PAGE, 0));
    TRY("wwww", REMAP(P(0), 2 * PAGE, 2 * PAGE, 0));
    TRY("wwww", REMAP(P(0), 2 * PAGE, 3 * PAGE, 0));
    TRY("wwww", REMAP(P(2), 2 * PAGE, 4 * PAGE, 0));
    TRY("ww..", REMAP(P(0), 2 * PAGE, 4 * PAGE, 0));
    TRY("ww.w", REMAP(P(0), 2 * PAGE, 4 * PAGE, 0));
    TRY("ww.w", REMAP(P(0), 2 * PAGE, 4 * PAGE, may));
    TRY("w.ww", REMAP(P(0), 4 * PAGE, 1 * PAGE, 0));
    TRY("w.ww", REMAP(P(0), 4 * PAGE, 3 * PAGE, 0));
    TRY("w.ww", REMAP(P(0), 4 * PAGE, 4 * PAGE, 0));
    TRY("w.ww", REMAP(P(0), 4 * PAGE, 5 * PAGE, may));
    TRY(".www", REMAP(P(0), 4 * PAGE, 1 * PAGE, 0));
    TRY("wrww", REMAP(P(0), 4 * PAGE, 2 * PAGE, 0));
    TRY("wrww", REMAP(P(0), 4 * PAGE, 5 * PAGE, may));
    TRY("wwww", REMAP(P(0.5), PAGE, PAGE, 0));
    TRY("wwww", REMAP(P(0), PAGE / 2, PAGE, 0));
    TRY("wwww", REMAP(P(0), 0, PAGE, may));
    TRY("ssss", REMAP(P(0), 0, 2 * PAGE, may));
    TRY("ssss", REMAP(P(0), 0, 2 * PAGE, 0));
    TRY("ffff", REMAP(P(0), 0, 2 * PAGE, fixed, P(8)));
    TRY("wwww", REMAP(P(0), PAGE, 0, 0));
    TRY("wwww", REMAP(P(0), PAGE, PAGE, 16));
    TRY("wwww", REMAP(P(0), PAGE, PAGE, MREMAP_FIXED, P(8)));
    TRY("wwww", REMAP(P(0), PAGE, PAGE, fixed, P(8.5)));
    TRY("wwww", REMAP(P(0), PAGE, PAGE, fixed, P(8)));
    TRY("wwww", REMAP(P(0), 2 * PAGE, 2 * PAGE, fixed, P(1)));
    TRY("wwww", REMAP(P(0), 2 * PAGE, PAGE, fixed, P(2)));
    TRY("wwww", REMAP(P(0), 2 * PAGE, 4 * PAGE, fixed, P(2)));
    TRY("wwww", REMAP(P(0), 4 * PAGE, 4 * PAGE, stay));
    TRY("wwww", REMAP(P(0), 4 * PAGE, 4 * PAGE, stay | MREMAP_FIXED, P(8)));
    TRY("wwww", REMAP(P(0), 4 * PAGE, 2 * PAGE, stay));
    TRY("wwww", REMAP(P(0), 4 * PAGE, 4 * PAGE, 4));
    TRY("ssss", REMAP(P(0), PAGE, PAGE, stay));
    TRY("wwww", REMAP(P(0), -1UL, PAGE, 0));
    TRY("wwww", REMAP(P(0), PAGE, 1UL << 60, may));
    TRY("wwww", REMAP(P(0), PAGE, 1UL << 46, may));
    TRY("wwww", REMAP(P(0), PAGE, PAGE, fixed, -PAGE));
    TRY("wwww", REMAP(P(0), PAGE, PAGE, fixed, (1UL << 47) - PAGE / 2));
    TRY("....", REMAP(P(0), PAGE, PAGE, 0));
    TRY("....", REMAP(P(0), PAGE, PAGE, fixed, P(8)));
}

#define MAP(at, len, prot, flags) mmap((void *)(at), len, prot, flags, -1, 0)
static void mapping(void)
{
    TRY("w..w", MAP(P(1), 2 * PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE));
    TRY("w..w", MAP(P(1), 3 * PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE));
    TRY("w..w", MAP(P(0), 2 * PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_FIXED));
    TRY("w..w", MAP(P(1.5), PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE));
    TRY("w..w", MAP(P(1.5), PAGE, RW, ANONYMOUS | MAP_FIXED));
    TRY("w..w", MAP(P(1.5), PAGE, RW, ANONYMOUS));
    TRY("w..w", MAP(P(1), 0, RW, ANONYMOUS | MAP_FIXED));
    TRY("w..w", MAP(P(1), -1UL, RW, ANONYMOUS | MAP_FIXED));
    TRY("w..w", MAP(P(1), 1UL << 50, RW, ANONYMOUS));
    TRY("w..w", MAP(P(1), PAGE, RW, MAP_ANONYMOUS));
    TRY("w..w", MAP(P(1), PAGE, RW, ANONYMOUS | MAP_SHARED));
    TRY("w..w", MAP(P(1), PAGE, RW, MAP_PRIVATE));
    TRY("w..w", MAP(P(1), PAGE, RW, ANONYMOUS | MAP_FIXED | MAP_LOCKED));
    TRY("w..w", MAP(P(1), PAGE, RW, ANONYMOUS | MAP_FIXED | MAP_POPULATE | MAP_NONBLOCK));
    TRY("w..w", MAP(P(2), PAGE, RW, ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN));
    TRY("....", MAP(P(8), PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN));
    TRY("....", MAP(P(8), PAGE, RW, ANONYMOUS | MAP_FIXED | MAP_HUGETLB));
    TRY("....", MAP(P(8), PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | MAP_FIXED));
    TRY("....", MAP(P(8), PAGE, 0x40, ANONYMOUS | MAP_FIXED));
    TRY("wwww", munmap((void *)P(0.5), PAGE));
    TRY("wwww", munmap((void *)P(1), 0));
    TRY("wwww", munmap((void *)P(1), 100));
    TRY("w..w", munmap((void *)P(0), 4 * PAGE));
    TRY("....", munmap((void *)P(0), 4 * PAGE));
    TRY("wwww", munmap((void *)P(1), -PAGE));
    TRY("wwww", munmap((void *)-PAGE, PAGE));
    TRY("wwww", munmap((void *)-PAGE, 2 * PAGE));
    TRY("wwww", munmap((void *)(1UL << 47), PAGE));
}

static void protecting(void)
{
    TRY("wwww", mprotect((void *)P(1), 2 * PAGE, PROT_READ));
    TRY("w.ww", mprotect((void *)P(0), 4 * PAGE, PROT_READ));
    TRY(".www", mprotect((void *)P(0), 4 * PAGE, PROT_READ));
    TRY("ww..", mprotect((void *)P(0), 4 * PAGE, PROT_READ));
    TRY("wwww", mprotect((void *)P(0.5), PAGE, PROT_READ));
    TRY("wwww", mprotect((void *)P(0), 0, PROT_READ));
    TRY("....", mprotect((void *)P(0), 0, PROT_READ));
    TRY("wwww", mprotect((void *)P(0), 100, PROT_NONE));
    TRY("wwww", mprotect((void *)P(0), -PAGE, PROT_READ));
    TRY("wwww", mprotect((void *)P(0), -1UL, PROT_READ));
    TRY("wwww", mprotect((void *)P(0), PAGE, 0x40));
    TRY("....", mprotect((void *)P(0), PAGE, 0x40));
    TRY("wwww", mprotect((void *)P(0), PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
    TRY("wwww", mprotect((void *)P(0), PAGE, PROT_READ | PROT_GROWSUP));
    TRY("wwww", syscall(SYS_pkey_mprotect, P(0), PAGE, PROT_READ, 5));
}

static unsigned char resident[PAGES];
static void advising(void)
{
    TRY("wwww", madvise((void *)P(0.5), PAGE, MADV_NORMAL));
    TRY("wwww", madvise((void *)P(0), 0, MADV_NORMAL));
    TRY("wwww", madvise((void *)P(0), 0, 999));
    TRY("wwww", madvise((void *)P(0.5), PAGE, 999));
    TRY("wwww", madvise((void *)P(0), -1UL, MADV_NORMAL));
    TRY("wwww", madvise((void *)P(0), -PAGE, MADV_NORMAL));
    TRY("w..w", madvise((void *)P(0), 4 * PAGE, MADV_DONTNEED));
    TRY("w..w", madvise((void *)P(0), 4 * PAGE, MADV_WILLNEED));
    TRY("wwww", madvise((void *)P(0), PAGE, MADV_REMOVE));
    TRY("ssss", madvise((void *)P(0), PAGE, MADV_REMOVE));
    TRY("ssss", madvise((void *)P(0), PAGE, MADV_FREE));
    TRY("rrrr", madvise((void *)P(0), PAGE, 23));
    TRY("nnnn", madvise((void *)P(0), PAGE, 22));
    TRY("wwww", mincore((void *)P(0.5), PAGE, resident));
    TRY("wwww", mincore((void *)P(0), 0, resident));
    TRY("w..w", mincore((void *)P(0), 4 * PAGE, resident));
    TRY("w..w", mincore((void *)P(0), -1UL, resident));
    TRY("wwww", mincore((void *)P(0), 4 * PAGE, NULL));
    TRY("wwww", msync((void *)P(0.5), PAGE, MS_SYNC));
    TRY("w..w", msync((void *)P(0), 4 * PAGE, MS_ASYNC));
    TRY("w..w", msync((void *)P(0), 0, MS_SYNC));
    TRY("wwww", msync((void *)P(0), PAGE, MS_SYNC | MS_ASYNC));
    TRY("wwww", msync((void *)P(0), PAGE, 64));
    TRY("ffff", msync((void *)P(0), 4 * PAGE, MS_SYNC | MS_INVALIDATE));
    TRY("wwww", msync((void *)P(0), -PAGE, MS_SYNC));
    TRY("w..w", syscall(SYS_mbind, P(0), 4 * PAGE, 0, NULL, 0, 0));
    TRY("wwww", syscall(SYS_mbind, P(0), 4 * PAGE, 0, NULL, 0, 0));
    TRY("wwww", syscall(SYS_mbind, P(0.5), PAGE, 0, NULL, 0, 0));
    TRY("wwww", syscall(SYS_mbind, P(0), PAGE, 99, NULL, 0, 0));
    TRY("wwww", syscall(SYS_mbind, P(0), PAGE, 0, NULL, 0, 64));
    TRY("wwww", syscall(SYS_mbind, P(0), 0, 0, NULL, 0, 0));
    TRY("w..w", mlock((void *)P(0), 4 * PAGE));
    TRY("wwww", mlock((void *)P(0.5), PAGE));
    TRY("nwww", mlock((void *)P(0), 2 * PAGE));
    TRY("wwww", mlock((void *)P(0), -PAGE));
    TRY("w..w", munlock((void *)P(0), 4 * PAGE));
    TRY("wwww", mlock2((void *)P(0), PAGE, 2));
    TRY("wwww", syscall(SYS_remap_file_pages, P(0), PAGE, 0, 0, 0));
    TRY("ffff", syscall(SYS_remap_file_pages, P(1), PAGE, 0, 3, 0));
    TRY("ffff", syscall(SYS_remap_file_pages, P(1), PAGE, 1, 3, 0));
}

int main(void)
{
    moving();
    mapping();
    protecting();
    advising();
    DONE();
}
