/* Code made at run time: it must never be run from an old translation after its bytes,
 * its protection or its mapping changed. */
#define _GNU_SOURCE
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)

typedef int function(void);

/* Writes a function that returns `value`. */
static void emit(void *at, int value)
{
#ifdef __aarch64__
    uint32_t code[] = { 0x52800000u | (uint32_t)value << 5, 0xd65f03c0u };
#else
    uint8_t code[] = { 0xb8, (uint8_t)value, (uint8_t)(value >> 8), 0, 0, 0xc3 };
#endif
    memcpy(at, code, sizeof code);
}

static void flush(char *at)
{
    __builtin___clear_cache(at, at + 64);
}

static sigjmp_buf out;
static volatile void *fault_address;
static volatile int fault_code;
static void fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    fault_address = info->si_addr;
    fault_code = info->si_code;
    siglongjmp(out, sig);
}

/* The function's value, or minus the signal it died of. */
static int run(void *at)
{
    int sig = sigsetjmp(out, 1);
    return sig ? -sig : ((function *)at)();
}

static char *pages(int count, int prot)
{
    return mmap(NULL, count * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void write_then_execute(void)
{
    char *at = pages(2, RW);
    for (int round = 0; round < 50; round++) {
        CHECK(mprotect(at, PAGE, RW) == 0);
        emit(at, round);
        flush(at);
        CHECK(mprotect(at, PAGE, RX) == 0);
        CHECK(run(at) == round);
    }
    CHECK(mprotect(at, PAGE, PROT_READ) == 0);
    CHECK(run(at) == -SIGSEGV && fault_address == at && fault_code == SEGV_ACCERR);
    CHECK(mprotect(at, PAGE, PROT_NONE) == 0 && run(at) == -SIGSEGV && fault_address == at);
    CHECK(mprotect(at, PAGE, RX) == 0 && run(at) == 49);
    CHECK(munmap(at, PAGE) == 0 && run(at) == -SIGSEGV && fault_address == at && fault_code == SEGV_MAPERR);
}

static void write_and_execute(void)
{
    char *at = pages(1, RW | PROT_EXEC);
    if (at == MAP_FAILED)
        return; /* forbidden here */
    for (int round = 0; round < 50; round++) {
        emit(at, round);
        flush(at);
        CHECK(run(at) == round);
    }
}

static void replaced(void)
{
    char *at = pages(1, RW), *other = pages(1, RW);
    emit(at, 1);
    emit(other, 2);
    flush(at);
    flush(other);
    CHECK(mprotect(at, PAGE, RX) == 0 && mprotect(other, PAGE, RX) == 0);
    CHECK(run(at) == 1 && run(other) == 2);
    CHECK(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
    CHECK(run(at) == 2 && run(other) == -SIGSEGV);
    CHECK(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    CHECK(run(at) == -SIGSEGV);
    emit(at, 3);
    flush(at);
    CHECK(mprotect(at, PAGE, RX) == 0 && run(at) == 3);
    CHECK(madvise(at, PAGE, MADV_DONTNEED) == 0);
    CHECK(run(at) < 0 && at[0] == 0); /* zero bytes are no instruction that returns */
}

static void two_mappings(void)
{
    int fd = memfd_create("code", 0);
    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    char *write = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    char *execute = mmap(NULL, PAGE, RX, MAP_SHARED, fd, 0);
    CHECK(write != MAP_FAILED && execute != MAP_FAILED);
    for (int round = 0; round < 20; round++) {
        emit(write, round);
        flush(round % 2 ? execute : write); /* instruction caches are physically tagged */
        CHECK(run(execute) == round);
    }
}

int main(void)
{
    struct sigaction act = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGILL, &act, NULL);
    write_then_execute();
    write_and_execute();
    replaced();
    two_mappings();
    DONE();
}
