/* Interrupted calls: which are restarted, which end with EINTR; timers; SIGCHLD. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int count;
static siginfo_t last;
static int writes_to = -1;

static void handler(int sig, siginfo_t *info, void *uc) {
    (void)sig, (void)uc;
    last = *info;
    count++;
    if (writes_to >= 0 && count == 2)
        write(writes_to, "x", 1);
}

static void on(int sig, int flags) {
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void every(int ms) {
    struct itimerval it = {{.tv_usec = ms * 1000}, {.tv_usec = ms * 1000}};
    setitimer(ITIMER_REAL, &it, NULL);
}

int main(void) {
    int p[2];
    char c;
    CHECK(pipe(p) == 0);

    /* read: EINTR without SA_RESTART, else on until the handler's byte comes. */
    on(SIGALRM, 0);
    every(20);
    FAILS(read(p[0], &c, 1), EINTR);
    every(0);
    count = 0;
    writes_to = p[1];
    on(SIGALRM, SA_RESTART);
    every(20);
    CHECK(read(p[0], &c, 1) == 1 && count >= 2);
    writes_to = -1;

    /* poll, select and nanosleep are never restarted. */
    struct pollfd fd = {.fd = p[0], .events = POLLIN};
    FAILS(poll(&fd, 1, 5000), EINTR);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    FAILS(select(p[0] + 1, &set, NULL, NULL, &(struct timeval){5, 0}), EINTR);
    struct timespec left = {0};
    FAILS(nanosleep(&(struct timespec){5, 0}, &left), EINTR);
    CHECK(left.tv_sec == 4);
    every(0);

    /* ppoll's mask lets in what is blocked outside, at once if it is pending. */
    sigset_t alarm, none, now;
    sigemptyset(&none);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    count = 0;
    raise(SIGALRM);
    CHECK(count == 0);
    FAILS(ppoll(&fd, 1, NULL, &none), EINTR);
    CHECK(count == 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGALRM) == 1);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);

    /* A write to a full pipe; what it wrote before the signal counts. */
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    char block[4096] = {0};
    while (write(p[1], block, sizeof block) > 0)
        ;
    fcntl(p[1], F_SETFL, 0);
    on(SIGALRM, 0);
    every(20);
    FAILS(write(p[1], block, sizeof block), EINTR);
    every(0);

    /* POSIX timers with their value. */
    on(SIGRTMIN, 0);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 77};
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    count = 0;
    timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = 5000000}, NULL);
    while (count == 0)
        pause();
    CHECK(last.si_code == SI_TIMER && last.si_value.sival_int == 77);
    timer_delete(timer);

    /* A loop without calls is interrupted as well. */
    on(SIGALRM, 0);
    count = 0;
    every(5);
    while (count < 3)
        ;
    every(0);

    /* Dead, stopped and continued children. */
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    on(SIGCHLD, SA_RESTART);
    count = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    while (count == 0)
        usleep(1000);
    CHECK(last.si_code == CLD_EXITED && last.si_status == 7 && last.si_pid == pid);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    kill(pid, SIGTERM);
    siginfo_t info;
    CHECK(waitid(P_PID, pid, &info, WEXITED) == 0 && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
    signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0)
        _exit(0);
    FAILS(waitpid(pid, &status, 0), ECHILD);

    /* A default-ignored signal interrupts nothing. */
    signal(SIGCHLD, SIG_DFL);
    pid = fork();
    if (pid == 0) {
        usleep(20000);
        kill(getppid(), SIGWINCH);
        usleep(20000);
        _exit(0);
    }
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK(nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 >= 99);
    CHECK(waitpid(pid, &status, 0) == pid);
    DONE();
}
