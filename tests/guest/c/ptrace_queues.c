/* Signals that wait (PTRACE_PEEKSIGINFO), the siginfo of each way to send one, and what a tracer makes of it
 * (PTRACE_SETSIGINFO, PTRACE_SETSIGMASK). */
#include "ptrace.h"
#include <sys/time.h>

#define PEEKSIGINFO 0x4209
#define SETSIGMASK 0x420b

struct peek { uint64_t off; uint32_t flags; int32_t nr; };

static volatile sig_atomic_t count, last_code, last_value, last_signal;

static void note(int signal, siginfo_t *info, void *context)
{
    count++;
    last_signal = signal;
    last_code = info->si_code;
    last_value = info->si_value.sival_int;
}

static void catch(int signal)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
}

/* Blocks, stops, and lets the signals in. */
static int holds(void)
{
    for (int n = 0; n < 4; n++)
        catch(SIGRTMIN + n);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    raise(SIGSTOP);
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return count;
}

static void to_process(pid_t pid, int signal, int value)
{
    union sigval with = {.sival_int = value};
    sigqueue(pid, signal, with);
}

static void to_thread(pid_t pid, int signal, int value)
{
    siginfo_t info = {.si_signo = signal, .si_code = SI_QUEUE};
    info.si_value.sival_int = value;
    syscall(SYS_rt_tgsigqueueinfo, pid, pid, signal, &info);
}

static void peek(const char *what, pid_t pid, uint64_t off, uint32_t flags, int nr)
{
    siginfo_t infos[40] = {0};
    struct peek args = {off, flags, nr};
    long found = pt(PEEKSIGINFO, pid, (long)&args, (long)infos);
    printf("%s: %s", what, answer(found));
    for (long n = 0; n < found; n++)
        printf(" %d/%d", infos[n].si_signo - SIGRTMIN, infos[n].si_value.sival_int);
    puts("");
}

static void queues(void)
{
    puts("# nothing waits");
    pid_t pid = traced(holds);
    resume("stop", PTRACE_CONT, pid, 0);
    peek("thread's", pid, 0, 0, 10);
    peek("shared", pid, 0, 1, 10);
    puts("# for the process");
    for (int n = 0; n < 5; n++)
        to_process(pid, SIGRTMIN + (n & 1), n);
    peek("thread's", pid, 0, 0, 10);
    peek("shared", pid, 0, 1, 10);
    puts("# for the thread");
    for (int n = 0; n < 3; n++)
        to_thread(pid, SIGRTMIN + 2, 10 + n);
    peek("thread's", pid, 0, 0, 10);
    peek("shared", pid, 0, 1, 10);
    puts("# some of them");
    peek("from the second", pid, 1, 1, 2);
    peek("the last", pid, 4, 1, 10);
    peek("behind the last", pid, 5, 1, 10);
    peek("far behind", pid, 1ull << 40, 1, 10);
    peek("none", pid, 0, 1, 0);
    puts("# bad arguments");
    peek("number", pid, 0, 1, -1);
    peek("flags", pid, 0, 2, 1);
    struct peek args = {0, 1, 10};
    printf("%s\n", answer(pt(PEEKSIGINFO, pid, 8, (long)&args)));
    printf("%s\n", answer(pt(PEEKSIGINFO, pid, (long)&args, 8)));
    puts("# they are still there");
    int status = 0, signal = 0;
    for (;;) {
        pt(PTRACE_CONT, pid, 0, signal);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        siginfo_t info;
        pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
        signal = WSTOPSIG(status);
        printf("%d/%d ", signal - SIGRTMIN, info.si_value.sival_int);
    }
    show_status("end", status);
}

static int sent(void)
{
    static const int all[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGSEGV};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        catch(all[n]);
    kill(getpid(), SIGUSR1);
    syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
    syscall(SYS_tkill, gettid(), SIGUSR1);
    to_process(getpid(), SIGUSR2, 77);
    to_thread(getpid(), SIGUSR2, 78);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    timer_settime(timer, 0, &soon, NULL);
    while (last_code != SI_TIMER)
        usleep(500);
    struct itimerval alarm = {.it_value.tv_usec = 1000};
    setitimer(ITIMER_REAL, &alarm, NULL);
    while (last_signal != SIGALRM)
        usleep(500);
    pid_t pid = fork();
    if (pid == 0)
        _exit(12);
    waitpid(pid, NULL, 0);
    while (last_signal != SIGCHLD)
        usleep(500);
    abort();
}

static void shown(void)
{
    puts("# ways to send");
    pid_t pid = traced(sent);
    int signal = 0, status;
    for (int n = 0; n < 12; n++) {
        pt(PTRACE_CONT, pid, 0, signal);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        signal = WSTOPSIG(status);
        siginfo_t info;
        pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
        printf("%s: code %d, errno %d", sigabbrev_np(signal), info.si_code, info.si_errno);
        if (info.si_code == SI_QUEUE || info.si_code == SI_TIMER)
            printf(", value %d", info.si_value.sival_int);
        if (signal == SIGCHLD)
            printf(", status %d, %s", info.si_status, info.si_uid == getuid() ? "our user" : "another user");
        if (info.si_code == SI_USER || info.si_code == SI_TKILL)
            printf(", %s", info.si_pid == pid ? "itself" : "another");
        puts("");
    }
    show_status("end", status);
}

static int reports(void)
{
    catch(SIGUSR1);
    catch(SIGUSR2);
    catch(SIGSEGV);
    raise(SIGUSR1);
    printf("handled %d: signal %s, code %d, value %d\n", count, count ? sigabbrev_np(last_signal) : "none", last_code, last_value);
    fflush(stdout);
    return 0;
}

/* The signal is shown; the tracer writes this siginfo, and gives this signal. */
static void replaced(const char *what, int signo, int code, int given)
{
    printf("# %s\n", what);
    pid_t pid = traced(reports);
    resume("signal", PTRACE_CONT, pid, 0);
    siginfo_t info = {.si_signo = signo, .si_code = code};
    info.si_value.sival_int = 4711;
    printf("%s\n", answer(pt(PTRACE_SETSIGINFO, pid, 0, (long)&info)));
    siginfo_t again;
    pt(PTRACE_GETSIGINFO, pid, 0, (long)&again);
    printf("%s\n", memcmp(&info, &again, sizeof info) ? "not kept" : "kept");
    fflush(stdout);
    resume("end", PTRACE_CONT, pid, given);
}

static int masked(void)
{
    catch(SIGUSR1);
    raise(SIGSTOP);
    raise(SIGUSR1);
    int before = count;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return before * 10 + count;
}

static void set_mask(void)
{
    puts("# a mask that the tracer sets");
    pid_t pid = traced(masked);
    resume("stop", PTRACE_CONT, pid, 0);
    uint64_t mask = 1ull << (SIGUSR1 - 1) | 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1);
    printf("%s\n", answer(pt(SETSIGMASK, pid, 8, (long)&mask)));
    mask = 0;
    printf("%s", answer(pt(0x420a, pid, 8, (long)&mask)));
    printf(" %lx\n", mask);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
}

static int stops(void)
{
    catch(SIGUSR1);
    getppid();
    return count;
}

static void injected(void)
{
    puts("# given at a stop of a call");
    pid_t pid = traced(stops);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    resume("given", PTRACE_CONT, pid, SIGUSR1);
    siginfo_t info;
    pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
    printf("code %d\n", info.si_code);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    puts("# given at the first stop");
    pid = traced(stops);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    puts("# one that kills");
    pid = traced(stops);
    resume("end", PTRACE_CONT, pid, SIGKILL);
    puts("# one that stops");
    pid = traced(stops);
    resume("stop", PTRACE_CONT, pid, SIGTSTP);
    printf("%s\n", answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info)));
    resume("end", PTRACE_CONT, pid, 0);
}

int main(void)
{
    queues();
    shown();
    replaced("another siginfo", SIGUSR1, SI_QUEUE, SIGUSR1);
    replaced("another siginfo of another signal", SIGUSR2, SI_QUEUE, SIGUSR2);
    replaced("siginfo and signal differ", SIGUSR2, SI_QUEUE, SIGSEGV);
    replaced("the old siginfo for another signal", SIGUSR1, SI_QUEUE, SIGUSR2);
    set_mask();
    injected();
}
