/* What the memory map refuses, and in which order it looks: mremap's arguments, PR_SET_MDWE, mlockall. */
#define _GNU_SOURCE
#include "check.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define SET_MDWE 65
#define GET_MDWE 66

static char *area;

/* Old address (OLD: mapped, three pages), old and new length, flags, new address (NEW: free). */
enum { OLD = -1, NEW = -2, OVER = -3, UNALIGNED = -4 };

static const struct {
    long old;
    unsigned long old_len, new_len;
    int flags;
    long new;
    int error;
} moves[] = {
    {0xa000, ~4095UL, PAGE, 0, 0, EFAULT},
    {0xa000, 2 * PAGE, PAGE, 0, 0, EFAULT},
    {0xa000, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0, EFAULT},
    {(long)0xffffffffffffe000, PAGE, PAGE, 0, 0, EFAULT},
    {0xa000, PAGE, 0, 0, 0, EINVAL},
    {0xa000, PAGE, ~0UL, 0, 0, EINVAL},
    {0xa000, PAGE, 1UL << 62, MREMAP_MAYMOVE, 0, EINVAL},
    {0xa001, PAGE, PAGE, 0, 0, EINVAL},
    {0xa000, PAGE, PAGE, 8, 0, EINVAL},
    {0xa000, PAGE, PAGE, MREMAP_FIXED, NEW, EINVAL},
    {0xa000, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, UNALIGNED, EINVAL},
    {0xa000, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, NEW, EFAULT},
    {0xa000, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, (long)0xfffffffffffff000, EINVAL},
    {0xa000, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0, EINVAL},
    {0xa000, PAGE, PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0, EFAULT},
    {OLD, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, OLD, EINVAL},
    {OLD, 2 * PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, OVER, EINVAL},
    {OLD, 3 * PAGE, 4 * PAGE, 0, 0, ENOMEM},
    {OLD, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0, EFAULT},
    {OLD, 0, PAGE, MREMAP_MAYMOVE, 0, EINVAL},
    {OLD, ~0UL, PAGE, MREMAP_MAYMOVE, 0, EINVAL},
};

static void moving(void)
{
    area = mmap(NULL, 16 * PAGE, PROT_NONE, ANONYMOUS, -1, 0);
    CHECK(mmap(area, 3 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) == area);
    CHECK(munmap(area + 8 * PAGE, 8 * PAGE) == 0);
    for (size_t n = 0; n < sizeof moves / sizeof *moves; n++) {
        uintptr_t old = moves[n].old == OLD ? (uintptr_t)area : (uintptr_t)moves[n].old;
        uintptr_t new = moves[n].new == OLD         ? (uintptr_t)area
                        : moves[n].new == OVER      ? (uintptr_t)area + PAGE
                        : moves[n].new == NEW       ? (uintptr_t)area + 8 * PAGE
                        : moves[n].new == UNALIGNED ? (uintptr_t)area + 8 * PAGE + 1
                                                    : (uintptr_t)moves[n].new;
        errno = 0;
        void *at = mremap((void *)old, moves[n].old_len, moves[n].new_len, moves[n].flags, (void *)new);
        if (at != MAP_FAILED || errno != moves[n].error) {
            printf("move %zu gives %s, errno %d (%s)\n", n, at == MAP_FAILED ? "nothing" : "a place", errno,
                   strerror(errno));
            failures++;
        }
    }
}

static int in_child(void (*body)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        body();
        fflush(stdout);
        _exit(failures != 0);
    }
    int status;
    waitpid(child, &status, 0);
    return status;
}

static void denied(void)
{
    char *rw = mmap(NULL, 4 * PAGE, RW, ANONYMOUS, -1, 0);
    char *rx = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, ANONYMOUS, -1, 0);
    FAILS(prctl(SET_MDWE, 4, 0, 0, 0), EINVAL);
    FAILS(prctl(SET_MDWE, 2, 0, 0, 0), EINVAL);
    FAILS(prctl(SET_MDWE, 1, 1, 0, 0), EINVAL);
    FAILS(prctl(GET_MDWE, 1, 0, 0, 0), EINVAL);
    CHECK(prctl(GET_MDWE, 0, 0, 0, 0) == 0);
    CHECK(prctl(SET_MDWE, 1, 0, 0, 0) == 0 && prctl(GET_MDWE, 0, 0, 0, 0) == 1);
    FAILS(prctl(SET_MDWE, 3, 0, 0, 0), EPERM);
    FAILS(prctl(SET_MDWE, 0, 0, 0, 0), EPERM);
    FAILS(mmap(NULL, PAGE, RW | PROT_EXEC, ANONYMOUS, -1, 0), EACCES);
    CHECK(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, ANONYMOUS, -1, 0) != MAP_FAILED);
    FAILS(mprotect(rw, PAGE, PROT_READ | PROT_EXEC), EACCES);
    FAILS(mprotect(rw, PAGE, RW | PROT_EXEC), EACCES);
    CHECK(mprotect(rw, PAGE, PROT_READ) == 0 && mprotect(rw, PAGE, RW) == 0);
    CHECK(mprotect(rx, PAGE, PROT_READ | PROT_EXEC) == 0);
    CHECK(mprotect(rx, PAGE, PROT_READ) == 0);
    FAILS(mprotect(rx, PAGE, PROT_READ | PROT_EXEC), EACCES);
}

static void inherited(void)
{
    FAILS(prctl(SET_MDWE, 3, 0, 0, 0), EPERM);
    CHECK(prctl(GET_MDWE, 0, 0, 0, 0) == 1);
}

static void inherits(void)
{
    denied();
    CHECK(in_child(inherited) == 0);
}

static void not_inherited_child(void)
{
    CHECK(prctl(GET_MDWE, 0, 0, 0, 0) == 0);
}

static void not_inherited(void)
{
    CHECK(prctl(SET_MDWE, 3, 0, 0, 0) == 0 && prctl(GET_MDWE, 0, 0, 0, 0) == 3);
    CHECK(in_child(not_inherited_child) == 0);
}

/* The protection /proc/self/maps shows at an address. */
static void protection(void *at, char text[5])
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start, end;
    char line[512];
    strcpy(text, "none");
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %4s", &start, &end, line) == 3 && start <= (uintptr_t)at && (uintptr_t)at < end)
            strcpy(text, line);
    fclose(maps);
}

static void implied(void)
{
    char text[5];
    int before = personality(0xffffffff);
    CHECK(personality(before | READ_IMPLIES_EXEC) == before);
    char *read = mmap(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 0);
    protection(read, text);
    CHECK(strcmp(text, "r-xp") == 0);
    char *none = mmap(read, PAGE, PROT_NONE, ANONYMOUS | MAP_FIXED, -1, 0);
    protection(none, text);
    CHECK(strcmp(text, "---p") == 0);
    CHECK(mprotect(none, PAGE, RW) == 0);
    protection(none, text);
    CHECK(strcmp(text, "rwxp") == 0);
    CHECK(personality(before) == (before | READ_IMPLIES_EXEC));
    char *plain = mmap(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 0);
    protection(plain, text);
    CHECK(strcmp(text, "r--p") == 0);
}

static long locked(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kilobytes = -1;
    while (fgets(line, sizeof line, status))
        sscanf(line, "VmLck: %ld", &kilobytes);
    fclose(status);
    return kilobytes;
}

static void locking(void)
{
    FAILS(mlockall(0), EINVAL);
    FAILS(mlockall(4), EINVAL);
    FAILS(mlockall(8 | MCL_CURRENT), EINVAL);
    CHECK(munlockall() == 0 && locked() == 0);
    CHECK(mlockall(MCL_FUTURE) == 0 && locked() == 0);
    char *at = mmap(NULL, 4 * PAGE, RW, ANONYMOUS, -1, 0);
    unsigned char resident[4] = {0};
    CHECK(at != MAP_FAILED && locked() == 16);
    CHECK(mincore(at, 4 * PAGE, resident) == 0 && resident[0] & resident[3] & 1);
    CHECK(munlockall() == 0 && locked() == 0);
    CHECK(mmap(NULL, PAGE, RW, ANONYMOUS, -1, 0) != MAP_FAILED && locked() == 0);
    CHECK(mlockall(MCL_CURRENT | 4) == 0 && locked() > 100);
    CHECK(munlockall() == 0 && locked() == 0);
}

int main(void)
{
    moving();
    CHECK(in_child(inherits) == 0);
    CHECK(in_child(not_inherited) == 0);
    CHECK(in_child(implied) == 0);
    CHECK(in_child(locking) == 0);
    DONE();
}
