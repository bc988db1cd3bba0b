/* SECCOMP_RET_TRACE: the event and its message, calls changed and skipped there, and calls that nobody asks about;
 * PTRACE_SECCOMP_GET_FILTER and PTRACE_SECCOMP_GET_METADATA. */
#include "ptrace.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define GET_FILTER 0x420c
#define GET_METADATA 0x420d
#define OPTIONS(pid, options) pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | (options))

/* getppid asks the tracer with 77, getpgid always fails. */
static struct sock_filter trace[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 77),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

static void install(struct sock_filter *insns, unsigned short len)
{
    struct sock_fprog program = {len, insns};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        _exit(98);
}

/* 1: the call's own result; 2: 4242; 3: EDOM; 4: ENOSYS; 5: that of getpid; 6: another. */
static int asks(void)
{
    install(trace, 6);
    raise(SIGSTOP);
    errno = 0;
    long result = syscall(SYS_getppid, 11, 12, 13);
    return result == -1 ? (errno == EDOM ? 3 : errno == ENOSYS ? 4 : 6)
           : result == 4242 ? 2 : result == getpid() ? 5 : 1;
}

static int two_filters(void)
{
    install(trace, 6);
    install(allow, 1);
    raise(SIGSTOP);
    return 0;
}

static int quiet(void)
{
    return 0;
}

static pid_t filtered(const char *name, unsigned long options)
{
    printf("# %s\n", name);
    pid_t pid = traced(asks);
    printf("options %s\n", answer(OPTIONS(pid, options)));
    resume("filter", PTRACE_CONT, pid, 0);
    return pid;
}

static void show_event(pid_t pid)
{
    unsigned long message = 0;
    siginfo_t info;
    struct {
        struct call_info call;
        char more[16];
    } room;
    memset(&room, 0xee, sizeof room);
    pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message);
    pt(PTRACE_GETSIGINFO, pid, 0, (long)&info);
    long size = pt(GET_SYSCALL_INFO, pid, sizeof room, (long)&room);
    printf("message %lu, code %#x, info of %ld bytes, op %d", message, info.si_code, size, room.call.op);
    if (room.call.op == 3) {
        uint32_t data;
        memcpy(&data, (char *)&room + 80, sizeof data);
        printf(", %s, arguments %ld %ld %ld, data %u", room.call.entry.nr == SYS_getppid ? "getppid" : "another",
               (long)room.call.entry.args[0], (long)room.call.entry.args[1], (long)room.call.entry.args[2], data);
    }
    printf("\n");
}

static void events_and_changes(void)
{
    pid_t pid = filtered("made as it is", PTRACE_O_TRACESECCOMP);
    resume("asked", PTRACE_CONT, pid, 0);
    show_event(pid);
    resume("end", PTRACE_CONT, pid, 0);

    pid = filtered("between entry and exit", PTRACE_O_TRACESECCOMP);
    until_call(pid, SYS_getppid);
    resume("asked", PTRACE_SYSCALL, pid, 0);
    show_event(pid);
    resume("left", PTRACE_SYSCALL, pid, 0);
    show_event(pid);
    resume("end", PTRACE_CONT, pid, 0);

    pid = filtered("another number", PTRACE_O_TRACESECCOMP);
    resume("asked", PTRACE_CONT, pid, 0);
    set_number(pid, SYS_getpid);
    resume("end", PTRACE_CONT, pid, 0);

    pid = filtered("another number, which the filter refuses", PTRACE_O_TRACESECCOMP);
    resume("asked", PTRACE_CONT, pid, 0);
    set_number(pid, SYS_getpgid);
    resume("end", PTRACE_CONT, pid, 0);

    pid = filtered("skipped, with a result", PTRACE_O_TRACESECCOMP);
    resume("asked", PTRACE_CONT, pid, 0);
    set_number(pid, -1);
    struct regs regs = get_regs(pid);
    RESULT(regs) = 4242;
    set_regs(pid, regs);
    resume("end", PTRACE_CONT, pid, 0);

    pid = filtered("the tracer is not to be asked", 0);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# no tracer");
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(asks());
    int status;
    waitpid(pid, &status, WUNTRACED);
    kill(pid, SIGCONT);
    next("end", pid);
}

static int privileged;

/* What a request gives: with the privilege this, without it EACCES. */
static void expect(const char *what, long result, const char *wanted)
{
    const char *is = answer(result);
    if (strcmp(is, privileged ? wanted : "EACCES"))
        printf("%s: %s, not %s\n", what, is, wanted);
}

static void filters(void)
{
    struct { uint64_t off, flags; } data = {0, 0};
    struct sock_filter insns[16];
    puts("# filters are read");
    pid_t pid = traced(two_filters);
    OPTIONS(pid, 0);
    privileged = pt(GET_FILTER, pid, 0, 0) != -1 || errno != EACCES;
    expect("no filter", pt(GET_FILTER, pid, 0, 0), "EINVAL");
    expect("no filter's metadata", pt(GET_METADATA, pid, sizeof data, (long)&data), "EINVAL");
    resume("filters", PTRACE_CONT, pid, 0);
    expect("length of the oldest", pt(GET_FILTER, pid, 0, 0), "6");
    expect("the oldest", pt(GET_FILTER, pid, 0, (long)insns), "6");
    if (privileged && memcmp(insns, trace, sizeof trace))
        puts("the oldest is wrong");
    expect("the newest", pt(GET_FILTER, pid, 1, (long)insns), "1");
    if (privileged && memcmp(insns, allow, sizeof allow))
        puts("the newest is wrong");
    expect("none", pt(GET_FILTER, pid, 2, 0), "ENOENT");
    expect("nowhere", pt(GET_FILTER, pid, 0, 16), "EFAULT");
    data.off = 1;
    data.flags = 0xeeee;
    expect("metadata", pt(GET_METADATA, pid, sizeof data, (long)&data), "16");
    if (privileged && (data.off != 1 || data.flags != 0))
        puts("metadata are wrong");
    expect("too little room", pt(GET_METADATA, pid, 7, (long)&data), "EINVAL");
    expect("the number alone", pt(GET_METADATA, pid, 8, (long)&data), "8");
    expect("more room", pt(GET_METADATA, pid, 4000, (long)&data), "16");
    expect("no room", pt(GET_METADATA, pid, 16, 0), "EFAULT");
    data.off = 2;
    expect("none's metadata", pt(GET_METADATA, pid, 16, (long)&data), "ENOENT");
    kill_it(pid);
    puts("# the tracer has no privilege");
    fflush(stdout);
    if (fork() == 0) {
        if (getuid() == 0 && setresuid(1, 1, 1) != 0)
            _exit(1);
        /* Whose memory its tracer may read. */
        prctl(PR_SET_DUMPABLE, 1);
        pid = traced(quiet);
        printf("%s", answer(pt(GET_FILTER, pid, 0, 0)));
        printf(" %s\n", answer(pt(GET_METADATA, pid, sizeof data, (long)&data)));
        kill_it(pid);
        exit(0);
    }
    wait(NULL);
}

int main(void)
{
    events_and_changes();
    filters();
}
