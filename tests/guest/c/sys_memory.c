/* The memory map: placement, protection, moving, the heap, and what is refused. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

static char *anonymous(size_t pages)
{
    char *at = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED && (uintptr_t)at % PAGE == 0 && (uintptr_t)at < (1UL << 48));
    return at;
}

static void mapping(void)
{
    FAILS(mmap(NULL, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
    FAILS(mmap((void *)123, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    FAILS(mmap((void *)(1UL << 48), PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM);
    FAILS(munmap((void *)1, PAGE), EINVAL);
    FAILS(munmap((void *)PAGE, 0), EINVAL);
    char *at = anonymous(8);
    memset(at, 1, 8 * PAGE);
    CHECK(munmap(at + 2 * PAGE, 100) == 0);       /* rounds up to a page */
    CHECK(munmap(at + 2 * PAGE, 2 * PAGE) == 0);  /* holes are no error */
    CHECK(at[PAGE] == 1 && at[4 * PAGE] == 1);
    char *again = mmap(at + PAGE, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(again == at + PAGE && again[0] == 0 && at[0] == 1 && at[5 * PAGE] == 1);
    FAILS(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK(munmap(at, 8 * PAGE) == 0);
    CHECK(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
    CHECK(munmap(at, PAGE) == 0);
}

static sigjmp_buf out;
static void fault(int sig)
{
    siglongjmp(out, sig);
}

static int writes(volatile char *at)
{
    int sig = sigsetjmp(out, 1);
    if (sig == 0)
        *at = 1;
    return sig;
}

static void protection(int faults)
{
    char *at = anonymous(4);
    CHECK(mprotect(at + PAGE, PAGE, PROT_READ) == 0);
    if (faults) {
        struct sigaction act = { .sa_handler = fault };
        CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
        CHECK(writes(at) == 0 && writes(at + PAGE) == SIGSEGV && writes(at + 2 * PAGE) == 0);
        CHECK(mprotect(at + PAGE, PAGE, RW) == 0 && writes(at + PAGE) == 0);
    }
    FAILS(mprotect(at + 1, PAGE, PROT_READ), EINVAL);
    CHECK(mprotect(at, 0, PROT_READ) == 0);
    CHECK(munmap(at + 2 * PAGE, PAGE) == 0);
    FAILS(mprotect(at, 4 * PAGE, RW), ENOMEM);
    FAILS(madvise(at, 4 * PAGE, MADV_DONTNEED), ENOMEM);
    FAILS(madvise(at, PAGE, 12345), EINVAL);
    at[0] = 7;
    CHECK(madvise(at, PAGE, MADV_DONTNEED) == 0 && at[0] == 0);
    unsigned char resident[2];
    at[0] = 7;
    CHECK(mincore(at, PAGE, resident) == 0 && (resident[0] & 1));
    FAILS(msync(at + 2 * PAGE, PAGE, MS_SYNC), ENOMEM);
}

static void moving(void)
{
    char *at = anonymous(2);
    strcpy(at, "kept");
    char *bigger = mremap(at, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    CHECK(bigger != MAP_FAILED && strcmp(bigger, "kept") == 0 && bigger[63 * PAGE] == 0);
    CHECK(mremap(bigger, 64 * PAGE, PAGE, 0) == bigger);
    char *target = anonymous(4);
    CHECK(mremap(bigger, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) == target + PAGE);
    CHECK(strcmp(target + PAGE, "kept") == 0);
    FAILS(mremap(bigger, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    FAILS(mremap(target, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
    FAILS(mremap(target, PAGE, PAGE, 0x80), EINVAL);
}

static void files(void)
{
    char name[] = "/tmp/raemu-memory-XXXXXX";
    int fd = mkstemp(name);
    int read_only = open(name, O_RDONLY);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 2 * PAGE) == 0);
    CHECK(pwrite(fd, "page one", 9, PAGE) == 9);
    char *private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, PAGE);
    char *shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, PAGE);
    CHECK(strcmp(private, "page one") == 0 && strcmp(shared, "page one") == 0);
    strcpy(private, "mine");
    strcpy(shared, "ours");
    char back[9];
    CHECK(pread(fd, back, 9, PAGE) == 9 && strcmp(back, "ours") == 0 && strcmp(private, "mine") == 0);
    FAILS(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 1), EINVAL);
    FAILS(mmap(NULL, PAGE, RW, MAP_SHARED, read_only, 0), EACCES);
    CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, read_only, 0) != MAP_FAILED);
}

static void heap(void)
{
    char *start = sbrk(0);
    char *old = sbrk(3 * PAGE + 5);
    CHECK(old == start);
    if (old == (void *)-1)
        return;
    memset(start, 1, 3 * PAGE + 5);
    CHECK((char *)sbrk(0) == start + 3 * PAGE + 5);
    CHECK(brk(start + 1) == 0 && brk(start + 3 * PAGE) == 0);
    CHECK(start[0] == 1 && start[2 * PAGE + (PAGE - (uintptr_t)start % PAGE) % PAGE] == 0);
    CHECK((char *)syscall(SYS_brk, 16L) == start + 3 * PAGE);
}

static void segments(void)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE - 10, IPC_CREAT | 0600);
    if (id < 0)
        return; /* no System V IPC in this sandbox */
    char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
    struct shmid_ds status;
    CHECK(shmctl(id, IPC_STAT, &status) == 0);
    CHECK(status.shm_nattch == 2 && status.shm_segsz == 3 * PAGE - 10 && status.shm_cpid == getpid());
    CHECK((status.shm_perm.mode & 0777) == 0600 && status.shm_perm.uid == geteuid());
    strcpy(a, "segment");
    CHECK(strcmp(b, "segment") == 0);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(a) == 0);
    FAILS(shmdt(a), EINVAL);
    CHECK(strcmp(b, "segment") == 0 && shmdt(b) == 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    mapping();
    protection(argc == 1);
    moving();
    files();
    heap();
    segments();
    DONE();
}
