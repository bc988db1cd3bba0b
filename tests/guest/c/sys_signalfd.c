/* signalfd, timerfd and eventfd in one epoll loop; poll and select with signal masks. */
#define _GNU_SOURCE
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static void handler(int sig)
{
    handled = sig;
}

static void descriptor(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    CHECK(fd >= 0);
    struct signalfd_siginfo info;
    FAILS(read(fd, &info, sizeof info), EAGAIN);
    int ep = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(ep, &event, 1, 0) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(epoll_wait(ep, &event, 1, 1000) == 1 && event.data.fd == fd);
    CHECK(read(fd, &info, sizeof info) == sizeof info);
    CHECK(info.ssi_signo == SIGUSR1 && info.ssi_pid == (uint32_t)getpid() && info.ssi_code == SI_USER);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    CHECK(epoll_wait(ep, &event, 1, 5000) == 1);
    CHECK(read(fd, &info, sizeof info) == sizeof info);
    CHECK(info.ssi_signo == SIGCHLD && info.ssi_pid == (uint32_t)child && info.ssi_status == 3);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    close(fd);
}

/* The signal is blocked but for the wait itself: it ends the wait and the handler runs. */
static void masks(void)
{
    struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART };
    CHECK(sigaction(SIGUSR2, &act, NULL) == 0);
    sigset_t set, open;
    sigemptyset(&open);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    struct timespec second = { 5, 0 };
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    struct pollfd wanted = { pipes[0], POLLIN, 0 };
    fd_set reads;

    CHECK(raise(SIGUSR2) == 0 && handled == 0);
    FAILS(ppoll(&wanted, 1, &second, &open), EINTR);
    CHECK(handled == SIGUSR2);
    handled = 0;
    FD_ZERO(&reads);
    FD_SET(pipes[0], &reads);
    CHECK(raise(SIGUSR2) == 0);
    FAILS(pselect(pipes[0] + 1, &reads, NULL, NULL, &second, &open), EINTR);
    CHECK(handled == SIGUSR2);
    handled = 0;
    struct epoll_event event;
    int ep = epoll_create1(0);
    CHECK(raise(SIGUSR2) == 0);
    FAILS(epoll_pwait(ep, &event, 1, 5000, &open), EINTR);
    CHECK(handled == SIGUSR2);
    handled = 0;
    CHECK(raise(SIGUSR2) == 0);
    FAILS(sigsuspend(&open), EINTR);
    CHECK(handled == SIGUSR2);
    handled = 0;
    struct itimerval soon = { .it_value = { 0, 20000 } };
    CHECK(sigaction(SIGALRM, &act, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0);
    FAILS(poll(&wanted, 1, 5000), EINTR); /* never restarted, whatever SA_RESTART says */
    CHECK(handled == SIGALRM);
    sigset_t now;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR2) == 1);
}

int main(void)
{
    descriptor();
    masks();
    DONE();
}
