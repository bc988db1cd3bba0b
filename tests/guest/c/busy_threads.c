/* Threads that map, unmap, protect, generate and flush code, take signals and fork, all at once. 64 of them for ten
 * minutes with RAEMU_TEST_LONG, which may say another number of seconds. */
#define _GNU_SOURCE
#include "check.h"
#include "rss.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096L
#define PAGES 8
#define MOST 64

static time_t end;
static atomic_long steps[MOST], signals, forks;
static pthread_t threads[MOST];
static int count;

static unsigned next(unsigned *random) {
    *random = *random * 1103515245 + 12345;
    return *random >> 16;
}

static int run_new_code(char *at, unsigned value) {
    value &= 0x7fff;
#ifdef __aarch64__
    unsigned words[] = {0x52800000 | value << 5, 0x11000400, 0x51000400, 0xd65f03c0};
#else
    unsigned char words[] = {0xb8, value, value >> 8, 0, 0, 0xc3};
#endif
    memcpy(at, words, sizeof words);
    __builtin___clear_cache(at, at + sizeof words);
    return ((int (*)(void))at)() == (int)value;
}

static void handler(int signal) {
    (void)signal;
    atomic_fetch_add(&signals, 1);
}

/* The child is whole: it does the same. */
static int fork_once(unsigned value) {
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        char *page = mmap(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        _exit(page != MAP_FAILED && run_new_code(page, value) ? 7 : 8);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    atomic_fetch_add(&forks, 1);
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

/* What is mapped, page by page: 0 for nothing, else its protection and a bit. */
static int step(char *base, int *state, unsigned *random) {
    int page = next(random) % PAGES, rw = PROT_READ | PROT_WRITE;
    char *at = base + page * PAGE;
    unsigned value = next(random);
    switch (next(random) % 6) {
    case 0:
        state[page] = 8 | rw;
        return mmap(at, PAGE, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
    case 1:
        state[page] = 0;
        return mmap(at, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
    case 2:
        if (!state[page])
            return mprotect(at, PAGE, PROT_NONE) == 0;
        state[page] = 8 | rw | PROT_EXEC;
        return mprotect(at, PAGE, rw | PROT_EXEC) == 0;
    case 3:
    case 4:
        return state[page] != (8 | rw | PROT_EXEC) || run_new_code(at + value % 64 * 32, value);
    default:
        pthread_kill(threads[value % count], SIGUSR1);
        return 1;
    }
}

static void *work(void *argument) {
    int number = (int)(long)argument, state[PAGES] = {0};
    unsigned random = number * 7919;
    char *base = mmap(0, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(base != MAP_FAILED);
    while (time(0) < end && !failures) {
        CHECK(step(base, state, &random));
        if (number % 8 == 0 && steps[number] % 512 == 0)
            CHECK(fork_once(random));
        steps[number]++;
    }
    return 0;
}

int main(void) {
    char *seconds = getenv("RAEMU_TEST_LONG");
    count = seconds ? MOST : 12;
    int duration = seconds ? atoi(seconds) : 4;
    end = time(0) + (duration < 2 ? 600 : duration);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, 0) == 0);
    for (long i = 0; i < count; i++)
        threads[i] = pthread_self();
    for (long i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], 0, work, (void *)i) == 0);
    long before[MOST] = {0}, first = 0;
    for (time_t now = time(0); now < end && !failures; now = time(0)) {
        struct timespec wait = {duration < 20 ? 1 : 10, 0};
        while (time(0) < end && nanosleep(&wait, &wait) && !failures)
            ;
        long rss = rss_kib();
        first = first ? first : rss;
        if (seconds)
            fprintf(stderr, "%ld s left, %ld KiB, %ld signals, %ld forks\n", (long)(end - time(0)), rss, (long)signals,
                    (long)forks);
        for (int i = 0; i < count && time(0) + 1 < end; i++) {
            if (steps[i] == before[i])
                fprintf(stderr, "thread %d hangs at step %ld\n", i, before[i]);
            CHECK(steps[i] != before[i]);
            before[i] = steps[i];
        }
    }
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], 0) == 0);
    CHECK(signals > 0 && forks > 0);
    CHECK(rss_kib() < first + 32 * 1024);
    DONE();
}
