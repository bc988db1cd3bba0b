/* A signal that is held by the mask and admitted by a call's own: each call that brings a mask, each kind of signal, with
 * and without something else that would end the call. */
#define _GNU_SOURCE
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int handled, code;
static sigset_t none, only;
static int ends[2], epoll;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    handled++;
    code = info->si_code;
}

static const struct timespec second = {1, 0}, zero = {0, 0};

static int by_ppoll(const sigset_t *mask, const struct timespec *timeout)
{
    struct pollfd entry = {ends[0], POLLIN, 0};
    return ppoll(&entry, 1, timeout, mask);
}

static int by_pselect(const sigset_t *mask, const struct timespec *timeout)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    return pselect(ends[0] + 1, &set, NULL, NULL, timeout, mask);
}

static int by_epoll_pwait(const sigset_t *mask, const struct timespec *timeout)
{
    struct epoll_event event;
    return epoll_pwait(epoll, &event, 1, timeout->tv_sec * 1000, mask);
}

static int by_epoll_pwait2(const sigset_t *mask, const struct timespec *timeout)
{
    struct epoll_event event;
    return syscall(441, epoll, &event, 1, timeout, mask, 8);
}

static int by_sigsuspend(const sigset_t *mask, const struct timespec *timeout)
{
    (void)timeout;
    alarm(2);
    int result = sigsuspend(mask);
    alarm(0);
    return result;
}

static int (*const calls[])(const sigset_t *, const struct timespec *) = {by_ppoll, by_pselect, by_epoll_pwait,
                                                                          by_epoll_pwait2, by_sigsuspend};
static const char *const names[] = {"ppoll", "pselect", "epoll_pwait", "epoll_pwait2", "sigsuspend"};
static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1, SIGSYS, 35};

static void send(int signal, int by)
{
    union sigval value = {.sival_int = 5};
    if (by == 0)
        raise(signal);
    else if (by == 1)
        kill(getpid(), signal);
    else
        sigqueue(getpid(), signal, value);
}

static int is_pending(int signal)
{
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, signal);
}

static void one(unsigned call, int signal, int by)
{
    static const int codes[] = {SI_TKILL, SI_USER, SI_QUEUE};
    int before = failures;
    /* Admitted: EINTR, whatever the timeout. */
    handled = 0;
    send(signal, by);
    CHECK(handled == 0 && is_pending(signal));
    FAILS(calls[call](&none, &second), EINTR);
    CHECK(handled == 1 && code == codes[by] && !is_pending(signal));
    handled = 1;
    if (calls[call] != by_epoll_pwait && calls[call] != by_epoll_pwait2) { /* which do not look without waiting */
        send(signal, by);
        FAILS(calls[call](&none, &zero), EINTR);
        CHECK(handled == 2);
    }
    handled = 2;
    /* What is ready comes first, and the signal stays. */
    if (calls[call] != by_sigsuspend) {
        send(signal, by);
        CHECK(write(ends[1], "x", 1) == 1);
        CHECK(calls[call](&none, &second) == 1);
        CHECK(handled == 2 && is_pending(signal));
        char byte;
        CHECK(read(ends[0], &byte, 1) == 1);
        /* Not admitted: it ends nothing. */
        CHECK(calls[call](&only, &zero) == 0);
        CHECK(handled == 2 && is_pending(signal));
        FAILS(calls[call](&none, &second), EINTR);
        CHECK(handled == 3);
    }
    if (failures != before)
        printf("  in %s of signal %d sent in way %d\n", names[call], signal, by);
}

int main(void)
{
    CHECK(pipe(ends) == 0);
    epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
    sigemptyset(&none);
    for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++) {
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
        sigaction(signals[n], &action, NULL);
        sigemptyset(&only);
        sigaddset(&only, signals[n]);
        sigprocmask(SIG_BLOCK, &only, NULL);
        for (unsigned call = 0; call < sizeof calls / sizeof *calls; call++)
            for (int by = 0; by < 3; by++)
                one(call, signals[n], by);
        siginfo_t info;
        handled = 0;
        raise(signals[n]);
        CHECK(sigtimedwait(&only, &info, &second) == signals[n] && handled == 0);
        FAILS(sigtimedwait(&only, &info, &zero), EAGAIN);
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
    DONE();
}
