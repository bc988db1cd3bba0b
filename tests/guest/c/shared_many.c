/* Many threads make children that share memory (vfork, CLONE_VM) and are killed at any moment, while the other threads
 * make theirs, map, run new code and allocate. RAEMU_TEST_LONG: all threads, half a minute of it. */
#define _GNU_SOURCE
#include "check.h"
#include "new_code.h"
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

#define THREADS 12

struct maker {
    pthread_t thread;
    /* The child to be killed, and how much later. */
    atomic_int victim;
    unsigned random;
    char stack[1 << 15] __attribute__((aligned(16)));
};

static struct maker makers[THREADS];
static atomic_int finished, children, faulted;
static time_t end;

/* Until it is killed, or ends by itself: some stop themselves, some fault. */
static int live(void *argument) {
    struct maker *self = argument;
    unsigned round = self->random;
    atomic_store(&self->victim, (int)syscall(SYS_getpid));
    for (unsigned count = 0;; count++) {
        churn(round + count);
        if (count == 20 && round % 16 == 0)
            syscall(SYS_exit_group, 0);
        if (count == 5 && round % 4 == 1)
            *(volatile int *)8 = 1;
    }
}

static void *make(void *argument) {
    struct maker *self = argument;
    while ((time(0) < end || !faulted) && !failures) {
        unsigned kind = next(&self->random) % 3;
        pid_t child;
        if (kind == 0)
            child = vfork();
        else
            child = clone(live, self->stack + sizeof self->stack,
                          CLONE_VM | (kind == 1 ? CLONE_VFORK : 0) | SIGCHLD, self);
        if (child == 0)
            live(self);
        int status;
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        atomic_store(&self->victim, 0);
        CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV
                                  : WEXITSTATUS(status) == 0);
        atomic_fetch_add(&faulted, WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        CHECK(churn(self->random));
        free(malloc(next(&self->random) % 5000));
        atomic_fetch_add(&children, 1);
    }
    atomic_fetch_add(&finished, 1);
    return 0;
}

int main(void) {
    int long_test = getenv("RAEMU_TEST_LONG") != 0;
    int threads = long_test ? THREADS : 4;
    end = time(0) + (long_test ? 30 : 1);
    for (int i = 0; i < threads; i++) {
        makers[i].random = i * 7919;
        CHECK(pthread_create(&makers[i].thread, 0, make, &makers[i]) == 0);
    }
    unsigned random = 1;
    while (atomic_load(&finished) < threads) {
        int victim = atomic_exchange(&makers[next(&random) % threads].victim, 0);
        if (victim != 0)
            kill(victim, SIGKILL);
        for (volatile unsigned i = next(&random) % 4096; i > 0; i--)
            ;
    }
    for (int i = 0; i < threads; i++)
        CHECK(pthread_join(makers[i].thread, 0) == 0);
    CHECK(children > threads && faulted > 0);
    if (long_test)
        fprintf(stderr, "%d children, %d faulted\n", children, faulted);
    DONE();
}
