/* The events of ptrace(2) in the kernel's order, each with its message; children that are attached to; options. */
#include "ptrace.h"

static char stack[65536] __attribute__((aligned(16)));

static int forks(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(5);
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static int vforks(void)
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(6);
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static int clones(void)
{
    pid_t pid = syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
    if (pid == 0)
        _exit(7);
    int status;
    waitpid(pid, &status, __WCLONE);
    return WEXITSTATUS(status);
}

static void *empty(void *value)
{
    return value;
}

static int threads(void)
{
    pthread_t thread;
    void *value;
    pthread_create(&thread, NULL, empty, (void *)8);
    pthread_join(thread, &value);
    /* Its end is the process's otherwise, if that comes soon. */
    usleep(30000);
    return (long)value;
}

static int executes(void)
{
    execl("/proc/self/exe", "traced", "9", (char *)NULL);
    return 1;
}

static int vfork_executes(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/proc/self/exe", "traced", "10", (char *)NULL);
        _exit(99);
    }
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void *executor(void *value)
{
    execl("/proc/self/exe", "traced", "11", (char *)NULL);
    return value;
}

static int thread_executes(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, executor, NULL);
    for (;;)
        pause();
}

static int untraced(void)
{
    pid_t pid = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0L, 0L, 0L, 0L);
    if (pid == 0)
        _exit(12);
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static int killed(void)
{
    raise(SIGKILL);
    return 0;
}

static int aborts(void)
{
    raise(SIGUSR1);
    return 13;
}

/* Runs the tracee and its children to their ends; who they are goes by the order of their births. */
static void follow(const char *what, int (*body)(void), long options, int detaches)
{
    printf("# %s\n", what);
    pid_t known[8] = {traced(body)};
    int count = 1, alive = 1;
    printf("options: %s\n", answer(pt(PTRACE_SETOPTIONS, known[0], 0, options)));
    char lines[8][40][64];
    int line_count[8] = {0};
    pt(PTRACE_CONT, known[0], 0, 0);
    while (alive > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0)
            break;
        int who = 0;
        while (who < count && known[who] != pid)
            who++;
        if (who == count && count < 8) {
            known[count++] = pid;
            alive++;
        }
        char *line = lines[who][line_count[who]++];
        int signal = 0;
        if (!WIFSTOPPED(status)) {
            alive--;
            if (WIFEXITED(status))
                sprintf(line, "exited %d", WEXITSTATUS(status));
            else
                sprintf(line, "killed by %s", sigabbrev_np(WTERMSIG(status)));
            continue;
        }
        unsigned long message = 0;
        pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message);
        int event = status >> 16;
        if (event == PTRACE_EVENT_EXIT)
            sprintf(line, "event exit %#lx", message);
        else if (event == PTRACE_EVENT_EXEC)
            sprintf(line, "event exec, %s", message == (unsigned long)pid ? "the same" : "another thread");
        else if (event) {
            int child = 0;
            while (child < count && known[child] != (pid_t)message)
                child++;
            if (child == count && count < 8) {
                known[count++] = message;
                alive++;
            }
            /* A child that has ended is known, too. */
            sprintf(line, "event %s, %s %d", events[event & 7], "child", child);
        } else {
            sprintf(line, "signal %s", sigabbrev_np(WSTOPSIG(status)));
            if (WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP)
                signal = WSTOPSIG(status);
        }
        if (detaches && who > 0)
            pt(PTRACE_DETACH, pid, 0, 0);
        else
            pt(PTRACE_CONT, pid, 0, signal);
        if (detaches && who > 0)
            alive--;
    }
    for (int who = 0; who < count; who++)
        for (int line = 0; line < line_count[who]; line++)
            printf("task %d: %s\n", who, lines[who][line]);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return atoi(argv[1]);
    follow("no options", forks, 0, 0);
    follow("fork", forks, PTRACE_O_TRACEFORK, 0);
    follow("fork, exit", forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT, 0);
    follow("fork, child let go", forks, PTRACE_O_TRACEFORK, 1);
    follow("vfork", vforks, PTRACE_O_TRACEVFORK, 0);
    follow("vfork done", vforks, PTRACE_O_TRACEVFORKDONE, 0);
    follow("vfork and done", vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT, 0);
    follow("clone", clones, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK, 0);
    follow("clone is no fork", clones, PTRACE_O_TRACEFORK, 0);
    follow("thread", threads, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT, 0);
    follow("thread unseen", threads, PTRACE_O_TRACEEXIT, 0);
    follow("exec", executes, PTRACE_O_TRACEEXEC, 0);
    follow("exec by old means", executes, 0, 0);
    follow("exec, exit", executes, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT, 0);
    follow("exec in a vfork", vfork_executes,
           PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE, 0);
    follow("exec by a thread", thread_executes, PTRACE_O_TRACEEXEC, 0);
    follow("CLONE_UNTRACED", untraced, PTRACE_O_TRACEFORK, 0);
    follow("SIGKILL", killed, 0, 0);
    follow("death by a signal", aborts, PTRACE_O_TRACEEXIT, 0);
    follow("bad options", forks, 1L << 30, 0);
}
