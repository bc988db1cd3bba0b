/* A child that shares memory (vfork, CLONE_VM) is killed at any moment; its parent goes on.
 * Each runs new code, changes code, maps and unmaps until it is killed. RAEMU_TEST_LONG: thousands of them. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096L
#define FUNCTIONS 4000
#define STRIDE 32

static char *code;
static atomic_int victim;
static char stack[1 << 16] __attribute__((aligned(16)));

static void emit(char *at, unsigned value) {
#ifdef __aarch64__
    unsigned words[] = {0x52800000 | (value & 0x7fff) << 5, 0x11000400, 0x51000400, 0xd65f03c0};
    memcpy(at, words, sizeof words);
#else
    unsigned char bytes[] = {0xb8, value, value >> 8 & 0x7f, 0, 0, 0xc3};
    memcpy(at, bytes, sizeof bytes);
#endif
}

static int call(char *at) { return ((int (*)(void))at)(); }

static void emit_all(unsigned seed) {
    for (int i = 0; i < FUNCTIONS; i++)
        emit(code + i * STRIDE, seed + i);
    __builtin___clear_cache(code, code + FUNCTIONS * STRIDE);
}

static void *kill_victims(void *unused) {
    unsigned random = 1;
    for (;;) {
        int pid = atomic_load(&victim);
        if (pid < 0)
            return unused;
        if (pid == 0) {
            sched_yield();
            continue;
        }
        random = random * 1103515245 + 12345;
        /* Mostly soon, sometimes much later. */
        int limit = 1 << (random >> 16 & 15);
        for (volatile int i = 0; i < limit; i++)
            ;
        atomic_store(&victim, 0);
        kill(pid, SIGKILL);
    }
}

/* Until it is killed. Nothing of the C library's that locks. */
static int live(void *seed) {
    unsigned round = (unsigned)(long)seed;
    atomic_store(&victim, (int)syscall(SYS_getpid));
    for (;; round++) {
        for (int i = 0; i < FUNCTIONS; i += 1 + round % 3) {
            call(code + i * STRIDE);
            if (i % 50 == 0) {
                char *at = code + FUNCTIONS * STRIDE + PAGE;
                emit(at, round);
                __builtin___clear_cache(at, at + STRIDE);
                call(at);
                char *page = (char *)syscall(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                emit(page, round);
                __builtin___clear_cache(page, page + STRIDE);
                call(page);
                syscall(SYS_mprotect, page, PAGE, PROT_READ);
                syscall(SYS_munmap, page, PAGE);
            }
        }
    }
}

static pid_t start(int round) {
    if (round % 2)
        return clone(live, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)(long)round);
    pid_t child = vfork();
    if (child == 0)
        live((void *)(long)round);
    return child;
}

int main(void) {
    int long_test = getenv("RAEMU_TEST_LONG") != 0;
    int rounds = long_test ? 6000 : 200;
    time_t end = time(0) + (long_test ? 400 : 8);
    code = mmap(0, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    pthread_t killer;
    CHECK(pthread_create(&killer, 0, kill_victims, 0) == 0);
    int round = 0;
    for (; round < rounds && time(0) < end && !failures; round++) {
        emit_all(round);
        pid_t child = start(round);
        int status;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (int i = round % 100; i < FUNCTIONS; i += 100)
            CHECK(call(code + i * STRIDE) == ((round + i) & 0x7fff));
        char *page = mmap(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(page != MAP_FAILED);
        emit(page, round);
        __builtin___clear_cache(page, page + STRIDE);
        CHECK(call(page) == (round & 0x7fff) && munmap(page, PAGE) == 0);
        if (round % 25 == 0) {
            child = fork();
            if (child == 0)
                _exit(call(code) == (round & 0x7fff) ? 3 : 4);
            CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
        }
    }
    if (long_test)
        fprintf(stderr, "%d children killed\n", round);
    CHECK(round > 20);
    atomic_store(&victim, -1);
    CHECK(pthread_join(killer, 0) == 0);
    DONE();
}
