/* Hardware breakpoints: at functions that run often, several at once, in one thread, with steps, and through signals. */
#include "ptrace_debug.h"

static volatile long calls;

__attribute__((noinline)) int first(int n)
{
    calls++;
    return n + 1;
}

__attribute__((noinline)) int second(int n)
{
    calls++;
    return n + 2;
}

__attribute__((noinline)) int third(int n)
{
    calls++;
    return n + 3;
}

static int loops(void)
{
    int sum = 0;
    for (volatile int n = 0; n < 20; n++)
        sum += first(n) + (n % 2 ? second(n) : third(n));
    return sum == 20 * 19 + 20 + 50 ? 5 : 6;
}

static const char *place_of(unsigned long pc)
{
    return pc == (long)first ? "first" : pc == (long)second ? "second" : pc == (long)third ? "third" : "elsewhere";
}

static unsigned int on = CONTROL(0xf, 0, 1);

static void set_all(pid_t pid, unsigned int control)
{
    struct debug_state state = {0};
    state.regs[0].addr = (long)first;
    state.regs[1].addr = (long)second;
    state.regs[2].addr = (long)third;
    for (int n = 0; n < 3; n++)
        state.regs[n].ctrl = control;
    struct iovec iov = {&state, 8 + 3 * 16};
    if (pt(PTRACE_SETREGSET, pid, HW_BREAK, (long)&iov) != 0)
        printf("not set: %s\n", strerror(errno));
}

static void often(void)
{
    puts("# as often as it is called");
    pid_t pid = traced(loops);
    int hits = 0, status;
    unsigned long at;
    for (;;) {
        arm(pid, HW_BREAK, 0, (long)first, on);
        status = go(PTRACE_CONT, pid, 0);
        if (!is_hit(pid, status, &at))
            break;
        if (at != (unsigned long)first || PC(get_regs(pid)) != at || (int)ARG(get_regs(pid), 0) != hits)
            puts("elsewhere");
        hits++;
        arm(pid, HW_BREAK, 0, (long)first, 0);
        go(PTRACE_SINGLESTEP, pid, 0);
    }
    printf("%d\n", hits);
    show_status("end", status);

    puts("# three of them");
    pid = traced(loops);
    for (int n = 0; n < 6; n++) {
        set_all(pid, on);
        status = go(PTRACE_CONT, pid, 0);
        printf("%s at %s\n", is_hit(pid, status, &at) ? "hit" : "not hit", place_of(at));
        set_all(pid, 0);
        go(PTRACE_SINGLESTEP, pid, 0);
    }
    set_all(pid, 0);
    resume("end", PTRACE_CONT, pid, 0);
}

static void with_steps(void)
{
    puts("# steps");
    pid_t pid = traced(loops);
    unsigned long at;
    arm(pid, HW_BREAK, 0, (long)second, on);
    int status = go(PTRACE_CONT, pid, 0);
    printf("%s\n", is_hit(pid, status, &at) ? place_of(at) : "not hit");
    status = go(PTRACE_SINGLESTEP, pid, 0);
    printf("a step from it: %s, %s\n", is_hit(pid, status, &at) ? "hit" : "stepped", place_of(PC(get_regs(pid))));
    arm(pid, HW_BREAK, 0, (long)second + 4, on);
    status = go(PTRACE_SINGLESTEP, pid, 0);
    printf("a step onto one: %s\n", is_hit(pid, status, &at) ? "hit" : "stepped");
    status = go(PTRACE_CONT, pid, 0);
    printf("there: %s, %s\n", is_hit(pid, status, &at) ? "hit" : "not hit", at == (long)second + 4 ? "at it" : "elsewhere");
    struct regs regs = get_regs(pid);
    PC(regs) = (long)third;
    set_regs(pid, regs);
    arm(pid, HW_BREAK, 0, (long)third, on);
    status = go(PTRACE_CONT, pid, 0);
    printf("moved onto one: %s at %s\n", is_hit(pid, status, &at) ? "hit" : "not hit", place_of(at));
    kill_it(pid);
}

static void with_break(void)
{
    puts("# with BRK at the same place");
    pid_t pid = traced(loops);
    long old = 0;
    pt(PTRACE_PEEKTEXT, pid, (long)first, (long)&old);
    pt(PTRACE_POKETEXT, pid, (long)first, (old & ~0xffffffffl) | 0xd4200000);
    arm(pid, HW_BREAK, 0, (long)first, on);
    unsigned long at;
    int status = go(PTRACE_CONT, pid, 0);
    printf("%s\n", is_hit(pid, status, &at) ? "hit" : "BRK");
    arm(pid, HW_BREAK, 0, (long)first, 0);
    status = go(PTRACE_CONT, pid, 0);
    printf("%s\n", is_hit(pid, status, &at) ? "hit" : "BRK");
    pt(PTRACE_POKETEXT, pid, (long)first, old);
    resume("end", PTRACE_CONT, pid, 0);
}

static void with_calls(void)
{
    puts("# with system calls");
    pid_t pid = traced(loops);
    SYSGOOD(pid);
    arm(pid, HW_BREAK, 1, (long)third, on);
    unsigned long at;
    int status = go(PTRACE_SYSCALL, pid, 0);
    while (WIFSTOPPED(status) && !is_hit(pid, status, &at))
        status = go(PTRACE_SYSCALL, pid, 0);
    printf("%s at %s\n", is_hit(pid, status, &at) ? "hit" : "not hit", place_of(at));
    arm(pid, HW_BREAK, 1, (long)third, 0);
    int count = 0;
    for (status = go(PTRACE_SYSCALL, pid, 0); WIFSTOPPED(status); status = go(PTRACE_SYSCALL, pid, 0))
        count += WSTOPSIG(status) == (SIGTRAP | 0x80);
    printf("%s\n", count ? "a call" : "no call");
    show_status("end", status);
}

static void *works(void *arg)
{
    return (void *)(long)first(40);
}

static int threads(void)
{
    pthread_t all[4];
    long sum = first(1);
    for (int n = 0; n < 4; n++)
        pthread_create(&all[n], NULL, works, NULL);
    for (int n = 0; n < 4; n++) {
        void *result;
        pthread_join(all[n], &result);
        sum += (long)result;
    }
    return sum == 2 + 4 * 41 ? 7 : 8;
}

/* A tracer arms each thread when it appears. */
static void with_threads(void)
{
    puts("# in threads as they come");
    pid_t pid = traced(threads);
    pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    arm(pid, HW_BREAK, 0, (long)first, on);
    pt(PTRACE_CONT, pid, 0, 0);
    int hits = 0, made = 0, others = 0, status = 0;
    for (;;) {
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0)
            break;
        if (!WIFSTOPPED(status)) {
            if (tid == pid)
                show_status("end", status);
            continue;
        }
        unsigned long at;
        if (status >> 16 == PTRACE_EVENT_CLONE)
            made++;
        else if (status >> 8 == SIGSTOP)
            arm(tid, HW_BREAK, 0, (long)first, on);
        else if (is_hit(tid, status, &at) && at == (unsigned long)first) {
            hits++;
            arm(tid, HW_BREAK, 0, 0, 0);
        } else
            others++;
        pt(PTRACE_CONT, tid, 0, 0);
    }
    printf("%d made, %d hits, %d other stops\n", made, hits, others);
}

static volatile sig_atomic_t handled;

static void note(int signal)
{
    handled += first(signal);
}

static int signals(void)
{
    signal(SIGUSR1, note);
    raise(SIGUSR1);
    raise(SIGUSR1);
    return handled;
}

static void with_signals(void)
{
    puts("# at a handler");
    pid_t pid = traced(signals);
    arm(pid, HW_BREAK, 0, (long)note, on);
    resume("signal", PTRACE_CONT, pid, 0);
    unsigned long at;
    int status = go(PTRACE_CONT, pid, SIGUSR1);
    printf("%s\n", is_hit(pid, status, &at) && at == (unsigned long)note ? "hit" : "not hit");
    arm(pid, HW_BREAK, 0, (long)first, on);
    status = go(PTRACE_CONT, pid, 0);
    printf("%s\n", is_hit(pid, status, &at) && at == (unsigned long)first ? "hit" : "not hit");
    arm(pid, HW_BREAK, 0, (long)note, on);
    resume("signal", PTRACE_CONT, pid, 0);
    status = go(PTRACE_SINGLESTEP, pid, SIGUSR1);
    printf("a step into it: %s\n", is_hit(pid, status, &at) ? "hit" : "stepped");
    status = go(PTRACE_CONT, pid, 0);
    printf("%s\n", is_hit(pid, status, &at) ? "hit" : "not hit");
    arm(pid, HW_BREAK, 0, 0, 0);
    resume("end", PTRACE_CONT, pid, 0);
}

static int blocks(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return first(3);
}

static void blocked(void)
{
    puts("# SIGTRAP is blocked");
    pid_t pid = traced(blocks);
    arm(pid, HW_BREAK, 0, (long)first, on);
    resume("hit", PTRACE_CONT, pid, 0);
    arm(pid, HW_BREAK, 0, 0, 0);
    resume("end", PTRACE_CONT, pid, 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    often();
    with_steps();
    with_break();
    with_calls();
    with_threads();
    with_signals();
    blocked();
}
