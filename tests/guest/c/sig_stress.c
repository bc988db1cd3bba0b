/* Signals by the thousand, at any instruction of threads that compute: nothing may be lost
 * of registers, flags, vectors or the stack, and no queued signal may go missing. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static atomic_int delivered;
static atomic_long sum;
static volatile double sink;

static void handler(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    double x = info->si_value.sival_int;
    for (int i = 0; i < 20; i++)
        x = x * 1.0000001 + 0.5;
    sink = x;
    char buffer[256];
    memset(buffer, (int)x, sizeof buffer);
    __asm__ volatile("" : : "r"(buffer) : "memory");
    sum += info->si_value.sival_int;
    delivered++;
}

static uint64_t work(unsigned rounds) {
    uint64_t hash = 1469598103934665603u;
    double d = 1.0;
    unsigned char bytes[64];
    for (unsigned i = 0; i < rounds; i++) {
        for (int j = 0; j < 64; j++)
            bytes[j] = (unsigned char)(hash >> (j & 7) * 8) ^ (unsigned char)(i + j);
        for (int j = 0; j < 64; j++)
            hash = (hash ^ bytes[j]) * 1099511628211u;
        d = d * 1.000001 + (double)(hash & 0xff) / 256.0;
        if (d > 1e6)
            d -= 1e6;
        if ((i & 63) == 0)
            syscall(SYS_getppid);
    }
    uint64_t bits;
    memcpy(&bits, &d, 8);
    return hash ^ bits;
}

static uint64_t expected;
static atomic_int stop;
static atomic_int ready;
static void *worker(void *arg) {
    uintptr_t bad = 0;
    (void)arg;
    ready++;
    while (!stop)
        bad += work(3000) != expected;
    return (void *)bad;
}

static sigjmp_buf env;
static void leave(int sig) { siglongjmp(env, sig); }

int main(void) {
    expected = work(3000);
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN, &sa, NULL);
    sigaction(SIGRTMIN + 1, &sa, NULL);
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, worker, NULL);
    while (ready < 3)
        usleep(100);
    long sent = 0, total = 0;
    for (int i = 0; i < 3000; i++) {
        union sigval value = {.sival_int = i};
        if (pthread_sigqueue(t[i % 3], SIGRTMIN + i % 2, value) == 0) {
            sent++;
            total += i;
        }
        if (i % 50 == 0)
            usleep(100);
    }
    for (int i = 0; i < 5000 && delivered < sent; i++)
        usleep(1000);
    stop = 1;
    for (int i = 0; i < 3; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        CHECK(bad == NULL);
    }
    CHECK(delivered == sent && sum == total);

    /* Out of a handler by siglongjmp, from wherever the timer hits. */
    signal(SIGALRM, leave);
    volatile int jumps = 0;
    struct itimerval it = {{.tv_usec = 1000}, {.tv_usec = 1000}};
    setitimer(ITIMER_REAL, &it, NULL);
    while (jumps < 200) {
        if (sigsetjmp(env, 1) != 0) {
            jumps++;
            continue;
        }
        for (;;)
            work(100);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    signal(SIGALRM, SIG_IGN);
    CHECK(work(3000) == expected);
    DONE();
}
