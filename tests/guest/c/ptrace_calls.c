/* ptrace(2) at system calls: entry and exit, what PTRACE_GET_SYSCALL_INFO says, calls changed and skipped. */
#include "ptrace.h"
#include <sys/time.h>

static int quiet(void)
{
    return 3;
}

static int asks(void)
{
    long result = syscall(SYS_getppid, 11, 12, 13);
    return result == getppid() ? 0 : result == 4242 ? 1 : result == -1 ? 40 + errno % 40 : 2;
}

static int closes(void)
{
    return close(-1) == -1 && errno == EBADF ? 4 : 5;
}

static int writes(void)
{
    char text[] = "some text\n";
    return write(1, text, sizeof text - 1);
}

static int tells_time(void)
{
    struct timespec now;
    struct timeval then;
    getppid();
    clock_gettime(CLOCK_MONOTONIC, &now);
    gettimeofday(&then, NULL);
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return 0;
}

static void show_info(pid_t pid)
{
    struct call_info info;
    memset(&info, 0xee, sizeof info);
    long size = pt(GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
    struct regs regs = get_regs(pid);
    printf("info of %ld bytes, op %d, pc %s", size, info.op, info.pc == PC(regs) ? "right" : "wrong");
    if (info.op == 1)
        printf(", %s, arguments %ld %ld %ld", info.entry.nr == SYS_getppid ? "getppid" : "another",
               (long)info.entry.args[0], (long)info.entry.args[1], (long)info.entry.args[2]);
    if (info.op == 2)
        printf(", %s%d", info.exit.is_error ? "error " : "value, error ", info.exit.is_error ? (int)info.exit.rval : 0);
    printf("\n");
}

static void pairs(void)
{
    puts("# a call is entered and left");
    pid_t pid = traced(asks);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    show_info(pid);
    struct regs regs = get_regs(pid);
    printf("arguments %ld %ld %ld\n", (long)ARG(regs, 0), (long)ARG(regs, 1), (long)ARG(regs, 2));
    resume("left", PTRACE_SYSCALL, pid, 0);
    show_info(pid);
    printf("result %s\n", (pid_t)RESULT(get_regs(pid)) == getpid() ? "right" : "wrong");
    resume("end", PTRACE_CONT, pid, 0);
}

static void errors(void)
{
    puts("# a call that fails");
    pid_t pid = traced(closes);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    resume("left", PTRACE_SYSCALL, pid, 0);
    show_info(pid);
    resume("end", PTRACE_CONT, pid, 0);
}

static void sizes(void)
{
    puts("# less room for the information, and none of a call");
    pid_t pid = traced(asks);
    SYSGOOD(pid);
    struct call_info info;
    memset(&info, 0xee, sizeof info);
    printf("%s", answer(pt(GET_SYSCALL_INFO, pid, sizeof info, (long)&info)));
    printf(" op %d\n", info.op);
    until_call(pid, SYS_getppid);
    memset(&info, 0xee, sizeof info);
    printf("%s", answer(pt(GET_SYSCALL_INFO, pid, 25, (long)&info)));
    printf(" nr %s\n", (info.entry.nr & 0xff) == (SYS_getppid & 0xff) ? "cut" : "whole");
    printf("%s\n", answer(pt(GET_SYSCALL_INFO, pid, sizeof info, 0)));
    kill_it(pid);
}

static void clocks(void)
{
    puts("# the vDSO reads clocks without a call");
    pid_t pid = traced(tells_time);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    resume("left", PTRACE_SYSCALL, pid, 0);
    resume("the next", PTRACE_SYSCALL, pid, 0);
    printf("is %s\n", NUMBER(get_regs(pid)) == SYS_clock_gettime ? "clock_gettime" : "another");
    resume("left", PTRACE_SYSCALL, pid, 0);
    resume("the next", PTRACE_SYSCALL, pid, 0);
    printf("is %s\n", NUMBER(get_regs(pid)) == SYS_exit_group ? "exit_group" : "another");
    kill_it(pid);
}

static void plain(void)
{
    puts("# without PTRACE_O_TRACESYSGOOD");
    pid_t pid = traced(asks);
    resume("first", PTRACE_SYSCALL, pid, 0);
    siginfo_t info;
    printf("%s", answer(pt(PTRACE_GETSIGINFO, pid, 0, (long)&info)));
    printf(" code %d, from %s\n", info.si_code, info.si_pid == pid ? "itself" : "another");
    struct call_info call;
    pt(GET_SYSCALL_INFO, pid, sizeof call, (long)&call);
    printf("op %d\n", call.op);
    kill_it(pid);
}

static void changes(void)
{
    puts("# another number");
    pid_t pid = traced(closes);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    set_number(pid, SYS_getpid);
    resume("left", PTRACE_SYSCALL, pid, 0);
    printf("result %s\n", (pid_t)RESULT(get_regs(pid)) == pid ? "right" : "wrong");
    resume("end", PTRACE_CONT, pid, 0);

    puts("# another argument");
    pid = traced(writes);
    SYSGOOD(pid);
    until_call(pid, SYS_write);
    struct regs regs = get_regs(pid);
    ARG(regs, 2) = 4;
    set_regs(pid, regs);
    fflush(stdout);
    resume("\nleft", PTRACE_SYSCALL, pid, 0);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# skipped, with a result");
    pid = traced(asks);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    set_number(pid, -1);
    resume("left", PTRACE_SYSCALL, pid, 0);
    regs = get_regs(pid);
    RESULT(regs) = 4242;
    set_regs(pid, regs);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# another result");
    pid = traced(asks);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    resume("left", PTRACE_SYSCALL, pid, 0);
    regs = get_regs(pid);
    RESULT(regs) = -EPERM;
    set_regs(pid, regs);
    resume("end", PTRACE_CONT, pid, 0);
}

static void emulated(void)
{
    puts("# PTRACE_SYSEMU makes none");
    pid_t pid = traced(asks);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    kill_it(pid);
    pid = traced(writes);
    SYSGOOD(pid);
    for (;;) {
        int status;
        pt(PTRACE_SYSEMU, pid, 0, 0);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        struct call_info info;
        pt(GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
        if (info.op != 1) {
            puts("an exit");
            break;
        }
        struct regs regs = get_regs(pid);
        if (info.entry.nr == SYS_write) {
            printf("write of %ld\n", (long)ARG(regs, 2));
            RESULT(regs) = 5;
            set_regs(pid, regs);
        } else if (info.entry.nr == SYS_exit_group) {
            printf("exit of %ld\n", (long)ARG(regs, 0));
            kill_it(pid);
            break;
        }
    }
}

static void signals_given(void)
{
    puts("# a signal given where a call is left");
    pid_t pid = traced(asks);
    SYSGOOD(pid);
    until_call(pid, SYS_getppid);
    resume("left", PTRACE_SYSCALL, pid, 0);
    resume("signal", PTRACE_CONT, pid, SIGUSR1);
    siginfo_t info;
    pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
    printf("code %d\n", info.si_code);
    resume("end", PTRACE_CONT, pid, 0);
}

int main(void)
{
    pid_t pid = traced(quiet);
    resume("quiet", PTRACE_CONT, pid, 0);
    pairs();
    errors();
    sizes();
    clocks();
    plain();
    changes();
    emulated();
    signals_given();
}
