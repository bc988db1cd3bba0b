/* Single steps over plain instructions, branches, system calls and breakpoints; code that the tracer writes; floating
 * point, thread-local and vector registers. What differs by architecture is between #ifdef, and prints the same. */
#include "ptrace.h"

#ifdef __aarch64__
#define BREAK 0xd4200000u
#define BREAK_LEN 4
#else
#define BREAK 0xccu
#define BREAK_LEN 1
#endif

/* Three instructions of no effect, a branch over a trap, and a call to the kernel. */
extern char steps_begin[], steps_branch[], steps_target[], steps_call[], steps_behind[], steps_end[];
long steps(void);
asm(".text\n .balign 16\n"
    " .globl steps, steps_begin, steps_branch, steps_target, steps_call, steps_behind, steps_end\n"
#ifdef __aarch64__
    ".type steps, %function\n"
    "steps:\n"
    "    mov x8, #172\n" /* getpid */
    "steps_begin:\n"
    "    nop\n"
    "    nop\n"
    "steps_branch:\n"
    "    b steps_target\n"
    "    udf #0\n"
    "steps_target:\n"
    "    nop\n"
    "steps_call:\n"
    "    svc #0\n"
    "steps_behind:\n"
    "    nop\n"
    "steps_end:\n"
    "    ret\n"
#else
    "steps:\n"
    "    mov $39, %eax\n"
    "steps_begin:\n"
    "    nop\n"
    "    nop\n"
    "steps_branch:\n"
    "    jmp steps_target\n"
    "    ud2\n"
    "steps_target:\n"
    "    nop\n"
    "steps_call:\n"
    "    syscall\n"
    "steps_behind:\n"
    "    nop\n"
    "steps_end:\n"
    "    ret\n"
#endif
);

static int body(void)
{
    return steps() == getpid() ? 3 : 4;
}

static volatile long called;

__attribute__((noinline)) int doubled(int value)
{
    called++;
    return value * 2;
}

static int loops(void)
{
    int sum = 0;
    for (volatile int i = 0; i < 100; i++)
        sum += doubled(i);
    return sum == 9900 ? 5 : 6;
}

static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught += signal;
}

static int handles(void)
{
    signal(SIGUSR1, note);
    raise(SIGUSR1);
    return caught;
}

static int counts(void)
{
    volatile double value = 1.5;
    raise(SIGSTOP);
    value *= 2;
    return value == 3.0 ? 7 : 8;
}

/* Puts a breakpoint at an address; gives what was there. */
static long put_break(pid_t pid, char *at)
{
    long old = 0;
    pt(PTRACE_PEEKTEXT, pid, (long)at, (long)&old);
    long mask = BREAK_LEN == 4 ? 0xffffffffL : 0xff;
    if (pt(PTRACE_POKETEXT, pid, (long)at, (old & ~mask) | BREAK) != 0)
        printf("not poked: %s\n", strerror(errno));
    return old;
}

/* At a breakpoint that was hit: back to its address, with the old code. */
static void leave_break(pid_t pid, char *at, long old)
{
    struct regs regs = get_regs(pid);
    printf("pc %s\n", PC(regs) == (unsigned long)at + (BREAK_LEN == 1) ? "at it" : "elsewhere");
    PC(regs) = (unsigned long)at;
    set_regs(pid, regs);
    pt(PTRACE_POKETEXT, pid, (long)at, old);
}

static const char *place_of(unsigned long pc)
{
    return pc == (long)steps_begin ? "begin" : pc == (long)steps_branch ? "branch" : pc == (long)steps_target ? "target" :
           pc == (long)steps_call ? "call" : pc == (long)steps_behind ? "behind" : pc == (long)steps_end ? "end" : "between";
}

static void stepped(void)
{
    puts("# steps");
    pid_t pid = traced(body);
    long old = put_break(pid, steps_begin);
    resume("break", PTRACE_CONT, pid, 0);
    leave_break(pid, steps_begin, old);
    for (int i = 0; i < 8; i++) {
        int status;
        pt(PTRACE_SINGLESTEP, pid, 0, 0);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            show_status("step", status);
        printf("%s\n", place_of(PC(get_regs(pid))));
        if (PC(get_regs(pid)) == (unsigned long)steps_behind)
            printf("result %s\n", (pid_t)RESULT(get_regs(pid)) == pid ? "right" : "wrong");
        if (PC(get_regs(pid)) == (unsigned long)steps_end)
            break;
    }
    resume("end", PTRACE_CONT, pid, 0);
}

static void broken(void)
{
    puts("# a breakpoint in code that has run");
    pid_t pid = traced(loops);
    long old = put_break(pid, (char *)doubled);
    int hits = 0, status;
    for (;;) {
        pt(PTRACE_CONT, pid, 0, 0);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        hits++;
        struct regs regs = get_regs(pid);
        PC(regs) = (unsigned long)doubled;
        set_regs(pid, regs);
        pt(PTRACE_POKETEXT, pid, (long)doubled, old);
        if (hits == 60)
            continue;
        pt(PTRACE_SINGLESTEP, pid, 0, 0);
        waitpid(pid, &status, 0);
        put_break(pid, (char *)doubled);
    }
    printf("%d hits\n", hits);
    show_status("end", status);

    puts("# written through /proc/PID/mem");
    pid = traced(loops);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = open(path, O_RDWR);
    unsigned int code = BREAK, before;
    if (pread(fd, &before, BREAK_LEN, (off_t)(long)doubled) != BREAK_LEN ||
        pwrite(fd, &code, BREAK_LEN, (off_t)(long)doubled) != BREAK_LEN)
        printf("mem: %s\n", strerror(errno));
    resume("break", PTRACE_CONT, pid, 0);
    if (pwrite(fd, &before, BREAK_LEN, (off_t)(long)doubled) != BREAK_LEN)
        printf("mem: %s\n", strerror(errno));
    struct regs regs = get_regs(pid);
    PC(regs) = (unsigned long)doubled;
    set_regs(pid, regs);
    resume("end", PTRACE_CONT, pid, 0);
    close(fd);

    puts("# a breakpoint that is delivered");
    pid = traced(loops);
    put_break(pid, (char *)doubled);
    resume("break", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGTRAP);
}

static void into_handler(void)
{
    puts("# a step into a handler");
    pid_t pid = traced(handles);
    resume("signal", PTRACE_CONT, pid, 0);
    resume("step", PTRACE_SINGLESTEP, pid, SIGUSR1);
    printf("pc %s\n", PC(get_regs(pid)) == (unsigned long)note ? "at the handler" : "elsewhere");
    resume("end", PTRACE_CONT, pid, 0);
}

static void many(void)
{
    puts("# steps to the end");
    pid_t pid = traced(loops);
    long steps = 0;
    int status;
    for (;;) {
        pt(PTRACE_SINGLESTEP, pid, 0, 0);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        steps++;
    }
    printf("%s\n", steps > 800 && steps < 100000 ? "as many as expected" : "too few or many");
    show_status("end", status);
}

static void called_function(void)
{
    puts("# a function called by the tracer");
    pid_t pid = traced(loops);
    struct regs saved = get_regs(pid), regs = saved;
    ARG(regs, 0) = 21;
#ifdef __aarch64__
    regs.sp -= 256;
    regs.x[30] = 0x10;
#else
    regs.u.rsp = (regs.u.rsp - 512 & ~15) - 8;
    regs.u.orig_rax = -1;
    pt(PTRACE_POKEDATA, pid, regs.u.rsp, 0x10);
#endif
    PC(regs) = (unsigned long)doubled;
    set_regs(pid, regs);
    resume("back", PTRACE_CONT, pid, 0);
    printf("result %d\n", (int)RESULT(get_regs(pid)));
    set_regs(pid, saved);
    resume("end", PTRACE_CONT, pid, 0);
}

static void other_registers(void)
{
    puts("# floating point");
    pid_t pid = traced(counts);
    resume("stop", PTRACE_CONT, pid, 0);
    char state[4096];
    struct iovec iov = {state, sizeof state};
    printf("%s", answer(pt(PTRACE_GETREGSET, pid, NT_PRFPREG, (long)&iov)));
    printf(" %s\n", iov.iov_len >= 512 && iov.iov_len <= 528 ? "whole" : "part");
    state[16 * 20] ^= 1;
    printf("%s", answer(pt(PTRACE_SETREGSET, pid, NT_PRFPREG, (long)&iov)));
    char again[4096];
    iov.iov_base = again;
    pt(PTRACE_GETREGSET, pid, NT_PRFPREG, (long)&iov);
    printf(" %s\n", again[16 * 20] == state[16 * 20] ? "set" : "not set");
    resume("end", PTRACE_CONT, pid, 0);
}

int main(void)
{
    stepped();
    broken();
    into_handler();
    many();
    called_function();
    other_registers();
}
