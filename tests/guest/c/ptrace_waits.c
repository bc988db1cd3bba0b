/* Who sees a tracee's stops and end: its tracer's waits of every kind, its parent, other threads of the tracer; SIGCHLD. */
#include "ptrace.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static int quits(void)
{
    return 4;
}

static int waits(void)
{
    for (;;)
        pause();
}

static int twice(void)
{
    raise(SIGUSR1);
    raise(SIGUSR2);
    return 5;
}

static void show_found(const char *what, pid_t found, pid_t pid, int status)
{
    if (found == 0)
        printf("%s: nothing\n", what);
    else if (found < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else if (found != pid)
        printf("%s: another\n", what);
    else
        show_status(what, status);
}

/* The call is made before its status is looked at. */
#define show_wait(what, call, pid, status) \
    do { \
        pid_t found_ = (call); \
        show_found(what, found_, pid, status); \
    } while (0)

static void show_id(const char *what, int answered, siginfo_t *info, pid_t pid)
{
    if (answered)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else if (info->si_pid == 0)
        printf("%s: nothing\n", what);
    else
        printf("%s: %s, signal %d, code %d, status %#x, user %s\n", what, info->si_pid == pid ? "it" : "another",
               info->si_signo, info->si_code, info->si_status, info->si_uid == getuid() ? "ours" : "another");
}

static void by_wait4(void)
{
    puts("# wait4 by process, group and any");
    pid_t pid = traced(twice);
    int status = 0;
    pt(PTRACE_CONT, pid, 0, 0);
    until(pid, "tT");
    struct rusage usage = {.ru_maxrss = -1};
    show_wait("of another group", wait4(-getpid() - 1000000, &status, WNOHANG, NULL), pid, status);
    pid_t found = wait4(-getpgrp(), &status, __WALL, &usage);
    show_wait("of its group", found, pid, status);
    printf("usage %s\n", usage.ru_maxrss > 0 ? "given" : "not given");
    show_wait("again", waitpid(-1, &status, WNOHANG), pid, status);
    pt(PTRACE_CONT, pid, 0, 0);
    show_wait("of any", wait(&status), pid, status);
    pt(PTRACE_CONT, pid, 0, 0);
    show_wait("end", waitpid(0, &status, 0), pid, status);
    show_wait("behind it", waitpid(-1, &status, 0), pid, status);
    show_wait("bad options", waitpid(-1, &status, 0x100), pid, status);
}

static void by_waitid(void)
{
    puts("# waitid");
    pid_t pid = traced(twice);
    siginfo_t info = {0};
    pt(PTRACE_CONT, pid, 0, 0);
    until(pid, "tT");
    show_id("ends only", waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT), &info, pid);
    memset(&info, 0, sizeof info);
    show_id("continued only", waitid(P_PID, pid, &info, WCONTINUED | WNOHANG | WNOWAIT), &info, pid);
    show_id("not taken", waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), &info, pid);
    show_id("taken", waitid(P_PID, pid, &info, WSTOPPED), &info, pid);
    memset(&info, 0, sizeof info);
    show_id("taken again", waitid(P_PID, pid, &info, WSTOPPED | WNOHANG), &info, pid);
    pt(PTRACE_CONT, pid, 0, SIGSTOP);
    memset(&info, 0, sizeof info);
    show_id("next", waitid(P_ALL, 0, &info, WSTOPPED | WEXITED), &info, pid);
    pt(PTRACE_CONT, pid, 0, 0);
    show_id("next", waitid(P_PGID, 0, &info, WSTOPPED | WEXITED), &info, pid);
    pt(PTRACE_CONT, pid, 0, 0);
    show_id("end, not taken", waitid(P_PID, pid, &info, WEXITED | WNOWAIT), &info, pid);
    show_id("end", waitid(P_PID, pid, &info, WEXITED), &info, pid);
    show_id("behind it", waitid(P_PID, pid, &info, WEXITED), &info, pid);
    show_id("no options", waitid(P_ALL, 0, &info, 0), &info, pid);
#ifdef SYS_pidfd_open
    puts("# by a descriptor of the process");
    pid = traced(quits);
    int fd = syscall(SYS_pidfd_open, pid, 0);
    pt(PTRACE_CONT, pid, 0, SIGTSTP);
    show_id("stop", waitid((idtype_t)3, fd, &info, WSTOPPED | WEXITED), &info, pid);
    pt(PTRACE_CONT, pid, 0, 0);
    show_id("end", waitid((idtype_t)3, fd, &info, WSTOPPED | WEXITED), &info, pid);
    close(fd);
#endif
}

static volatile sig_atomic_t children, child_code, child_status;

static void note_child(int signal, siginfo_t *info, void *context)
{
    children++;
    child_code = info->si_code;
    child_status = info->si_status;
}

static void by_signal(void)
{
    puts("# SIGCHLD for stops");
    struct sigaction action = {.sa_sigaction = note_child, .sa_flags = SA_SIGINFO | SA_RESTART}, before;
    sigaction(SIGCHLD, &action, &before);
    pid_t pid = child(waits);
    pt(PTRACE_SEIZE, pid, 0, 0);
    usleep(20000);
    children = 0;
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("interrupted", pid);
    puts(children ? "noted" : "not noted");
    children = 0;
    /* No signal is given at such a stop. */
    pt(PTRACE_CONT, pid, 0, SIGKILL);
    usleep(20000);
    printf("%d noted, state %c\n", children, state_of(pid));
    kill(pid, SIGKILL);
    next("killed", pid);
    printf("%s, code %d, status %d\n", children ? "noted" : "not noted", child_code, child_status);
    puts("# SA_NOCLDSTOP");
    action.sa_flags |= SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, NULL);
    pid = traced(twice);
    children = 0;
    resume("signal", PTRACE_CONT, pid, 0);
    printf("%d noted\n", children);
    kill_it(pid);
    sigaction(SIGCHLD, &before, NULL);
    puts("# SIGCHLD is ignored");
    signal(SIGCHLD, SIG_IGN);
    pid = child(waits);
    pt(PTRACE_SEIZE, pid, 0, 0);
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("interrupted", pid);
    kill(pid, SIGKILL);
    int status = 0;
    show_wait("end", waitpid(pid, &status, 0), pid, status);
    signal(SIGCHLD, SIG_DFL);
}

static int ends[2], answers[2];

/* A parent whose child another process traces: what it sees of it. */
static int parent(void)
{
    pid_t pid = fork();
    if (pid == 0)
        waits();
    write(ends[1], &pid, sizeof pid);
    char byte;
    read(answers[0], &byte, 1);
    int status = 0;
    show_wait("parent, while it is traced and stopped", waitpid(pid, &status, WNOHANG | WUNTRACED), pid, status);
    fflush(stdout);
    write(ends[1], "x", 1);
    /* At the same time as the tracer, which prints. */
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 6 : 7;
}

static void of_another(void)
{
    puts("# a child of another process");
    pipe(ends);
    pipe(answers);
    pid_t between = child(parent), pid;
    read(ends[0], &pid, sizeof pid);
    printf("%s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    int status = 0;
    show_wait("tracer", waitpid(pid, &status, 0), pid, status);
    fflush(stdout);
    char byte;
    write(answers[1], "x", 1);
    read(ends[0], &byte, 1);
    kill(pid, SIGTERM);
    pt(PTRACE_CONT, pid, 0, 0);
    show_wait("tracer", waitpid(pid, &status, 0), pid, status);
    pt(PTRACE_CONT, pid, 0, SIGTERM);
    show_wait("tracer, of its end", waitpid(pid, &status, 0), pid, status);
    show_wait("tracer, again", waitpid(pid, &status, 0), pid, status);
    fflush(stdout);
    show_wait("between", waitpid(between, &status, 0), between, status);
    puts("# its parent ends first");
    between = child(parent);
    read(ends[0], &pid, sizeof pid);
    pt(PTRACE_ATTACH, pid, 0, 0);
    waitpid(pid, &status, 0);
    kill_it(between);
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 0)));
    kill(pid, SIGKILL);
    show_wait("tracer", waitpid(pid, &status, 0), pid, status);
    for (int n = 0; n < 2; n++) {
        close(ends[n]);
        close(answers[n]);
    }
}

static pid_t watched;
static volatile int step;

static void *other_thread(void *arg)
{
    int status = 0;
    show_wait("other thread, own children only", waitpid(watched, &status, __WNOTHREAD | WNOHANG | __WALL), watched, status);
    printf("other thread's request: %s\n", answer(pt(PTRACE_CONT, watched, 0, 0)));
    long word;
    printf("other thread's look: %s\n", answer(pt(PTRACE_PEEKDATA, watched, (long)&watched, (long)&word)));
    printf("other thread attaches: %s\n", answer(pt(PTRACE_ATTACH, watched, 0, 0)));
    return NULL;
}

static void *tracer_thread(void *arg)
{
    printf("seized: %s\n", answer(pt(PTRACE_SEIZE, watched, 0, 0)));
    pt(PTRACE_INTERRUPT, watched, 0, 0);
    int status = 0;
    show_wait("tracer thread", waitpid(watched, &status, __WALL), watched, status);
    step = 1;
    while (step != 2)
        usleep(1000);
    return NULL;
}

static void by_threads(void)
{
    puts("# another thread of the tracer");
    pthread_t thread;
    watched = traced(twice);
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_join(thread, NULL);
    resume("tracer", PTRACE_CONT, watched, 0);
    kill_it(watched);
    puts("# a thread is the tracer, and ends");
    watched = child(waits);
    until(watched, "S");
    pthread_create(&thread, NULL, tracer_thread, NULL);
    while (step != 1)
        usleep(1000);
    printf("main thread: %s\n", answer(pt(PTRACE_CONT, watched, 0, 0)));
    step = 2;
    pthread_join(thread, NULL);
    until(watched, "S");
    puts("it runs on");
    printf("main thread: %s\n", answer(pt(PTRACE_SEIZE, watched, 0, 0)));
    kill_it(watched);
}

static volatile pid_t second_tid;

static void *second(void *arg)
{
    second_tid = gettid();
    waits();
    return NULL;
}

static int threaded(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, second, NULL);
    while (!second_tid)
        usleep(500);
    raise(SIGSTOP);
    return 7;
}

static void of_threads(void)
{
    puts("# a thread, with and without __WALL");
    pid_t pid = traced(threaded);
    int status = 0;
    resume("ready", PTRACE_CONT, pid, 0);
    pid_t tid = 0;
    struct iovec to = {&tid, sizeof tid}, from = {(void *)&second_tid, sizeof tid};
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    pt(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACEEXIT);
    pt(PTRACE_INTERRUPT, tid, 0, 0);
    usleep(20000);
    show_wait("waitpid", waitpid(tid, &status, WNOHANG), tid, status);
    pt(PTRACE_CONT, tid, 0, 0);
    pt(PTRACE_INTERRUPT, tid, 0, 0);
    show_wait("__WALL", waitpid(tid, &status, __WALL), tid, status);
    pt(PTRACE_CONT, tid, 0, 0);
    puts("# the process ends while a thread is traced");
    pt(PTRACE_CONT, pid, 0, 0);
    show_wait("thread", waitpid(tid, &status, __WALL), tid, status);
    unsigned long message = 0;
    pt(PTRACE_GETEVENTMSG, tid, 0, (long)&message);
    printf("message %lx\n", message);
    show_wait("process", waitpid(pid, &status, __WALL | WNOHANG), pid, status);
    pt(PTRACE_CONT, tid, 0, 0);
    show_wait("thread", waitpid(tid, &status, __WALL), tid, status);
    show_wait("process", waitpid(pid, &status, __WALL), pid, status);
}

static void dies(const char *what, int (*body)(void), int signal)
{
    printf("# PTRACE_EVENT_EXIT: %s\n", what);
    pid_t pid = traced(body);
    pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    pt(PTRACE_CONT, pid, 0, signal);
    int status;
    for (;;) {
        waitpid(pid, &status, __WALL);
        show_status("stop", status);
        if (!WIFSTOPPED(status))
            break;
        if (status >> 16 == PTRACE_EVENT_EXIT) {
            unsigned long message = 0;
            pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message);
            printf("message %lx, state %c\n", message & ~0x80ul, state_of(pid));
            siginfo_t info;
            printf("%s\n", answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info)));
            printf("code %x\n", info.si_code);
        }
        pt(PTRACE_CONT, pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
    }
}

static int faults(void)
{
    *(volatile int *)8 = 1;
    return 0;
}

static int asks_to_die(void)
{
    kill(getpid(), SIGKILL);
    return 0;
}

static int terminated(void)
{
    raise(SIGTERM);
    return 0;
}

static int goes[2];

static int told_then_raises(void)
{
    char byte;
    read(goes[0], &byte, 1);
    raise(SIGUSR1);
    return 5;
}

/* Its tracer sees a signal, or leaves it in the kernel, and ends. */
static void left(const char *what, int options)
{
    printf("# a tracer ends at a signal: %s\n", what);
    pipe(goes);
    pid_t pid = child(told_then_raises);
    until(pid, "S");
    fflush(stdout);
    pid_t tracer = fork();
    if (tracer == 0) {
        siginfo_t info;
        pt(PTRACE_SEIZE, pid, 0, 0);
        write(goes[1], "x", 1);
        waitid(P_PID, pid, &info, WSTOPPED | options | __WALL);
        _exit(info.si_status == SIGUSR1 ? 0 : 1);
    }
    next("tracer", tracer);
    next("tracee", pid);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    by_wait4();
    by_waitid();
    by_signal();
    of_another();
    by_threads();
    of_threads();
    dies("a status", quits, 0);
    dies("a fault", faults, 0);
    dies("a signal of its own", terminated, 0);
    dies("SIGKILL of its own", asks_to_die, 0);
    left("taken", 0);
    left("not taken", WNOWAIT);
}
