/* Tracing in the guest tests of ptrace(2): the raw call, and stops as one line each.
 * Registers are named by what they hold, so that both architectures print the same. */
#ifndef PTRACE_TEST_H
#define PTRACE_TEST_H
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NT_SYSTEM_CALL 0x404
#define GET_SYSCALL_INFO 0x420e
#define EVENT_STOP 128

#ifdef __aarch64__
struct regs { unsigned long x[31], sp, pc, pstate; };
#define PC(r) ((r).pc)
#define RESULT(r) ((r).x[0])
#define ARG(r, n) ((r).x[n])
#define NUMBER(r) ((r).x[8])
#else
#include <sys/user.h>
struct regs { struct user_regs_struct u; };
#define PC(r) ((r).u.rip)
#define RESULT(r) ((r).u.rax)
#define ARG(r, n) (*((n) == 0 ? &(r).u.rdi : (n) == 1 ? &(r).u.rsi : &(r).u.rdx))
#define NUMBER(r) ((r).u.orig_rax)
#endif

struct call_info {
    uint8_t op, pad[3];
    uint32_t arch;
    uint64_t pc, sp;
    union {
        struct { uint64_t nr, args[6]; } entry;
        struct { int64_t rval; uint8_t is_error; } exit;
        char room[64];
    };
};

static inline long pt(long request, pid_t pid, unsigned long addr, unsigned long data)
{
    return syscall(SYS_ptrace, request, (long)pid, addr, data);
}

/* 0, or the error's name. */
static inline const char *answer(long result)
{
    static char text[2][40];
    static int which;
    char *place = text[which ^= 1];
    if (result == -1) {
        const char *name = strerrorname_np(errno);
        return name ? name : "error";
    }
    snprintf(place, sizeof text[0], "%ld", result);
    return place;
}

static inline struct regs get_regs(pid_t pid)
{
    struct regs regs;
    struct iovec iov = {&regs, sizeof regs};
    if (pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov) != 0 || iov.iov_len != sizeof regs)
        printf("no registers: %s\n", strerror(errno));
    return regs;
}

static inline void set_regs(pid_t pid, struct regs regs)
{
    struct iovec iov = {&regs, sizeof regs};
    if (pt(PTRACE_SETREGSET, pid, NT_PRSTATUS, (long)&iov) != 0)
        printf("registers not set: %s\n", strerror(errno));
}

/* The number of the call that a tracee enters. */
static inline void set_number(pid_t pid, int number)
{
#ifdef __aarch64__
    struct iovec iov = {&number, sizeof number};
    if (pt(PTRACE_SETREGSET, pid, NT_SYSTEM_CALL, (long)&iov) != 0)
        printf("number not set: %s\n", strerror(errno));
#else
    struct regs regs = get_regs(pid);
    NUMBER(regs) = number;
    set_regs(pid, regs);
#endif
}

static const char *const events[] = {"", "fork", "vfork", "clone", "exec", "vfork done", "exit", "seccomp"};

static inline void show_status(const char *who, int status)
{
    if (WIFEXITED(status))
        printf("%s: exited %d\n", who, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: killed by %s\n", who, sigabbrev_np(WTERMSIG(status)));
    else if (WIFCONTINUED(status))
        printf("%s: continued\n", who);
    else if (status >> 16 == EVENT_STOP)
        printf("%s: event stop %s\n", who, sigabbrev_np(WSTOPSIG(status)));
    else if (status >> 16)
        printf("%s: event %s\n", who, events[status >> 16 & 7]);
    else if (WSTOPSIG(status) == (SIGTRAP | 0x80))
        printf("%s: call\n", who);
    else
        printf("%s: signal %s\n", who, sigabbrev_np(WSTOPSIG(status)));
}

/* Waits for a stop or end, and shows it. */
static inline int next(const char *who, pid_t pid)
{
    int status = 0;
    pid_t found = waitpid(pid, &status, __WALL);
    if (found != pid)
        printf("%s: waitpid gives %d, %s\n", who, found, strerror(errno));
    else
        show_status(who, status);
    return status;
}

static inline int resume(const char *who, long request, pid_t pid, int signal)
{
    if (pt(request, pid, 0, signal) != 0)
        printf("%s: not resumed: %s\n", who, strerror(errno));
    return next(who, pid);
}

/* A child that asks to be traced, stops, and runs `body`; its status is that. */
static inline pid_t traced(int (*body)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (pt(PTRACE_TRACEME, 0, 0, 0) != 0)
            _exit(99);
        raise(SIGSTOP);
        _exit(body());
    }
    int status;
    waitpid(pid, &status, 0);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
        show_status("first", status);
    return pid;
}

/* A child that nobody traces and that runs `body`. */
static inline pid_t child(int (*body)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    return pid;
}

static inline char state_of(pid_t pid)
{
    char path[64], line[512], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    ssize_t count = read(fd, line, sizeof line - 1);
    if (count > 0) {
        line[count] = 0;
        state = strrchr(line, ')')[2];
    }
    close(fd);
    return state;
}

/* Until the process sleeps, stops or is a zombie. */
static inline void until(pid_t pid, const char *states)
{
    for (int i = 0; i < 20000; i++) {
        if (strchr(states, state_of(pid)))
            return;
        usleep(500);
    }
    printf("state %c, wanted one of %s\n", state_of(pid), states);
}

/* Goes on from call to call until one with this number is entered. */
static inline int until_call(pid_t pid, long number)
{
    for (;;) {
        int status = 0;
        if (pt(PTRACE_SYSCALL, pid, 0, 0) != 0 || waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
            show_status("until_call", status);
            return -1;
        }
        if (WSTOPSIG(status) != (SIGTRAP | 0x80))
            continue;
        struct call_info info;
        pt(GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
        if (info.op == 1 && (long)info.entry.nr == number)
            return 0;
    }
}

static inline void kill_it(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, __WALL) == pid)
        ;
}

#define SYSGOOD(pid) pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
#endif
