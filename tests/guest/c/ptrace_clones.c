/* Children of every kind of clone(2), by attached and by seized makers: the event, its message, the child's first stop,
 * and that the child is traced as its maker is. */
#include "ptrace.h"
#include <linux/sched.h>

#define STACK 65536

static char stacks[4][STACK] __attribute__((aligned(16)));
static unsigned long flags;
static int by_clone3;

static long made(unsigned long flags)
{
    if (by_clone3) {
        struct clone_args args = {.flags = flags & ~0xfful, .exit_signal = flags & 0xff};
        return syscall(SYS_clone3, &args, sizeof args);
    }
    return syscall(SYS_clone, flags, 0L, 0L, 0L, 0L);
}

/* Makes a child, which makes a child. */
static int family(void)
{
    long pid = made(flags);
    if (pid == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(2);
        waitpid(grandchild, NULL, 0);
        _exit(1);
    }
    if (pid < 0)
        return 9;
    int status = 0;
    if (!(flags & CLONE_PARENT))
        while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
            ;
    return 3;
}

enum { NONE, MAX = 8 };
static struct { pid_t pid; char name[16]; int stopped; } known[MAX];

static const char *name_of(pid_t pid)
{
    for (int n = 0; n < MAX; n++)
        if (known[n].pid == pid)
            return known[n].name;
    return "another";
}

static void know(pid_t pid, const char *name)
{
    for (int n = 0; n < MAX; n++)
        if (known[n].pid == 0) {
            known[n].pid = pid;
            strcpy(known[n].name, name);
            return;
        }
}

/* Follows one task until it waits for another's stop: each task's own stops in their order, and the tasks by turns. */
static void follow(const char *what, long options, int seized)
{
    printf("# %s, %s\n", what, seized ? "seized" : "attached");
    memset(known, 0, sizeof known);
    pid_t pid;
    if (seized) {
        int go[2];
        pipe(go);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            char byte;
            read(go[0], &byte, 1);
            _exit(family());
        }
        if (pt(PTRACE_SEIZE, pid, 0, options) != 0)
            printf("not seized: %s\n", strerror(errno));
        write(go[1], "", 1);
        close(go[0]);
        close(go[1]);
    } else {
        pid = traced(family);
        pt(PTRACE_SETOPTIONS, pid, 0, options);
        pt(PTRACE_CONT, pid, 0, 0);
    }
    know(pid, "maker");
    /* What each says, task by task: their order among each other is open. */
    char said[MAX][512] = {""};
    int order = 0;
    for (;;) {
        int status = 0;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0)
            break;
        int n = 0;
        while (n < MAX && known[n].pid != tid)
            n++;
        char line[128] = "";
        int event = status >> 16;
        if (WIFSTOPPED(status) && event && event != EVENT_STOP) {
            unsigned long message = 0;
            pt(PTRACE_GETEVENTMSG, tid, 0, (long)&message);
            if (event == PTRACE_EVENT_EXIT)
                snprintf(line, sizeof line, "exit %lx; ", message);
            else {
                int m = 0;
                while (m < MAX && known[m].pid != (pid_t)message)
                    m++;
                if (m == MAX) {
                    know(message, n == 0 ? "child" : "grandchild");
                    for (m = 0; known[m].pid != (pid_t)message; m++)
                        ;
                }
                snprintf(line, sizeof line, "%s of %s; ", events[event & 7], known[m].name);
            }
        } else if (WIFSTOPPED(status)) {
            if (n == MAX) {
                /* A child that stops before its maker has told of it. */
                know(tid, known[1].pid ? "grandchild" : "child");
                for (n = 0; known[n].pid != tid; n++)
                    ;
            }
            snprintf(line, sizeof line, "%s%s; ", event ? "event stop " : "", sigabbrev_np(WSTOPSIG(status)));
        } else if (WIFEXITED(status))
            snprintf(line, sizeof line, "exited %d; ", WEXITSTATUS(status));
        else
            snprintf(line, sizeof line, "killed by %s; ", sigabbrev_np(WTERMSIG(status)));
        if (n < MAX)
            strcat(said[n], line);
        if (WIFSTOPPED(status)) {
            int signal = event || WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
            pt(PTRACE_CONT, tid, 0, signal);
        }
    }
    for (int n = 0; n < MAX; n++)
        if (known[n].pid)
            printf("%s: %s\n", known[n].name, said[n]);
}

int main(void)
{
    static const struct { const char *what; unsigned long flags; int clone3; } kinds[] = {
        {"fork", SIGCHLD, 0},
        {"fork by clone3", SIGCHLD, 1},
        {"clone without a signal", 0, 0},
        {"clone with another signal", SIGURG, 0},
        {"clone3 without a signal", 0, 1},
        {"vfork's waiting alone", CLONE_VFORK | SIGCHLD, 0},
        {"vfork's waiting without a signal", CLONE_VFORK, 0},
        {"vfork's waiting by clone3", CLONE_VFORK | SIGCHLD, 1},
        {"shared files", CLONE_FILES | CLONE_FS | SIGCHLD, 0},
        {"untraced", CLONE_UNTRACED | SIGCHLD, 0},
    };
    static const struct { const char *what; long options; } options[] = {
        {"all", PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT},
        {"forks", PTRACE_O_TRACEFORK},
        {"clones", PTRACE_O_TRACECLONE},
        {"vforks", PTRACE_O_TRACEVFORK},
    };
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++)
        for (size_t m = 0; m < sizeof options / sizeof *options; m++)
            for (int seized = 0; seized < 2; seized++) {
                flags = kinds[n].flags;
                by_clone3 = kinds[n].clone3;
                char what[100];
                snprintf(what, sizeof what, "%s; %s", kinds[n].what, options[m].what);
                follow(what, options[m].options | PTRACE_O_EXITKILL, seized);
            }
}
