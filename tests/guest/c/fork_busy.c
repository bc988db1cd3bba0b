/* Forks from a process whose other threads map executable memory, run new code in it and take signals: each child is
 * whole. It does the same itself. RAEMU_TEST_LONG: 10,000 of them. */
#define _GNU_SOURCE
#include "check.h"
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
#define THREADS 8
#define TIMERS 8

static atomic_int stop;
static atomic_long signals, mapped;

static void emit(char *at, unsigned value) {
#ifdef __aarch64__
    unsigned words[] = {0x52800000 | (value & 0x7fff) << 5, 0x11000400, 0x51000400, 0xd65f03c0};
    memcpy(at, words, sizeof words);
#else
    unsigned char bytes[] = {0xb8, value, value >> 8 & 0x7f, 0, 0, 0xc3};
    memcpy(at, bytes, sizeof bytes);
#endif
}

/* Maps, writes, runs and unmaps code; whether it did what was written. */
static int run_new_code(unsigned value) {
    char *page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 0;
    for (int i = 0; i < 16; i++)
        emit(page + i * 32, value + i);
    if (mprotect(page, PAGE, PROT_READ | PROT_EXEC))
        return 0;
    __builtin___clear_cache(page, page + PAGE);
    int right = 1;
    for (int i = 0; i < 16; i++)
        right &= ((int (*)(void))(page + i * 32))() == ((value + i) & 0x7fff);
    return munmap(page, PAGE) == 0 && right;
}

static void count(int signal) { signals++; }

static void *work(void *number) {
    unsigned value = (unsigned)(long)number * 1000;
    while (!stop) {
        if (!run_new_code(value++))
            return (void *)1;
        mapped++;
    }
    return 0;
}

static void *idle(void *unused) { return unused; }

int main(void) {
    int long_test = getenv("RAEMU_TEST_LONG") != 0;
    int forks = long_test ? 10000 : 150;
    struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], 0, work, (void *)i) == 0);
    /* Thousands of signals a second, to any thread: what a timer sends while its last one waits is lost, and they wait
     * long where eight threads have two processors. */
    timer_t timers[TIMERS];
    for (int i = 0; i < TIMERS; i++) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + i};
        struct itimerspec each = {{0, 1000000}, {0, 1000000}};
        CHECK(sigaction(SIGRTMIN + i, &action, 0) == 0);
        CHECK(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0);
        CHECK(timer_settime(timers[i], 0, &each, 0) == 0);
    }
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int done = 0;
    for (; done < forks && !failures; done++) {
        pid_t child = fork();
        if (child == 0) {
            /* A hang ends here. */
            alarm(30);
            pthread_t thread;
            int right = run_new_code(done);
            if (done % 8 == 0)
                right = right && pthread_create(&thread, 0, idle, 0) == 0 && pthread_join(thread, 0) == 0;
            _exit(right ? 7 : 8);
        }
        int status = 0;
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (int i = 0; i < TIMERS; i++)
        timer_delete(timers[i]);
    stop = 1;
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        CHECK(pthread_join(threads[i], &wrong) == 0 && !wrong);
    }
    CHECK(signals > 10 && mapped > 10);
    if (long_test)
        fprintf(stderr, "%d forks in %ld s, %ld signals, %ld pages of code\n", done,
                (long)(now.tv_sec - start.tv_sec), (long)signals, (long)mapped);
    DONE();
}
