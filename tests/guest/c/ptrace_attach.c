/* Attaching to tasks that sleep, spin, are stopped or have threads; PTRACE_SEIZE, INTERRUPT and LISTEN; letting go; the
 * death of a tracer. */
#include "ptrace.h"
#include <dirent.h>

static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught += signal;
}

/* The body has its handler. */
static volatile int *ready;

static void begin(void)
{
    signal(SIGUSR1, note);
    *ready = 1;
}

static void until_ready(void)
{
    while (!*ready)
        usleep(100);
    *ready = 0;
}

static int sleeps(void)
{
    begin();
    for (int i = 0; i < 3000 && !caught; i++)
        usleep(10000);
    return caught;
}

/* By sigsuspend: with pause(2), a signal just before it would be waited for for ever, here as on hardware. */
static int waits(void)
{
    sigset_t block, none;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    begin();
    while (!caught)
        sigsuspend(&none);
    return caught;
}

static int spins(void)
{
    begin();
    volatile unsigned long count = 0;
    while (!caught)
        count++;
    return caught;
}

static void *spinner(void *value)
{
    while (!caught)
        *(volatile long *)value += 1;
    return NULL;
}

static void *sleeper(void *value)
{
    (void)value;
    while (!caught)
        usleep(1000);
    return NULL;
}

static int threads(void)
{
    begin();
    pthread_t thread[4];
    static long counts[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, i % 2 ? spinner : sleeper, &counts[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    return caught;
}

static void attached(const char *what, int (*body)(void), const char *states)
{
    printf("# attach to one that %s\n", what);
    pid_t pid = child(body);
    until_ready();
    usleep(20000);
    until(pid, states);
    printf("%s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    next("stop", pid);
    siginfo_t info;
    printf("%s", answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info)));
    printf(" %d\n", info.si_signo);
    struct regs regs = get_regs(pid);
    errno = 0;
    long word;
    pt(PTRACE_PEEKDATA, pid, PC(regs), (long)&word);
    printf("code %s\n", errno ? "unreadable" : "readable");
    SYSGOOD(pid);
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 0)));
    usleep(5000);
    kill(pid, SIGUSR1);
    next("signal", pid);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
}

static void attached_stopped(void)
{
    puts("# attach to one that is stopped");
    pid_t pid = child(waits);
    until_ready();
    until(pid, "S");
    kill(pid, SIGSTOP);
    until(pid, "T");
    printf("%s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    next("stop", pid);
    pt(PTRACE_CONT, pid, 0, 0);
    kill(pid, SIGCONT);
    int status, seen = 0;
    while (!seen) {
        waitpid(pid, &status, 0);
        seen = WIFSTOPPED(status) && WSTOPSIG(status) == SIGCONT;
        if (!seen)
            pt(PTRACE_CONT, pid, 0, 0);
    }
    puts("SIGCONT shown");
    kill_it(pid);
}

static void seized(const char *what, int (*body)(void), const char *states)
{
    printf("# seize one that %s\n", what);
    pid_t pid = child(body);
    until_ready();
    usleep(20000);
    until(pid, states);
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD)));
    printf("wait gives %d\n", waitpid(pid, NULL, WNOHANG | __WALL));
    struct regs regs;
    struct iovec iov = {&regs, sizeof regs};
    printf("registers: %s\n", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov)));
    printf("%s\n", answer(pt(PTRACE_INTERRUPT, pid, 0, 0)));
    next("stop", pid);
    siginfo_t info;
    printf("%s", answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info)));
    printf(" %d %#x\n", info.si_signo, info.si_code);
    pt(PTRACE_CONT, pid, 0, 0);
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("again", pid);
    pt(PTRACE_CONT, pid, 0, 0);
    kill(pid, SIGUSR1);
    next("signal", pid);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
}

/* Wherever it is: it may not have left fork(2) yet, or be on its way into a call. */
static void seized_early(void)
{
    puts("# interrupted right behind SEIZE");
    int stopped = 0;
    for (int i = 0; i < 200; i++) {
        pid_t pid = child(waits);
        usleep(i * 20);
        int status = 0;
        if (pt(PTRACE_SEIZE, pid, 0, 0) == 0 && pt(PTRACE_INTERRUPT, pid, 0, 0) == 0)
            stopped += waitpid(pid, &status, __WALL) == pid && status >> 16 == EVENT_STOP;
        kill_it(pid);
    }
    *ready = 0;
    printf("%d stopped\n", stopped);
}

static void listened(void)
{
    puts("# a group stop that is listened to");
    pid_t pid = child(waits);
    until_ready();
    until(pid, "S");
    pt(PTRACE_SEIZE, pid, 0, 0);
    kill(pid, SIGSTOP);
    next("signal", pid);
    resume("group", PTRACE_CONT, pid, SIGSTOP);
    siginfo_t info;
    printf("%s", answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info)));
    printf(" %d %#x\n", info.si_signo, info.si_code);
    printf("%s\n", answer(pt(PTRACE_LISTEN, pid, 0, 0)));
    struct regs regs;
    struct iovec iov = {&regs, sizeof regs};
    printf("registers: %s\n", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov)));
    kill(pid, SIGCONT);
    int status;
    waitpid(pid, &status, __WALL);
    show_status("woken", status);
    resume("signal", PTRACE_CONT, pid, 0);
    pt(PTRACE_CONT, pid, 0, SIGCONT);
    kill(pid, SIGUSR1);
    next("signal", pid);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    puts("# listening without a stop of the group");
    pid = child(waits);
    until_ready();
    until(pid, "S");
    pt(PTRACE_SEIZE, pid, 0, 0);
    kill(pid, SIGUSR2);
    next("signal", pid);
    printf("%s\n", answer(pt(PTRACE_LISTEN, pid, 0, 0)));
    kill_it(pid);
}

static int tids(pid_t pid, pid_t *list)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    int count = 0;
    for (struct dirent *entry; tasks && count < 5 && (entry = readdir(tasks));)
        if (entry->d_name[0] != '.')
            list[count++] = atoi(entry->d_name);
    if (tasks)
        closedir(tasks);
    return count;
}

static void all_threads(void)
{
    puts("# attach to all threads");
    pid_t pid = child(threads), list[5];
    int count;
    until_ready();
    while ((count = tids(pid, list)) < 5)
        usleep(1000);
    usleep(20000);
    for (int i = 0; i < count; i++)
        if (pt(PTRACE_ATTACH, list[i], 0, 0) != 0)
            printf("not attached: %s\n", strerror(errno));
    for (int i = 0; i < count; i++)
        next("thread", list[i]);
    for (int i = 0; i < count; i++) {
        struct regs regs = get_regs(list[i]);
        if (PC(regs) == 0)
            puts("no pc");
    }
    for (int i = 0; i < count; i++)
        if (pt(PTRACE_DETACH, list[i], 0, i == 0 ? SIGUSR1 : 0) != 0)
            printf("not detached: %s\n", strerror(errno));
    next("end", pid);
}

static void let_go(void)
{
    puts("# detached with a signal");
    pid_t pid = child(waits);
    until_ready();
    until(pid, "S");
    pt(PTRACE_ATTACH, pid, 0, 0);
    next("stop", pid);
    printf("%s\n", answer(pt(PTRACE_DETACH, pid, 0, SIGUSR1)));
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 0)));
    next("end", pid);
    puts("# attached again");
    pid = child(waits);
    until_ready();
    until(pid, "S");
    for (int i = 0; i < 3; i++) {
        pt(PTRACE_ATTACH, pid, 0, 0);
        next("stop", pid);
        pt(PTRACE_DETACH, pid, 0, 0);
    }
    until(pid, "S");
    kill(pid, SIGUSR1);
    next("end", pid);
}

/* A tracer that ends while its tracee runs. */
static void tracer_dies(const char *what, long options)
{
    printf("# the tracer dies: %s\n", what);
    pid_t pid = child(waits);
    until_ready();
    until(pid, "S");
    fflush(stdout);
    pid_t tracer = fork();
    if (tracer == 0) {
        pt(PTRACE_SEIZE, pid, 0, options);
        _exit(0);
    }
    int status;
    waitpid(tracer, &status, 0);
    usleep(20000);
    kill(pid, SIGUSR1);
    next("end", pid);
}

static void not_waited_for(void)
{
    puts("# the tracer dies: its tracee stopped, and nobody waited");
    pid_t pid = child(waits);
    until_ready();
    until(pid, "S");
    fflush(stdout);
    pid_t tracer = fork();
    if (tracer == 0) {
        pt(PTRACE_ATTACH, pid, 0, 0);
        waitpid(pid, NULL, __WALL);
        pt(PTRACE_CONT, pid, 0, 0);
        kill(pid, SIGUSR1);
        usleep(50000);
        _exit(0);
    }
    waitpid(tracer, NULL, 0);
    next("end", pid);
}

/* Before it has left fork(2), say: where there are registers already. */
static void attached_early(void)
{
    puts("# attached to at its begin");
    int good = 0;
    for (int i = 0; i < 100; i++) {
        pid_t pid = child(waits);
        usleep(i * 20);
        pt(PTRACE_ATTACH, pid, 0, 0);
        int status = 0;
        waitpid(pid, &status, __WALL);
        long word;
        struct regs regs = get_regs(pid);
        good += WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP
                && pt(PTRACE_PEEKDATA, pid, PC(regs), (long)&word) == 0;
        kill_it(pid);
    }
    *ready = 0;
    printf("%d stopped\n", good);
}

int main(void)
{
    ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    attached("sleeps", sleeps, "S");
    attached("waits", waits, "S");
    attached("spins", spins, "R");
    attached_stopped();
    attached_early();
    seized("sleeps", sleeps, "S");
    seized("waits", waits, "S");
    seized("spins", spins, "R");
    seized_early();
    listened();
    all_threads();
    let_go();
    tracer_dies("its tracee runs on", 0);
    tracer_dies("EXITKILL", PTRACE_O_EXITKILL);
    not_waited_for();
}
