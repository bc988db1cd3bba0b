/* Shows what ptrace(2) shows of a program, as `-d stops` of the emulator does: the oracle for stops.c.
 *
 * Left out, as kernel/stop.rs says: the return of an execve that succeeded, and signals that are ignored. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 100 };
static struct task {
    pid_t tid;
    int in_call, executed;
    long number;
} tasks[TASKS];

static struct task *task_of(pid_t tid) {
    for (int n = 0; n < TASKS; n++)
        if (tasks[n].tid == tid || tasks[n].tid == 0) {
            if (tasks[n].tid == 0) {
                tasks[n].tid = tid;
                if (n > 0)
                    fprintf(stderr, "%d stop: starts\n", tid);
            }
            return &tasks[n];
        }
    abort();
}

static const char *call_name(long number) {
    static const struct {
        long number;
        const char *name;
    } names[] = {
#define N(name) {SYS_##name, #name}
        N(rt_sigaction), N(rt_sigreturn), N(getpid), N(getppid), N(gettid), N(kill), N(clone), N(wait4), N(execve),
        N(close), N(exit), N(exit_group),
    };
    static char text[24];
    for (unsigned n = 0; n < sizeof names / sizeof *names; n++)
        if (names[n].number == number)
            return names[n].name;
    sprintf(text, "%ld", number);
    return text;
}

#define SHOW(...) (fprintf(stderr, "%d stop: ", t->tid), fprintf(stderr, __VA_ARGS__), fprintf(stderr, "\n"))

static void event(struct task *t, int what) {
    unsigned long message = 0;
    ptrace(PTRACE_GETEVENTMSG, t->tid, 0, &message);
    switch (what) {
    case PTRACE_EVENT_FORK:
        SHOW("forked %lu", message);
        break;
    case PTRACE_EVENT_VFORK:
        SHOW("vforked %lu", message);
        break;
    case PTRACE_EVENT_CLONE:
        SHOW("cloned %lu", message);
        break;
    case PTRACE_EVENT_VFORK_DONE:
        SHOW("vfork done %lu", message);
        break;
    case PTRACE_EVENT_EXEC:
        SHOW("executes");
        t->executed = 1;
        break;
    case PTRACE_EVENT_EXIT:
        if (WIFSIGNALED((int)message))
            SHOW("dies of SIG%s", sigabbrev_np(WTERMSIG((int)message)));
        else
            SHOW("exits %d", WEXITSTATUS((int)message));
        break;
    }
}

static void call(struct task *t) {
    struct user_regs_struct regs;
    ptrace(PTRACE_GETREGS, t->tid, 0, &regs);
    t->in_call = !t->in_call;
    if (t->in_call) {
        t->number = (long)regs.orig_rax;
        SHOW("enters %s", call_name(t->number));
    } else if (t->executed)
        t->executed = 0;
    else
        SHOW("leaves %s", call_name(t->number));
}

int main(int argc, char **argv) {
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    pid_t first = fork();
    if (first == 0) {
        raise(SIGSTOP);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    int status, result = 127;
    waitpid(first, &status, WUNTRACED);
    if (argc < 2 || ptrace(PTRACE_SEIZE, first, 0, options))
        return 126;
    kill(first, SIGCONT);
    pid_t tid;
    int started = 0;
    while ((tid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (tid == first)
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status), what = status >> 16, deliver = 0;
        if (tid == first && !started) {
            /* Before the program: the way to its execve. */
            if (what != PTRACE_EVENT_EXEC) {
                ptrace(PTRACE_CONT, tid, 0, 0);
                continue;
            }
            started = 1;
            task_of(tid)->in_call = 1;
        }
        struct task *t = task_of(tid);
        if (signal == (SIGTRAP | 0x80))
            call(t);
        else if (what)
            event(t, what);
        else {
            siginfo_t info;
            deliver = signal;
            ptrace(PTRACE_GETSIGINFO, tid, 0, &info);
            if (signal == SIGTRAP && info.si_code == SI_KERNEL)
                SHOW("breakpoint");
            if (signal != SIGCHLD)
                SHOW("signal SIG%s", sigabbrev_np(signal));
        }
        ptrace(PTRACE_SYSCALL, tid, 0, deliver);
    }
    return result;
}
