// seccomp(2): which programs the kernel takes, its errors and their order, modes, sizes and limits.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name(long result) {
    static char number[24];
    if (result >= 0) {
        sprintf(number, "%ld", result);
        return number;
    }
    return strerrorname_np(errno);
}

static long install(unsigned flags, struct sock_filter *insns, int len) {
    struct sock_fprog program = {len, insns};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define COUNT(array) (int)(sizeof(array) / sizeof(array[0]))

struct try {
    const char *what;
    int len;
    struct sock_filter insns[8];
};

static struct try tries[] = {
    {"return", 1, {ALLOW}},
    {"return A", 1, {BPF_STMT(BPF_RET | BPF_A, 0)}},
    {"return X", 1, {BPF_STMT(BPF_RET | BPF_X, 0)}},
    {"no return", 1, {BPF_STMT(BPF_LD | BPF_IMM, 0)}},
    {"load first", 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), ALLOW}},
    {"load last", 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), ALLOW}},
    {"load behind", 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW}},
    {"load unaligned", 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW}},
    {"load half", 2, {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW}},
    {"load byte", 2, {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ALLOW}},
    {"load indirect", 2, {BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOW}},
    {"load ancillary", 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF), ALLOW}},
    {"load length", 3, {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), ALLOW}},
    {"load header", 2, {BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), ALLOW}},
    {"load index", 2, {BPF_STMT(BPF_LDX | BPF_IMM, 7), ALLOW}},
    {"div 0", 2, {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW}},
    {"div X", 2, {BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ALLOW}},
    {"mod", 2, {BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOW}},
    {"mod X", 2, {BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 3), ALLOW}},
    {"xor", 2, {BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 3), ALLOW}},
    {"neg", 2, {BPF_STMT(BPF_ALU | BPF_NEG, 0), ALLOW}},
    {"neg X", 2, {BPF_STMT(BPF_ALU | BPF_NEG | BPF_X, 0), ALLOW}},
    {"shift 31", 2, {BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 31), ALLOW}},
    {"shift 32", 2, {BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32), ALLOW}},
    {"cell read first", 2, {BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW}},
    {"cell written", 3, {BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LDX | BPF_MEM, 15), ALLOW}},
    {"cell 16", 2, {BPF_STMT(BPF_STX, 16), ALLOW}},
    {"cell on one way", 4, {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 1), ALLOW}},
    {"cell on both", 6, {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), BPF_STMT(BPF_ST, 1), BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), BPF_STMT(BPF_STX, 1), BPF_STMT(BPF_LD | BPF_MEM, 1), ALLOW}},
    {"jump", 2, {BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0), ALLOW}},
    {"jump behind", 2, {BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), ALLOW}},
    {"jump far", 2, {BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), ALLOW}},
    {"branch behind", 2, {BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 1), ALLOW}},
    {"branch code", 2, {BPF_JUMP(BPF_JMP | 0x50, 0, 0, 0), ALLOW}},
    {"move", 3, {BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), ALLOW}},
    {"unknown", 2, {{0xff, 0, 0, 0}, ALLOW}},
    {"empty", 0, {ALLOW}},
};

// How many filters of these instructions there may be.
static int limit(struct sock_filter *insns, int len) {
    int to_parent[2], count = 0;
    pipe(to_parent);
    if (fork() == 0) {
        while (install(0, insns, len) == 0) {
            count++;
        }
        write(to_parent[1], &count, sizeof count);
        _exit(errno);
    }
    int status;
    wait(&status);
    close(to_parent[1]);
    read(to_parent[0], &count, sizeof count);
    close(to_parent[0]);
    errno = WEXITSTATUS(status);
    return count;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    struct sock_filter allow[] = {ALLOW};
    // The order of errors, with the right to have filters or without.
    if (geteuid() == 0 && fork() == 0) {
        setresuid(1000, 1000, 1000);
        struct sock_fprog null = {1, NULL}, none = {0, allow};
        printf("unprivileged: %s\n", name(install(0, allow, 1)));
        printf("unprivileged, no program: %s\n", name(syscall(SYS_seccomp, 1, 0, &null)));
        printf("unprivileged, no length: %s\n", name(syscall(SYS_seccomp, 1, 0, &none)));
        printf("unprivileged, no structure: %s\n", name(syscall(SYS_seccomp, 1, 0, 8)));
        printf("unprivileged, by prctl: %s\n", name(prctl(PR_SET_SECCOMP, 2, &null, 0, 0)));
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        printf("without new privileges: %s\n", name(install(0, allow, 1)));
        _exit(0);
    } else if (geteuid() != 0) {
        puts("unprivileged: EACCES\nunprivileged, no program: EACCES\nunprivileged, no length: EINVAL\n"
             "unprivileged, no structure: EFAULT\nunprivileged, by prctl: EACCES\nwithout new privileges: 0");
    }
    wait(NULL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    struct sock_fprog null = {1, NULL}, bad = {1, (void *)16};
    printf("no program: %s\n", name(syscall(SYS_seccomp, 1, 0, &null)));
    printf("bad program: %s\n", name(syscall(SYS_seccomp, 1, 0, &bad)));
    printf("too long: %s\n", name(install(0, allow, 4097)));
    printf("operation 9: %s\n", name(syscall(SYS_seccomp, 9, 0, NULL)));
    printf("strict with flags: %s\n", name(syscall(SYS_seccomp, 0, 1, NULL)));
    printf("strict with argument: %s\n", name(syscall(SYS_seccomp, 0, 0, &null)));
    printf("unknown flag: %s\n", name(install(1 << 10, NULL, 0)));
    printf("tsync and listener: %s\n", name(install(1 | 8, NULL, 0)));
    printf("killable without listener: %s\n", name(install(32, NULL, 0)));
    printf("prctl mode 3: %s\n", name(prctl(PR_SET_SECCOMP, 3, 0, 0, 0)));
    printf("prctl mode 0: %s\n", name(prctl(PR_SET_SECCOMP, 0, 0, 0, 0)));
    unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF,
                          SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW, 1, 0x12340000};
    for (int i = 0; i < COUNT(actions); i++) {
        printf("action %#x: %s\n", actions[i], name(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i])));
    }
    printf("action, flags: %s\n", name(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &actions[0])));
    printf("action, no pointer: %s\n", name(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL)));
    struct seccomp_notif_sizes sizes = {0};
    printf("sizes: %s", name(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes)));
    printf(" %u %u %u\n", sizes.seccomp_notif, sizes.seccomp_notif_resp, sizes.seccomp_data);
    printf("sizes, no pointer: %s\n", name(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, NULL)));
    for (int i = 0; i < COUNT(tries); i++) {
        if (fork() == 0) {
            // What is taken may forbid all that comes then.
            long result = install(0, tries[i].insns, tries[i].len);
            if (result == 0) {
                _exit(0);
            }
            _exit(errno);
        }
        int status;
        wait(&status);
        if (WIFSIGNALED(status)) {
            printf("%s: taken, dies of %d\n", tries[i].what, WTERMSIG(status));
        } else {
            printf("%s: %s\n", tries[i].what, WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : "taken");
        }
    }
    struct sock_filter longest[4096];
    for (int i = 0; i < 4096; i++) {
        longest[i] = (struct sock_filter)ALLOW;
    }
    int count = limit(longest, 4096);
    printf("filters of 4096: %d, then %s\n", count, strerrorname_np(errno));
    struct sock_filter mixed[1000];
    for (int i = 0; i < 1000; i++) {
        struct sock_filter each[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i, 1, 2),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i, 0, 2),
            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80000000, 2, 0),
            BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0x80000000, 2, 0),
            BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
            BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
        };
        mixed[i] = i > 995 ? (struct sock_filter)ALLOW : each[i % COUNT(each)];
    }
    count = limit(mixed, 1000);
    printf("filters of 1000: %d, then %s\n", count, strerrorname_np(errno));
    printf("mode %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    printf("by prctl: %s\n", name(prctl(PR_SET_SECCOMP, 2, &(struct sock_fprog){1, allow}, 0, 0)));
    printf("mode %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    printf("strict after it: %s\n", name(prctl(PR_SET_SECCOMP, 1, 0, 0, 0)));
    return 0;
}
