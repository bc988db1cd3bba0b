/* Threads: their start and end, locks, thread-local data, signals to one of them, fork. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static __thread int local = 5;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static long counter;
static int whose;

static void *add(void *arg) {
    CHECK(local == 5);
    local = (int)(long)arg;
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    return (void *)(long)local;
}

static void *ping(void *arg) {
    int me = (int)(long)arg;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&lock);
        while (whose != me)
            pthread_cond_wait(&turn, &lock);
        whose = !me;
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *nothing(void *arg) {
    return arg;
}

static atomic_int hits;
static pthread_t target;
static void hit(int sig) {
    (void)sig;
    CHECK(pthread_equal(pthread_self(), target));
    hits++;
}

static void *wait_for_hit(void *arg) {
    (void)arg;
    while (hits == 0)
        pause();
    return NULL;
}

static void *sleeper(void *arg) {
    for (;;)
        pause();
    return arg;
}

static atomic_int stop;
static void *busy(void *arg) {
    (void)arg;
    unsigned long n = 0;
    while (!stop) {
        free(malloc(64 + n % 1000));
        n++;
    }
    return NULL;
}

static pthread_mutex_t *robust;
static void *hold_and_end(void *arg) {
    (void)arg;
    pthread_mutex_lock(robust);
    return NULL;
}

static void *exit_group_from_here(void *arg) {
    exit(arg == NULL ? 42 : 43);
    return NULL;
}

/* Not exit: its destructors take the tables away by which the first thread, in pthread_exit, unwinds its stack. */
static void *outlive_first(void *arg) {
    (void)arg;
    usleep(20000);
    _exit(42);
}

int main(void) {
    pthread_t t[8];
    for (long i = 0; i < 8; i++)
        CHECK(pthread_create(&t[i], NULL, add, (void *)i) == 0);
    for (long i = 0; i < 8; i++) {
        void *result;
        CHECK(pthread_join(t[i], &result) == 0 && result == (void *)i);
    }
    CHECK(counter == 160000 && local == 5);
    for (long i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, ping, (void *)i);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    /* Many short lives. */
    for (int i = 0; i < 200; i++) {
        pthread_create(&t[0], NULL, nothing, &t[0]);
        void *result;
        CHECK(pthread_join(t[0], &result) == 0 && result == &t[0]);
    }

    /* A signal for one thread. */
    struct sigaction sa = {.sa_handler = hit};
    sigaction(SIGUSR1, &sa, NULL);
    pthread_create(&target, NULL, wait_for_hit, NULL);
    while (hits == 0) {
        pthread_kill(target, SIGUSR1);
        usleep(1000);
    }
    pthread_join(target, NULL);

    /* Cancellation uses a signal of libc's own. */
    void *result;
    pthread_create(&t[0], NULL, sleeper, NULL);
    usleep(1000);
    pthread_cancel(t[0]);
    pthread_join(t[0], &result);
    CHECK(result == PTHREAD_CANCELED);

    /* A robust mutex whose owner is gone. */
    robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(robust, &attr);
    pthread_create(&t[0], NULL, hold_and_end, NULL);
    pthread_join(t[0], NULL);
    CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
    pthread_mutex_consistent(robust);
    pthread_mutex_unlock(robust);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(robust);
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);

    /* fork while others allocate; the child has one thread and can make more. */
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, busy, NULL);
    for (int i = 0; i < 20; i++) {
        pid = fork();
        if (pid == 0) {
            free(malloc(100000));
            pthread_t child;
            if (pthread_create(&child, NULL, add, (void *)3) != 0)
                _exit(1);
            pthread_join(child, NULL);
            _exit(syscall(SYS_gettid) == getpid() ? 0 : 2);
        }
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);

    /* exit from another thread ends the process; exit of the first thread alone does not. */
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pthread_create(&t[0], NULL, exit_group_from_here, NULL);
        pthread_join(t[0], NULL);
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42);
    pid = fork();
    if (pid == 0) {
        pthread_create(&t[0], NULL, outlive_first, NULL);
        pthread_exit(NULL);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42);
    DONE();
}
