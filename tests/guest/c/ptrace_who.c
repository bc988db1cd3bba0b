/* Who may trace whom, and who the tracer is: threads, privileges, zombies, tracers that execute, programs executed by threads. */
#include "ptrace.h"
#include <sys/prctl.h>
#include <sys/syscall.h>

static int waits(void)
{
    for (;;)
        pause();
}

static int ends[2], answers[2];

/* A process of two threads; tells the number of the second. */
static void *idle(void *arg)
{
    pid_t tid = gettid();
    write(ends[1], &tid, sizeof tid);
    waits();
    return NULL;
}

static int two_threads(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
    waits();
    return 0;
}

static const char *tracer_of(pid_t tid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    FILE *file = fopen(path, "r");
    int tracer = -1;
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "TracerPid: %d", &tracer);
    if (file)
        fclose(file);
    return tracer == 0 ? "nobody" : tracer == gettid() ? "this thread" : tracer == getpid() ? "the first thread" : "another";
}

static pid_t target;
static volatile int step;

static void *traces(void *arg)
{
    printf("thread attaches: %s\n", answer(pt(PTRACE_ATTACH, target, 0, 0)));
    next("stop", target);
    printf("traced by %s, state %c\n", tracer_of(target), state_of(target));
    step = 1;
    while (step != 2)
        usleep(1000);
    struct regs regs = get_regs(target);
    printf("%s\n", PC(regs) ? "registers" : "no registers");
    resume("interrupted", PTRACE_CONT, target, SIGSTOP);
    printf("thread detaches: %s\n", answer(pt(PTRACE_DETACH, target, 0, 0)));
    printf("traced by %s\n", tracer_of(target));
    return NULL;
}

static void threads(void)
{
    puts("# a thread of another process by a thread");
    pipe(ends);
    pid_t pid = child(two_threads);
    read(ends[0], &target, sizeof target);
    until(pid, "S");
    pthread_t thread;
    pthread_create(&thread, NULL, traces, NULL);
    while (step != 1)
        usleep(1000);
    printf("its process is traced by %s\n", tracer_of(pid));
    printf("not the tracer: %s\n", answer(pt(PTRACE_CONT, target, 0, 0)));
    printf("taken already: %s\n", answer(pt(PTRACE_ATTACH, target, 0, 0)));
    printf("the other thread: %s\n", answer(pt(PTRACE_SEIZE, pid, 0, 0)));
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("the other thread", pid);
    step = 2;
    /* A stop of the process. */
    pthread_join(thread, NULL);
    kill_it(pid);
    puts("# a thread of its own process");
    printf("%s\n", answer(pt(PTRACE_ATTACH, gettid(), 0, 0)));
    pthread_create(&thread, NULL, idle, NULL);
    read(ends[0], &target, sizeof target);
    printf("%s\n", answer(pt(PTRACE_ATTACH, target, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_SEIZE, target, 0, 0)));
}

static void zombies(void)
{
    puts("# a zombie");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    until(pid, "Z");
    printf("%s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 0, 0)));
    next("end", pid);
    printf("gone: %s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    puts("# requests to one that has ended");
    pid = traced(waits);
    kill(pid, SIGKILL);
    until(pid, "Z");
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_GETSIGINFO, pid, 0, 8)));
    printf("%s\n", answer(pt(PTRACE_DETACH, pid, 0, 0)));
    next("end", pid);
}

static int not_dumpable(void)
{
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    char byte = 'x';
    write(ends[1], &byte, 1);
    read(answers[0], &byte, 1);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    write(ends[1], &byte, 1);
    waits();
    return 0;
}

/* In a process without privilege. */
static int unprivileged(void)
{
    if (geteuid() == 0 && syscall(SYS_setresuid, 65534, 65534, 65534) != 0)
        perror("setresuid");
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    pipe(ends);
    pipe(answers);
    pid_t pid = child(not_dumpable);
    char byte;
    read(ends[0], &byte, 1);
    printf("not dumpable: %s, ", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 0, 0)));
    write(answers[1], &byte, 1);
    read(ends[0], &byte, 1);
    printf("dumpable: %s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    next("stop", pid);
    resume("end", PTRACE_CONT, pid, SIGTERM);
    printf("the first process: %s\n", answer(pt(PTRACE_ATTACH, 1, 0, 0)));
    printf("seized: %s\n", answer(pt(PTRACE_SEIZE, 1, 0, 0x200000)));
    fflush(stdout);
    return 0;
}

static void *executes(void *arg)
{
    execl("/proc/self/exe", "traced", "executed", (char *)NULL);
    return NULL;
}

static int by_thread(void)
{
    pthread_t thread, other;
    pthread_create(&other, NULL, idle, NULL);
    raise(SIGUSR2);
    pthread_create(&thread, NULL, executes, NULL);
    waits();
    return 0;
}

/* All threads of a process are traced, and one of them executes a program. */
static void executed(int seized)
{
    printf("# a thread executes a program, %s\n", seized ? "seized" : "attached");
    long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    pid_t pid, threads[8] = {0};
    if (seized) {
        pipe(answers);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            char byte;
            read(answers[0], &byte, 1);
            _exit(by_thread());
        }
        until(pid, "S");
        pt(PTRACE_SEIZE, pid, 0, options);
        write(answers[1], "x", 1);
    } else {
        pid = traced(by_thread);
        pt(PTRACE_SETOPTIONS, pid, 0, options);
        pt(PTRACE_CONT, pid, 0, 0);
    }
    pid_t early = 0;
    int made = 0, exits = 0, status;
    for (;;) {
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0)
            break;
        unsigned long message = 0;
        int event = status >> 16;
        if (WIFSTOPPED(status) && event)
            pt(PTRACE_GETEVENTMSG, tid, 0, (long)&message);
        if (!WIFSTOPPED(status)) {
            if (tid == pid) {
                show_status("end", status);
                break;
            }
            continue;
        }
        if (event == PTRACE_EVENT_CLONE) {
            threads[made++] = message;
            if ((pid_t)message == early)
                pt(PTRACE_CONT, early, 0, 0);
            early = 0;
        } else if (event == PTRACE_EVENT_EXEC) {
            printf("exec: %s, was %s\n", tid == pid ? "the process" : "another", (pid_t)message == threads[made - 1]
                   ? "the last thread" : (pid_t)message == pid ? "the first" : "another");
            printf("%d made, %s\n", made, exits ? "others end before" : "no end");
            printf("traced by %s\n", tracer_of(pid));
        } else if (event == PTRACE_EVENT_EXIT)
            exits++;
        else if (tid != pid && tid != threads[0] && tid != threads[1]) {
            /* A thread that stops before its maker has told of it. */
            early = tid;
            continue;
        }
        pt(PTRACE_CONT, tid, 0, 0);
    }
}

/* A tracer that executes a program remains one. */
static int tracer_executes(void)
{
    pid_t pid = traced(waits);
    SYSGOOD(pid);
    char text[20];
    snprintf(text, sizeof text, "%d", pid);
    execl("/proc/self/exe", "tracer", "traces", text, (char *)NULL);
    return 1;
}

static int in_new_program(pid_t pid)
{
    printf("traced by %s, state %c\n", tracer_of(pid), state_of(pid));
    printf("peek: %s\n", answer(pt(PTRACE_GETSIGINFO, pid, 0, 8)));
    printf("call: %s\n", answer(pt(PTRACE_SYSCALL, pid, 0, 0)));
    next("call", pid);
    printf("%s\n", PC(get_regs(pid)) ? "registers" : "no registers");
    kill(pid, SIGUSR1);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGUSR1);
    fflush(stdout);
    return 5;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc == 2)
        return 8;
    if (argc == 3)
        return in_new_program(atoi(argv[2]));
    threads();
    zombies();
    puts("# without privilege");
    pid_t pid = child(unprivileged);
    next("unprivileged", pid);
    executed(0);
    executed(1);
    puts("# a tracer that executes a program");
    pid = child(tracer_executes);
    next("tracer", pid);
}
