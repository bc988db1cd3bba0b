/* Signals, threads, forks and vfork children leave no memory behind, also not the emulator's own (RSS is the process's). */
#define _GNU_SOURCE
#include "check.h"
#include "rss.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int handled;
static void handler(int sig) { (void)sig, handled++; }
static void a_signal(void) { raise(SIGUSR1); }

static void *thread(void *arg) { return arg; }
static void a_thread(void) {
    pthread_t id;
    CHECK(pthread_create(&id, NULL, thread, NULL) == 0 && pthread_join(id, NULL) == 0);
}

static void a_fork(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static void a_vfork(void) {
    pid_t pid = vfork();
    if (pid == 0)
        _exit(0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

/* Killed by the thread below while it sleeps. */
static atomic_int victim, ended;

static void a_killed_vfork(void) {
    pid_t pid = vfork();
    if (pid == 0) {
        atomic_store(&victim, (int)syscall(SYS_getpid));
        for (;;)
            pause();
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void *killer(void *arg) {
    while (!ended) {
        int pid = atomic_exchange(&victim, 0);
        usleep(100);
        if (pid != 0)
            kill(pid, SIGKILL);
    }
    return arg;
}

static const struct {
    const char *name;
    void (*act)(void);
    int count, long_count;
} ROWS[] = {
    {"signals", a_signal, 200000, 10000000},
    {"threads", a_thread, 2000, 100000},
    {"forks", a_fork, 1000, 20000},
    {"vfork children", a_vfork, 1000, 20000},
    {"killed vfork children", a_killed_vfork, 500, 5000},
};

/* What a tenth of the count, made before, may leave: caches that fill. A page for each would be 4 MiB or more. */
enum { SLACK_KIB = 1024 };

int main(void) {
    pthread_t id = 0;
    signal(SIGUSR1, handler);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        int count = getenv("RAEMU_TEST_LONG") ? ROWS[row].long_count : ROWS[row].count;
        if (ROWS[row].act == a_killed_vfork)
            CHECK(pthread_create(&id, NULL, killer, NULL) == 0);
        for (int i = 0; i < count / 10; i++)
            ROWS[row].act();
        long before = rss_kib();
        for (int i = 0; i < count; i++)
            ROWS[row].act();
        long growth = rss_kib() - before;
        CHECK(before > 0);
        if (growth < SLACK_KIB)
            printf("%s: constant\n", ROWS[row].name);
        else
            printf("%s: %ld KiB more than %ld\n", ROWS[row].name, growth, before);
    }
    ended = 1;
    pthread_join(id, NULL);
    DONE();
}
