/* Signals 32 to 34 between threads: the C library keeps the first two to itself, the kernel does not.
 * They reach their handlers whenever threads are made, and none is lost. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 32, LAST = 34, COUNT = 50 };
#define BIT(s) (1ul << ((s) - 1))
static const unsigned long SET = BIT(32) | BIT(33) | BIT(34);

/* The kernel's struct sigaction. */
struct action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

#ifdef __x86_64__
#define RESTORER 0x04000000
extern void restorer(void);
__asm__("restorer: mov $15, %eax\n syscall");
static void handle(int signal, void *handler) {
    struct action a = {handler, SA_SIGINFO | SA_RESTART | RESTORER, restorer, SET};
    CHECK(syscall(SYS_rt_sigaction, signal, &a, NULL, 8) == 0);
}
#else
/* arm64 has no restorer member in what the kernel reads before it: the vDSO returns. */
static void handle(int signal, void *handler) {
    struct action a = {handler, SA_SIGINFO | SA_RESTART, NULL, SET};
    CHECK(syscall(SYS_rt_sigaction, signal, &a, NULL, 8) == 0);
}
#endif

static volatile int count[65], order[65], wrong;
static __thread volatile int mine[65];

static void handler(int signal, siginfo_t *info, void *context) {
    (void)context;
    __atomic_fetch_add(&count[signal], 1, __ATOMIC_SEQ_CST);
    mine[signal]++;
    if (info->si_signo != signal || info->si_pid != getpid())
        wrong++;
    /* 32 may go behind others of its kind where a thread starts meanwhile (docs/signals.md). */
    if (info->si_code == SI_QUEUE && info->si_value.sival_int != order[signal]++ && signal != 32)
        wrong++;
}

static void mask(int how, unsigned long set) { syscall(SYS_rt_sigprocmask, how, &set, NULL, 8); }

static void queue(int signal, int value) {
    siginfo_t info = {.si_signo = signal, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), signal, &info) == 0);
}

/* A thread made without the C library's pthread_create. */
static int raw_done;
static char stacks[4][65536] __attribute__((aligned(16)));
static int raw_thread(void *arg) {
    (void)arg;
    __atomic_fetch_add(&raw_done, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_exit, 0);
    return 0;
}

static pid_t tids[2];
static volatile int stop;
static int both[2];

static void *thread(void *arg) {
    long n = (long)arg;
    mask(SIG_UNBLOCK, SET);
    char byte;
    __atomic_store_n(&tids[n], syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    if (n == 0)
        while (!stop)
            ;
    else
        CHECK(read(both[0], &byte, 1) == 1);
    for (int s = FIRST; s <= LAST; s++)
        CHECK(mine[s] == COUNT);
    return NULL;
}

static void *quick(void *arg) { return arg; }

int main(void) {
    /* Before the first thread: blocked and pending, for the process and for the thread. */
    mask(SIG_BLOCK, SET);
    for (int s = FIRST; s <= LAST; s++) {
        handle(s, handler);
        queue(s, 0);
        CHECK(syscall(SYS_tgkill, getpid(), getpid(), s) == 0);
    }
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    for (int n = 0; n < 4; n++)
        CHECK(clone(raw_thread, stacks[n] + sizeof stacks[n], flags, NULL) > 0);
    while (__atomic_load_n(&raw_done, __ATOMIC_SEQ_CST) != 4)
        sched_yield();
    for (int s = FIRST; s <= LAST; s++)
        CHECK(count[s] == 0);
    mask(SIG_UNBLOCK, SET);
    for (int s = FIRST; s <= LAST; s++)
        CHECK(count[s] == 2 && order[s] == 1);

    /* Between threads of the C library, one that computes and one that reads. It takes 33 for itself at the
     * first, so the handlers are set after that. */
    pthread_t t[2];
    pipe(both);
    CHECK(pthread_create(&t[0], NULL, quick, NULL) == 0 && pthread_join(t[0], NULL) == 0);
    for (int s = FIRST; s <= LAST; s++) {
        handle(s, handler);
        count[s] = order[s] = 0;
    }
    for (long n = 0; n < 2; n++) {
        CHECK(pthread_create(&t[n], NULL, thread, (void *)n) == 0);
        while (!__atomic_load_n(&tids[n], __ATOMIC_SEQ_CST))
            sched_yield();
    }
    for (int i = 0; i < COUNT; i++)
        for (int s = FIRST; s <= LAST; s++)
            for (int n = 0; n < 2; n++)
                CHECK(syscall(SYS_tgkill, getpid(), tids[n], s) == 0);
    /* Queued signals are delivered before the threads go on. */
    stop = 1;
    CHECK(write(both[1], "", 1) == 1);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    for (int s = FIRST; s <= LAST; s++)
        CHECK(count[s] == 2 * COUNT);

    /* To the process, in order, while threads come and go that have the signals blocked. */
    mask(SIG_BLOCK, SET);
    for (int s = FIRST; s <= LAST; s++)
        count[s] = order[s] = 0;
    for (int i = 0; i < COUNT; i++) {
        for (int s = FIRST; s <= LAST; s++)
            queue(s, i);
        __atomic_store_n(&raw_done, 0, __ATOMIC_SEQ_CST);
        CHECK(clone(raw_thread, stacks[i % 4] + sizeof stacks[0], flags, NULL) > 0);
        while (!__atomic_load_n(&raw_done, __ATOMIC_SEQ_CST))
            sched_yield();
        struct timespec pause = {0, 200000};
        nanosleep(&pause, NULL);
    }
    for (int s = FIRST; s <= LAST; s++)
        CHECK(count[s] == 0);
    mask(SIG_UNBLOCK, SET);
    for (int s = FIRST; s <= LAST; s++)
        CHECK(count[s] == COUNT && order[s] == COUNT && wrong == 0);

    /* The default kills. */
    for (int s = FIRST; s <= LAST; s++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct action none = {0};
            syscall(SYS_rt_sigaction, s, &none, NULL, 8);
            syscall(SYS_tgkill, getpid(), getpid(), s);
            _exit(1);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == s);
    }
    DONE();
}
