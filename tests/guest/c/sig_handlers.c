/* Handlers, masks, queues: what a program sees of asynchronous signals. */
#define _GNU_SOURCE
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static char trace[256];
static void note(char c) {
    size_t n = strlen(trace);
    trace[n] = c;
    trace[n + 1] = 0;
}
static void expect(int line, const char *text) {
    if (strcmp(trace, text)) {
        printf("%s:%d: trace is \"%s\", expected \"%s\"\n", __FILE__, line, trace, text);
        failures++;
    }
    trace[0] = 0;
}
#define TRACE(text) expect(__LINE__, text)

static void on(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void nested(int sig, siginfo_t *info, void *uc) {
    (void)info, (void)uc;
    static int first = 1;
    note(sig == SIGUSR1 ? '1' : '2');
    if (sig == SIGUSR1 && first) {
        first = 0;
        raise(SIGUSR1); /* blocked until we return */
        raise(SIGUSR2); /* runs now */
        note('r');
    }
}

static int depth;
static void nodefer(int sig, siginfo_t *info, void *uc) {
    (void)info, (void)uc;
    note('(');
    if (++depth < 3)
        raise(sig);
    note(')');
}

static sigjmp_buf env;
static void jump(int sig, siginfo_t *info, void *uc) {
    (void)info, (void)uc;
    siglongjmp(env, sig);
}

static siginfo_t seen[16];
static int count;
static void record(int sig, siginfo_t *info, void *uc) {
    (void)sig, (void)uc;
    seen[count++ % 16] = *info;
}

static void saw_mask(int sig, siginfo_t *info, void *uc) {
    (void)info;
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    sigset_t *saved = &((ucontext_t *)uc)->uc_sigmask;
    CHECK(sigismember(&now, sig) == 1 && sigismember(&now, SIGUSR2) == 1);
    CHECK(sigismember(saved, sig) == 0 && sigismember(saved, SIGHUP) == 1);
    /* What a handler changes here holds after it returned. */
    sigaddset(saved, SIGWINCH);
}

int main(void) {
    on(SIGUSR1, nested, 0);
    on(SIGUSR2, nested, 0);
    raise(SIGUSR1);
    /* The second SIGUSR1 comes once the first has returned. */
    TRACE("12r1");

    on(SIGUSR1, nodefer, SA_NODEFER);
    raise(SIGUSR1);
    TRACE("((()))");

    on(SIGUSR1, record, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction sa;
    sigaction(SIGUSR1, NULL, &sa);
    CHECK(count == 1 && sa.sa_handler == SIG_DFL);

    on(SIGUSR1, jump, 0);
    for (int i = 0; i < 3; i++)
        if (sigsetjmp(env, 1) == 0) {
            raise(SIGUSR1);
            CHECK(!"unreachable");
        }
    sigset_t set, old, pending;
    sigprocmask(SIG_BLOCK, NULL, &old);
    CHECK(sigismember(&old, SIGUSR1) == 0);

    /* Real-time signals queue in order, with their values; the lowest number first. */
    count = 0;
    sigemptyset(&set);
    for (int sig = SIGRTMIN; sig < SIGRTMIN + 3; sig++) {
        struct sigaction rt = {.sa_sigaction = record, .sa_flags = SA_SIGINFO};
        sigfillset(&rt.sa_mask);
        sigaction(sig, &rt, NULL);
        sigaddset(&set, sig);
    }
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 3; i++)
        for (int sig = SIGRTMIN + 2; sig >= SIGRTMIN; sig--)
            CHECK(sigqueue(getpid(), sig, (union sigval){.sival_int = 10 * i + sig - SIGRTMIN}) == 0);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGRTMIN + 1) == 1 && sigismember(&pending, SIGUSR1) == 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    CHECK(count == 9);
    for (int i = 0; i < count; i++) {
        CHECK(seen[i].si_code == SI_QUEUE && seen[i].si_pid == getpid());
        CHECK(seen[i].si_value.sival_int == 10 * (i % 3) + i / 3);
    }

    /* Standard signals do not queue. */
    count = 0;
    on(SIGUSR1, record, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    CHECK(count == 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(count == 1 && seen[0].si_code == SI_USER && seen[0].si_uid == getuid());

    /* Masks in and after a handler. */
    struct sigaction with_mask = {.sa_sigaction = saw_mask, .sa_flags = SA_SIGINFO};
    sigaddset(&with_mask.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &with_mask, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    raise(SIGUSR1);
    sigprocmask(SIG_SETMASK, NULL, &set);
    CHECK(sigismember(&set, SIGWINCH) == 1 && sigismember(&set, SIGUSR1) == 0);

    /* sigtimedwait and signalfd take blocked signals. */
    count = 0;
    on(SIGUSR1, record, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_SETMASK, &set, NULL);
    siginfo_t info;
    struct timespec soon = {.tv_nsec = 10000000};
    FAILS(sigtimedwait(&set, &info, &soon), EAGAIN);
    raise(SIGUSR1);
    CHECK(sigtimedwait(&set, &info, &soon) == SIGUSR1 && info.si_pid == getpid());
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    raise(SIGUSR1);
    struct signalfd_siginfo sfd;
    CHECK(read(fd, &sfd, sizeof sfd) == sizeof sfd && sfd.ssi_signo == SIGUSR1);
    CHECK(count == 0);
    close(fd);

    /* sigsuspend: a child sends when we may be anywhere before or in it. */
    sigset_t none;
    sigemptyset(&none);
    for (int i = 0; i < 20; i++) {
        int before = count;
        pid_t pid = fork();
        if (pid == 0) {
            kill(getppid(), SIGUSR1);
            _exit(0);
        }
        while (count == before)
            FAILS(sigsuspend(&none), EINTR);
        waitpid(pid, NULL, 0);
    }
    CHECK(count == 20);

    /* SIGSEGV sent by a process is an ordinary signal: it can be blocked. */
    count = 0;
    on(SIGSEGV, record, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_SETMASK, &set, NULL);
    kill(getpid(), SIGSEGV);
    sigpending(&pending);
    CHECK(count == 0 && sigismember(&pending, SIGSEGV) == 1);
    sigprocmask(SIG_SETMASK, &none, NULL);
    CHECK(count == 1 && seen[0].si_code == SI_USER);

    /* Signals 32 and 33 are only libc's business; the kernel lets a program have them. */
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } raw = {.handler = (void *)SIG_IGN};
    CHECK(syscall(SYS_rt_sigaction, 33, &raw, NULL, 8) == 0);
    FAILS(syscall(SYS_rt_sigaction, SIGKILL, &raw, NULL, 8), EINVAL);
    FAILS(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
    FAILS(syscall(SYS_rt_sigprocmask, 7, &raw, NULL, 8), EINVAL);
    FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &raw, NULL, 4), EINVAL);
    DONE();
}
