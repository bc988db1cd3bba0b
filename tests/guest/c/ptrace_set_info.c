/* PTRACE_SET_SYSCALL_INFO: number and arguments of a call that is entered, the result of one that is left. */
#include "ptrace_info.h"

#define SET_SYSCALL_INFO 0x4212

static int calls(void)
{
    syscall(SYS_getpid, 1L, 2L, 3L, 4L, 5L, 6L);
    long closed = syscall(SYS_close, -1L, 12L, 0L, 0L, 0L, -1L);
    return closed == -1 ? errno == EBADF ? 3 : errno : closed;
}

static void show_set(const char *what, pid_t pid, struct info info)
{
    printf("%s: %s\n", what, answer(pt(SET_SYSCALL_INFO, pid, sizeof info, (long)&info)));
}

static int adds(void)
{
    long got = syscall(SYS_close, -1L);
    return got == -1 ? errno : got;
}

static void set(void)
{
    pid_t pid = traced(calls);
    struct info info = {0};
    puts("# set in a stop that is none of a call");
    SYSGOOD(pid);
    show_set("none", pid, info);
    info.op = 1;
    show_set("entry", pid, info);
    puts("# bad values");
    until_call(pid, SYS_getpid);
    long len;
    info = get_info(pid, &len);
    struct info bad = info;
    bad.op = 2;
    show_set("exit", pid, bad);
    bad = info;
    bad.flags = 1;
    show_set("flags", pid, bad);
    bad = info;
    bad.reserved = 1;
    show_set("reserved", pid, bad);
    bad = info;
    bad.words[0] = 1ull << 33;
    show_set("number", pid, bad);
    printf("size: %s\n", answer(pt(SET_SYSCALL_INFO, pid, 80, (long)&info)));
    printf("address: %s\n", answer(pt(SET_SYSCALL_INFO, pid, sizeof info, 8)));
    show_set("the same", pid, info);
    show_info("still", pid);
    kill_it(pid);

    puts("# another call");
    pid = traced(adds);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    info = get_info(pid, &len);
    info.words[0] = SYS_getpid;
    show_set("number", pid, info);
    resume("left", PTRACE_SYSCALL, pid, 0);
    show_info("left", pid);
    kill_it(pid);

    puts("# other arguments");
    pid = traced(adds);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    info = get_info(pid, &len);
    info.words[0] = SYS_exit_group;
    info.words[1] = 44;
    show_set("arguments", pid, info);
    show_info("entered", pid);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# skipped");
    pid = traced(adds);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    info = get_info(pid, &len);
    info.words[0] = -1;
    show_set("number", pid, info);
    resume("left", PTRACE_SYSCALL, pid, 0);
    show_info("left", pid);
    info = get_info(pid, &len);
    info.words[0] = 55;
    info.words[1] = 0;
    show_set("result", pid, info);
    show_info("then", pid);
    resume("call", PTRACE_SYSCALL, pid, 0);
    show_info("next", pid);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# an error");
    pid = traced(adds);
    SYSGOOD(pid);
    until_call(pid, SYS_close);
    resume("left", PTRACE_SYSCALL, pid, 0);
    info = get_info(pid, &len);
    info.words[0] = -EXDEV;
    info.words[1] = 1;
    show_set("result", pid, info);
    show_info("then", pid);
    resume("end", PTRACE_CONT, pid, 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    pid_t pid = traced(calls);
    if (pt(SET_SYSCALL_INFO, pid, 0, 0) == -1 && errno == EIO) {
        kill_it(pid);
        puts("PTRACE_SET_SYSCALL_INFO came with Linux 6.16");
        return 77;
    }
    kill_it(pid);
    set();
}
