/* Hardware breakpoints and watchpoints in the guest tests of ptrace(2): struct user_hwdebug_state and what a hit shows. */
#ifndef PTRACE_DEBUG_H
#define PTRACE_DEBUG_H
#include "ptrace.h"

#define HW_BREAK 0x402
#define HW_WATCH 0x403
#define TRAP_HWBKPT 4
#define LOADS 1
#define STORES 2
#define CONTROL(bytes, type, on) ((bytes) << 5 | (type) << 3 | 2 << 1 | (on))

struct debug_state {
    uint32_t info, pad;
    struct { uint64_t addr; uint32_t ctrl, pad; } regs[16];
};

/* Sets register `index` of a set whose others are off; the answer. */
static inline const char *arm(pid_t pid, int set, int index, unsigned long addr, unsigned int ctrl)
{
    struct debug_state state = {0};
    state.regs[index].addr = addr;
    state.regs[index].ctrl = ctrl;
    struct iovec iov = {&state, 8 + 16 * (index + 1)};
    return answer(pt(PTRACE_SETREGSET, pid, set, (long)&iov));
}

static inline struct debug_state get_debug(pid_t pid, int set, size_t *len)
{
    struct debug_state state = {0};
    struct iovec iov = {&state, sizeof state};
    if (pt(PTRACE_GETREGSET, pid, set, (long)&iov) != 0)
        printf("not got: %s\n", strerror(errno));
    if (len)
        *len = iov.iov_len;
    return state;
}

/* Whether a stop is that of a breakpoint or watchpoint; its address. */
static inline int is_hit(pid_t pid, int status, unsigned long *addr)
{
    siginfo_t info;
    if (!WIFSTOPPED(status) || status >> 8 != SIGTRAP || pt(PTRACE_GETSIGINFO, pid, 0, (long)&info) != 0)
        return 0;
    *addr = (unsigned long)info.si_addr & ~0UL >> 8;
    return info.si_code == TRAP_HWBKPT;
}

static inline int go(long request, pid_t pid, int signal)
{
    int status = -1;
    if (pt(request, pid, 0, signal) != 0)
        printf("not resumed: %s\n", strerror(errno));
    waitpid(pid, &status, __WALL);
    return status;
}
#endif
