/* A signal that arrives while a tracee stands where it entered a call: what would sleep ends at once, and is made again
 * where no handler runs or SA_RESTART says so; what need not sleep gives its result. */
#include "ptrace.h"
#include <sys/prctl.h>

static int restarts;
static int fds[2];
static volatile int handled;

static void on_signal(int signal)
{
    (void)signal;
    handled++;
    /* So that what is made again ends. */
    if (restarts)
        (void)!write(fds[1], "x", 1);
}

static void prepare(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = restarts ? SA_RESTART : 0};
    sigaction(SIGUSR1, &action, NULL);
}

/* 100: a signal came; 10: EINTR; 1: a result. */
static int outcome(long result)
{
    return handled * 100 + (result == -1 && errno == EINTR ? 10 : 0) + (result >= 0 ? 1 : 0);
}

static int pauses(void)
{
    prepare();
    return outcome(syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0));
}

static int sleeps(void)
{
    prepare();
    struct timespec time = {100, 5}, left = {0, 0};
    int result = outcome(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, &left));
    return result + (left.tv_sec >= 99 ? 2 : 0);
}

static int waits_until(void)
{
    prepare();
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += 100;
    return outcome(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL));
}

static int waits_futex(void)
{
    static int word;
    prepare();
    return outcome(syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0));
}

static int reads(void)
{
    char room;
    prepare();
    return outcome(syscall(SYS_read, fds[0], &room, 1));
}

static int reads_ready(void)
{
    (void)!write(fds[1], "y", 1);
    return reads();
}

static int waits_child(void)
{
    prepare();
    pid_t parent = getpid();
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* It may have died before. */
        if (getppid() == parent)
            pause();
        _exit(0);
    }
    return outcome(syscall(SYS_wait4, -1, NULL, 0, NULL));
}

static int waits_ended(void)
{
    prepare();
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    return outcome(syscall(SYS_wait4, -1, NULL, 0, NULL));
}

static int asks(void)
{
    prepare();
    return outcome(syscall(SYS_getppid));
}

static void interrupt(const char *name, int (*body)(void), long number, int with_restart)
{
    restarts = with_restart;
    if (pipe(fds) != 0)
        return;
    pid_t pid = traced(body);
    SYSGOOD(pid);
    int found = until_call(pid, number);
    printf("%s%s: entered %d\n", name, with_restart ? ", SA_RESTART" : "", found);
    kill(pid, SIGUSR1);
    /* Left, and then the signal is there. */
    resume("left", PTRACE_SYSCALL, pid, 0);
    long result = RESULT(get_regs(pid));
    /* A kernel may as well make it after the signal (ERESTARTNOINTR). */
    printf("%s\n", result >= 0 || result == -513 ? "not interrupted" : result == -512 ? "ERESTARTSYS"
                   : result == -514 ? "ERESTARTNOHAND" : result == -516 ? "ERESTART_RESTARTBLOCK" : "another error");
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    interrupt("ppoll", pauses, SYS_ppoll, 0);
    interrupt("clock_nanosleep", sleeps, SYS_clock_nanosleep, 0);
    interrupt("clock_nanosleep until", waits_until, SYS_clock_nanosleep, 0);
    interrupt("futex", waits_futex, SYS_futex, 0);
    interrupt("read", reads, SYS_read, 0);
    interrupt("read", reads, SYS_read, 1);
    interrupt("read what is there", reads_ready, SYS_read, 0);
    interrupt("wait4", waits_child, SYS_wait4, 0);
    interrupt("wait4 for one that ended", waits_ended, SYS_wait4, 0);
    interrupt("getppid", asks, SYS_getppid, 0);
}
