/* process_madvise(2) of the caller's own memory and of another's; process_vm_writev(2); personality(2). */
#define _GNU_SOURCE
#include "check.h"
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define PROCESS_MADVISE(fd, vector, count, advice) syscall(SYS_process_madvise, fd, vector, count, advice, 0)

static char *pages;

static void advice(void)
{
    int own = (int)syscall(SYS_pidfd_open, getpid(), 0);
    struct iovec vector[2] = {{pages, PAGE}, {pages + 2 * PAGE, PAGE}}, bad[2] = {{pages, PAGE}, {(void *)8, PAGE}};
    memset(pages, 7, 4 * PAGE);
    long done = PROCESS_MADVISE(own, vector, 2, MADV_DONTNEED);
    if (done == -1) {
        CHECK(errno == EINVAL); /* before Linux 6.15 */
    } else {
        CHECK(done == 2 * PAGE);
        CHECK(pages[0] == 0 && pages[PAGE] == 7 && pages[2 * PAGE] == 0 && pages[3 * PAGE] == 7);
        pages[0] = 7;
        CHECK(PROCESS_MADVISE(own, bad, 2, MADV_DONTNEED) == PAGE && pages[0] == 0);
        FAILS(PROCESS_MADVISE(own, bad + 1, 1, MADV_DONTNEED), EINVAL);
        CHECK(PROCESS_MADVISE(own, vector, 0, MADV_DONTNEED) == 0);
        FAILS(PROCESS_MADVISE(own, 8, 1, MADV_DONTNEED), EFAULT);
    }
    FAILS(PROCESS_MADVISE(own, vector, 2, 777), EINVAL);
    FAILS(PROCESS_MADVISE(-1, vector, 2, MADV_COLD), EBADF);
    FAILS(PROCESS_MADVISE(0, vector, 2, MADV_DONTNEED), EBADF);
    FAILS(syscall(SYS_process_madvise, own, vector, 2, MADV_COLD, 1), EINVAL);
    CHECK(PROCESS_MADVISE(own, vector, 2, MADV_COLD) == 2 * PAGE);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    int other = (int)syscall(SYS_pidfd_open, child, 0);
    FAILS(PROCESS_MADVISE(other, vector, 2, MADV_DONTNEED), EINVAL);
    char word = 9, got = 0;
    struct iovec local = {&word, 1}, remote = {pages + PAGE, 1}, back = {&got, 1}, none = {(void *)8, 1};
    CHECK(process_vm_writev(child, &local, 1, &remote, 1, 0) == 1);
    CHECK(process_vm_readv(child, &back, 1, &remote, 1, 0) == 1 && got == 9 && pages[PAGE] == 7);
    FAILS(process_vm_writev(child, &local, 1, &none, 1, 0), EFAULT);
    FAILS(process_vm_writev(child, &none, 1, &remote, 1, 0), EFAULT);
    FAILS(process_vm_writev(child, &local, 1, &remote, 1, 1), EINVAL);
    kill(child, 9);
    waitpid(child, NULL, 0);
    close(own), close(other);
}

static void persona(void)
{
    struct utsname names;
    int before = personality(0xffffffff);
    CHECK(personality(before | UNAME26) == before);
    CHECK(uname(&names) == 0 && strncmp(names.release, "2.6.", 4) == 0);
    CHECK(personality(before | ADDR_NO_RANDOMIZE) == (before | UNAME26));
    CHECK(uname(&names) == 0 && strncmp(names.release, "2.6.", 4) != 0);
    CHECK(personality(before) == (before | ADDR_NO_RANDOMIZE));
#ifdef __aarch64__
    /* Where the CPU has 32-bit code alone. */
    int result = personality(PER_LINUX32);
    CHECK(result == -1 ? errno == EINVAL : result == before && uname(&names) == 0 && strcmp(names.machine, "armv8l") == 0);
    personality(before);
#endif
    CHECK(personality(0xffffffff) == before);
}

int main(void)
{
    pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    advice();
    persona();
    DONE();
}
