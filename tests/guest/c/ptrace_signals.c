/* Signals of a tracee: shown before delivery, whatever is done with them; suppressed, replaced, injected; stops of the
 * whole process; masks. */
#include "ptrace.h"

static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught += signal;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

static int raises(void)
{
    handle(SIGUSR1, 0);
    handle(SIGUSR2, 0);
    kill(getpid(), SIGUSR1);
    return caught;
}

static int ignores(void)
{
    signal(SIGUSR1, SIG_IGN);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGWINCH);
    return 6;
}

static int dies(void)
{
    kill(getpid(), SIGTERM);
    return 7;
}

static int faults(void)
{
    *(volatile int *)8 = 1;
    return 8;
}

static int stops(void)
{
    raise(SIGTSTP);
    return 9;
}

static int blocks(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    handle(SIGUSR1, 0);
    kill(getpid(), SIGUSR1);
    raise(SIGSTOP);
    return caught;
}

static int sleeps(void)
{
    handle(SIGUSR1, 0);
    struct timespec time = {30, 0}, left = {0, 0};
    int result = nanosleep(&time, &left);
    return result == 0 ? 20 : errno == EINTR ? 21 : 22;
}

static int naps(void)
{
    struct timespec time = {0, 300000000};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int result = nanosleep(&time, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    return result != 0 ? 30 : ms < 299 ? 31 : 32;
}

static int fd[2];

static int reads(void)
{
    handle(SIGUSR1, 0);
    handle(SIGUSR2, SA_RESTART);
    char byte;
    ssize_t count = read(fd[0], &byte, 1);
    return count == 1 ? 40 + caught : errno == EINTR ? 100 + caught : 1;
}

static void info_of(pid_t pid)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    const char *result = answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info));
    if (info.si_signo)
        printf("siginfo %s: %s, code %d\n", result, sigabbrev_np(info.si_signo), info.si_code);
    else
        printf("siginfo %s\n", result);
}

static void delivered(void)
{
    puts("# delivered");
    pid_t pid = traced(raises);
    resume("signal", PTRACE_CONT, pid, 0);
    info_of(pid);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    puts("# suppressed");
    pid = traced(raises);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, 0);
    puts("# replaced");
    pid = traced(raises);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGUSR2);
    puts("# replaced by a deadly one");
    pid = traced(raises);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGKILL);
    puts("# ignored ones are shown");
    pid = traced(ignores);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("signal", PTRACE_CONT, pid, SIGUSR1);
    resume("end", PTRACE_CONT, pid, SIGWINCH);
    puts("# deadly ones");
    pid = traced(dies);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGTERM);
    pid = traced(dies);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, 0);
    puts("# faults");
    pid = traced(faults);
    resume("signal", PTRACE_CONT, pid, 0);
    info_of(pid);
    resume("again", PTRACE_CONT, pid, 0);
    kill_it(pid);
}

static void informed(void)
{
    puts("# another siginfo");
    pid_t pid = traced(dies);
    resume("signal", PTRACE_CONT, pid, 0);
    siginfo_t info;
    pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
    printf("from %s\n", info.si_pid == pid ? "itself" : "another");
    info.si_code = SI_QUEUE;
    info.si_pid = 77;
    printf("%s\n", answer(pt(PTRACE_SETSIGINFO, pid, 0, (long)&info)));
    memset(&info, 0, sizeof info);
    pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
    printf("from %d, code %d\n", info.si_pid, info.si_code);
    kill_it(pid);
}

static void grouped(void)
{
    puts("# a stop of the process");
    pid_t pid = traced(stops);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("stopped", PTRACE_CONT, pid, SIGTSTP);
    info_of(pid);
    resume("end", PTRACE_CONT, pid, 0);
    puts("# which is suppressed");
    pid = traced(stops);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, 0);
}

static void masked(void)
{
    puts("# a blocked signal");
    pid_t pid = traced(blocks);
    resume("stop", PTRACE_CONT, pid, 0);
    uint64_t mask = 0;
    printf("%s", answer(pt(PTRACE_GETSIGMASK, pid, 8, (long)&mask)));
    printf(" %s\n", mask >> (SIGUSR1 - 1) & 1 ? "blocked" : "open");
    struct { uint64_t off; uint32_t flags; int32_t nr; } peek = {0, 1, 4};
    siginfo_t infos[4];
    long count = pt(PTRACE_PEEKSIGINFO, pid, (long)&peek, (long)infos);
    printf("%ld wait", count);
    printf(count > 0 ? ": %s\n" : "\n", count > 0 ? sigabbrev_np(infos[0].si_signo) : "");
    mask = 0;
    printf("%s\n", answer(pt(PTRACE_SETSIGMASK, pid, 8, (long)&mask)));
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    puts("# sizes");
    pid = traced(blocks);
    printf("%s\n", answer(pt(PTRACE_GETSIGMASK, pid, 4, (long)&mask)));
    peek.nr = -1;
    printf("%s\n", answer(pt(PTRACE_PEEKSIGINFO, pid, (long)&peek, (long)infos)));
    kill_it(pid);
}

static void interrupted(void)
{
    puts("# a sleep is interrupted by a handler");
    pid_t pid = traced(sleeps);
    pt(PTRACE_CONT, pid, 0, 0);
    until(pid, "S");
    kill(pid, SIGUSR1);
    next("signal", pid);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    puts("# a sleep goes on behind a signal that is suppressed");
    pid = traced(naps);
    pt(PTRACE_CONT, pid, 0, 0);
    until(pid, "S");
    usleep(100000);
    kill(pid, SIGUSR2);
    next("signal", pid);
    resume("end", PTRACE_CONT, pid, 0);
    static const struct { const char *what; int sent, given; } cases[] = {
        {"EINTR", SIGUSR1, SIGUSR1}, {"SA_RESTART", SIGUSR2, SIGUSR2}, {"suppressed", SIGUSR1, 0}};
    for (int i = 0; i < 3; i++) {
        printf("# a read: %s\n", cases[i].what);
        if (pipe(fd))
            return;
        pid = traced(reads);
        pt(PTRACE_CONT, pid, 0, 0);
        until(pid, "S");
        kill(pid, cases[i].sent);
        next("signal", pid);
        pt(PTRACE_CONT, pid, 0, cases[i].given);
        if (i > 0) {
            usleep(20000);
            if (write(fd[1], "x", 1) != 1)
                return;
        }
        next("end", pid);
        close(fd[0]);
        close(fd[1]);
    }
}

static void many(void)
{
    puts("# 200 signals, each once");
    int shown = 0, status;
    pid_t pid = traced(raises);
    pt(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    for (int i = 0; i < 200; i++) {
        union sigval value = {.sival_int = i};
        sigqueue(pid, SIGRTMIN, value);
    }
    for (;;) {
        pt(PTRACE_CONT, pid, 0, 0);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        siginfo_t info;
        pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
        if (WSTOPSIG(status) == SIGRTMIN && info.si_value.sival_int == shown)
            shown++;
    }
    printf("%d in order\n", shown);
    show_status("end", status);
}

int main(void)
{
    delivered();
    informed();
    grouped();
    masked();
    interrupted();
    many();
}
