/* struct ptrace_syscall_info in the guest tests of ptrace(2). */
#ifndef PTRACE_INFO_H
#define PTRACE_INFO_H
#include "ptrace.h"
#include <linux/audit.h>

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif

struct info {
    uint8_t op, reserved;
    uint16_t flags;
    uint32_t arch;
    uint64_t pc, sp, words[8];
};

static inline struct info get_info(pid_t pid, long *len)
{
    struct info info = {0};
    *len = pt(GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
    return info;
}

static inline void show_info(const char *what, pid_t pid)
{
    static const char *const ops[] = {"none", "entry", "exit", "seccomp"};
    long len;
    struct info info = get_info(pid, &len);
    printf("%s: %ld bytes, %s", what, len, ops[info.op & 3]);
    if (info.arch != ARCH)
        printf(", another architecture");
    if (info.pc != PC(get_regs(pid)))
        printf(", pc elsewhere");
    if (info.op == 1 && info.words[0] == SYS_getpid)
        printf(", getpid(%ld, %ld, %ld, %ld, %ld, %ld)", info.words[1], info.words[2], info.words[3], info.words[4],
               info.words[5], info.words[6]);
    else if (info.op == 1)
        printf(", %s(%ld)", info.words[0] == SYS_close ? "close" : info.words[0] == SYS_exit_group ? "exit_group" : "another",
               info.words[0] == SYS_close || info.words[0] == SYS_exit_group ? info.words[1] : 0);
    if (info.op == 2)
        printf(", %ld, %s", info.words[0] == pid ? 0 : info.words[0], info.words[1] & 0xff ? "error" : "no error");
    puts("");
}

#endif
