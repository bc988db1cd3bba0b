/* PTRACE_GET_SYSCALL_INFO in every kind of stop; PTRACE_SYSEMU and PTRACE_SYSEMU_SINGLESTEP. */
#include "ptrace.h"

#define SYSEMU 31
#define SYSEMU_SINGLESTEP 32
#include "ptrace_info.h"

static int calls(void)
{
    syscall(SYS_getpid, 1L, 2L, 3L, 4L, 5L, 6L);
    long closed = syscall(SYS_close, -1L, 12L, 0L, 0L, 0L, -1L);
    return closed == -1 ? errno == EBADF ? 3 : errno : closed;
}

static int all_stops(void)
{
    raise(SIGUSR1);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return 4;
}

static void shown(void)
{
    puts("# calls");
    pid_t pid = traced(calls);
    SYSGOOD(pid);
    show_info("first", pid);
    until_call(pid, SYS_getpid);
    show_info("entered", pid);
    for (int n = 0; n < 3; n++) {
        pt(PTRACE_SYSCALL, pid, 0, 0);
        int status;
        waitpid(pid, &status, 0);
        show_info("next", pid);
    }
    long len;
    char small[8];
    memset(small, 1, sizeof small);
    len = pt(GET_SYSCALL_INFO, pid, 3, (long)small);
    printf("three bytes: %ld, %d %d\n", len, small[0], small[3]);
    printf("none: %s\n", answer(pt(GET_SYSCALL_INFO, pid, 0, 0)));
    printf("to nowhere: %s\n", answer(pt(GET_SYSCALL_INFO, pid, sizeof small, 8)));
    resume("end", PTRACE_CONT, pid, 0);

    puts("# other stops");
    pid = traced(all_stops);
    pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    resume("signal", PTRACE_CONT, pid, 0);
    show_info("signal", pid);
    resume("step", PTRACE_SINGLESTEP, pid, 0);
    show_info("step", pid);
    resume("event", PTRACE_CONT, pid, 0);
    show_info("event", pid);
    unsigned long child = 0;
    pt(PTRACE_GETEVENTMSG, pid, 0, (long)&child);
    next("child", child);
    show_info("child", child);
    resume("child", PTRACE_SYSCALL, child, 0);
    show_info("child", child);
    resume("child", PTRACE_CONT, child, 0);
    show_info("child", child);
    resume("child", PTRACE_CONT, child, 0);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("event", PTRACE_CONT, pid, 0);
    show_info("event", pid);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# without PTRACE_O_TRACESYSGOOD");
    pid = traced(calls);
    resume("trap", PTRACE_SYSCALL, pid, 0);
    show_info("trap", pid);
    resume("trap", PTRACE_SYSCALL, pid, 0);
    show_info("trap", pid);
    kill_it(pid);
}

static int emulated(void)
{
    long first = syscall(SYS_close, -1L);
    long second = syscall(SYS_close, -1L);
    return first == 1 && second == 2 ? 8 : 9;
}

static void set_result(pid_t pid, long value)
{
    struct regs regs = get_regs(pid);
    RESULT(regs) = value;
    set_regs(pid, regs);
}

static int next_emulated(pid_t pid, long request)
{
    int status;
    if (pt(request, pid, 0, 0) != 0)
        printf("not resumed: %s\n", strerror(errno));
    waitpid(pid, &status, 0);
    return status;
}

static void emulate(void)
{
    puts("# PTRACE_SYSEMU");
    pid_t pid = traced(emulated);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    set_number(pid, -1);
    set_result(pid, 1);
    show_status("next", next_emulated(pid, SYSEMU));
    show_info("call", pid);
    set_result(pid, 2);
    show_status("next", next_emulated(pid, SYSEMU));
    show_info("call", pid);
    puts("# left with PTRACE_SYSCALL");
    struct regs regs = get_regs(pid);
    printf("status %ld\n", ARG(regs, 0));
    kill_it(pid);

    puts("# PTRACE_SYSEMU_SINGLESTEP");
    pid = traced(emulated);
    SYSGOOD(pid);
    int steps = 0, stops = 0, given = 0, others = 0;
    until_call(pid, SYS_close);
    set_number(pid, -1);
    set_result(pid, 1);
    for (int n = 0; n < 2000; n++) {
        int status = next_emulated(pid, SYSEMU_SINGLESTEP);
        if (!WIFSTOPPED(status)) {
            show_status("end", status);
            break;
        }
        if (WSTOPSIG(status) == SIGTRAP) {
            siginfo_t step;
            pt(PTRACE_GETSIGINFO, pid, 0, (long)&step);
            steps++;
            continue;
        }
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            others++;
            continue;
        }
        long len;
        struct info info = get_info(pid, &len);
        stops++;
        if (info.op == 1 && info.words[0] == SYS_close)
            set_result(pid, 2);
        if (info.op == 1 && info.words[0] == SYS_exit_group) {
            printf("exit_group(%ld)\n", info.words[1]);
            break;
        }
    }
    printf("%s, %d calls, %d others\n", steps > 5 ? "steps" : "no steps", stops, others);
    kill_it(pid);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    shown();
    emulate();
}
