// seccomp(2): what filters see, what their answers do, which one counts, and strict mode.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#define PC(context) ((context)->uc_mcontext.pc)
#define ARG0(context) ((context)->uc_mcontext.regs[0])
#define NUMBER(context) ((context)->uc_mcontext.regs[8])
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#else
#define ARCH AUDIT_ARCH_X86_64
#define PC(context) ((context)->uc_mcontext.gregs[REG_RIP])
#define ARG0(context) ((context)->uc_mcontext.gregs[REG_RDI])
#define NUMBER(context) ((context)->uc_mcontext.gregs[REG_RAX])
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#endif

#define DATA(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(value) BPF_STMT(BPF_RET | BPF_K, value)
#define ALLOW RET(SECCOMP_RET_ALLOW)
#define COUNT(array) (int)(sizeof(array) / sizeof(array[0]))
#define INSTALL(...)                                                                    \
    do {                                                                                \
        struct sock_filter insns[] = {__VA_ARGS__};                                     \
        install(insns, COUNT(insns));                                                   \
    } while (0)
// For calls of this number.
#define FOR(number, value) INSTALL(DATA(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RET(value), ALLOW)

static void install(struct sock_filter *insns, int len) {
    struct sock_fprog program = {len, insns};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        perror("install");
    }
}

static void tell(const char *what, long result) {
    printf("%s: %ld %s\n", what, result, result == -1 ? strerrorname_np(errno) : "");
}

static void errno_values(void) {
    int values[] = {0, 1, 13, 512, 514, 4095, 0xffff};
    for (int i = 0; i < COUNT(values); i++) {
        if (fork() == 0) {
            FOR(SYS_getppid, SECCOMP_RET_ERRNO | values[i]);
            errno = 0;
            long result = syscall(SYS_getppid);
            printf("errno %d: %ld %d\n", values[i], result, errno);
            exit(0);
        }
        wait(NULL);
    }
}

static void data_seen(void) {
    // Each word of the arguments, the architecture and the number lead to one answer.
    INSTALL(DATA(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 15), DATA(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, 12),
            DATA(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x11111111, 0, 10), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x22222222, 0, 8), DATA(args[5]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x33333333, 0, 6),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x44444444, 0, 4), DATA(args[2]),
            BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff), BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0),
            RET(SECCOMP_RET_ERRNO | 99), ALLOW);
    tell("data", syscall(SYS_getppid, 0x2222222211111111, 0, 0xff0b, 0, 0, 0x4444444433333333));
    tell("other data", syscall(SYS_getppid, 0x2222222211111112, 0, 0xff0b, 0, 0, 0x4444444433333333));
    tell("another call", syscall(SYS_getppid + 0) == -1);
}

static void no_such_call(void) {
    FOR(5000, SECCOMP_RET_ERRNO | 11);
    FOR(0xffffffff, SECCOMP_RET_ERRNO | 12);
    tell("call 5000", syscall(5000));
    tell("call 5001", syscall(5001));
    tell("call -1", syscall(-1));
    tell("call with upper bits", syscall(0x100000000 | 5000) == -1);
}

static siginfo_t seen;
static ucontext_t at;

static void on_sigsys(int signal, siginfo_t *info, void *context) {
    seen = *info;
    at = *(ucontext_t *)context;
    RESULT((ucontext_t *)context) = 4711;
}

static void trap(void) {
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    FOR(SYS_getppid, SECCOMP_RET_TRAP | 77);
    long result = syscall(SYS_getppid, 123456);
    tell("trap", result);
    printf("signal %d code %d errno %d arch %d syscall %d\n", seen.si_signo, seen.si_code, seen.si_errno, seen.si_arch == ARCH, seen.si_syscall == SYS_getppid);
    printf("address %d argument %d number %d\n", (unsigned long)seen.si_call_addr == (unsigned long)PC(&at), (long)ARG0(&at) == 123456, (long)NUMBER(&at) == SYS_getppid);
}

static void trap_blocked(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    FOR(SYS_getppid, SECCOMP_RET_TRAP);
    syscall(SYS_getppid);
    puts("survives");
}

static void trap_ignored(void) {
    signal(SIGSYS, SIG_IGN);
    FOR(SYS_getppid, SECCOMP_RET_TRAP);
    syscall(SYS_getppid);
    puts("survives");
}

static void trap_default(void) {
    FOR(SYS_getppid, SECCOMP_RET_TRAP);
    syscall(SYS_getppid);
    puts("survives");
}

static void trap_in_handler(void) {
    // rt_sigreturn is a call like others.
    FOR(SYS_rt_sigreturn, SECCOMP_RET_KILL_PROCESS);
    signal(SIGUSR1, (void (*)(int))sync);
    raise(SIGUSR1);
    puts("survives");
}

static void kill_process(void) {
    FOR(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
    signal(SIGSYS, (void (*)(int))sync);
    syscall(SYS_getppid);
    puts("survives");
}

static void kill_thread_alone(void) {
    FOR(SYS_getppid, SECCOMP_RET_KILL_THREAD);
    syscall(SYS_getppid);
    puts("survives");
}

static void unknown_action(void) {
    FOR(SYS_getppid, 0x00120000);
    syscall(SYS_getppid);
    puts("survives");
}

static void division_by_zero(void) {
    // The program ends with 0, which is KILL_THREAD.
    INSTALL(DATA(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ALLOW);
    syscall(SYS_getppid);
    puts("survives");
}

static void trace_alone(void) {
    FOR(SYS_getppid, SECCOMP_RET_TRACE | 5);
    tell("trace", syscall(SYS_getppid));
}

static void notify_alone(void) {
    FOR(SYS_getppid, SECCOMP_RET_USER_NOTIF);
    tell("notify", syscall(SYS_getppid));
}

static void logged(void) {
    FOR(SYS_getppid, SECCOMP_RET_LOG);
    tell("logged", syscall(SYS_getppid) > 0);
}

static void precedence(void) {
    FOR(SYS_getppid, SECCOMP_RET_ERRNO | 1);
    FOR(SYS_getppid, SECCOMP_RET_ERRNO | 2);
    FOR(SYS_getppid, SECCOMP_RET_TRACE);
    FOR(SYS_getppid, SECCOMP_RET_USER_NOTIF);
    FOR(SYS_getppid, SECCOMP_RET_LOG);
    tell("newest of equals", syscall(SYS_getppid));
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    FOR(SYS_getppid, SECCOMP_RET_TRAP);
    tell("trap before errno", syscall(SYS_getppid));
    FOR(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
    syscall(SYS_getppid);
}

static void instruction_pointer(void) {
    // Only calls from the page of this function's caller fail: found out by a trap.
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    FOR(SYS_getppid, SECCOMP_RET_TRAP);
    syscall(SYS_getppid);
    unsigned long pc = (unsigned long)seen.si_call_addr;
    INSTALL(DATA(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 5), DATA(instruction_pointer), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)pc, 0, 3),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, pc >> 32, 0, 1), RET(SECCOMP_RET_ERRNO | 40), ALLOW);
    tell("from there", syscall(SYS_getpgid, 0));
    tell("from elsewhere", getpgid(0) > 0);
}

static void clocks(void) {
    // The C library reads these without a call.
    FOR(SYS_clock_gettime, SECCOMP_RET_KILL_PROCESS);
    FOR(SYS_gettimeofday, SECCOMP_RET_KILL_PROCESS);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &now);
    printf("time %d\n", time(NULL) > 0);
    fflush(stdout);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    puts("survives");
}

static int alarms;

static void on_alarm(int signal) {
    alarms++;
}

static void interrupted(void) {
    // A call that is restarted is asked about again.
    FOR(SYS_getppid, SECCOMP_RET_ERRNO | 3);
    int ends[2];
    pipe(ends);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    pid_t writer = fork();
    if (writer == 0) {
        usleep(300000);
        write(ends[1], "x", 1);
        _exit(0);
    }
    struct timespec tenth = {0, 100000000};
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &(struct itimerspec){.it_value = tenth}, NULL);
    char byte;
    tell("read", read(ends[0], &byte, 1));
    printf("alarms %d\n", alarms);
    wait(NULL);
}

static void inherited(void) {
    FOR(SYS_getppid, SECCOMP_RET_ERRNO | 21);
    if (fork() == 0) {
        tell("in a fork", syscall(SYS_getppid));
        FOR(SYS_getppid, SECCOMP_RET_ERRNO | 22);
        tell("in a fork, its own", syscall(SYS_getppid));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    tell("in the parent", syscall(SYS_getppid));
    if (vfork() == 0) {
        struct sock_filter insns[] = {DATA(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1), RET(SECCOMP_RET_ERRNO | 23), ALLOW};
        tell("in a vfork", syscall(SYS_getppid));
        install(insns, COUNT(insns));
        tell("in a vfork, its own", syscall(SYS_getppid));
        _exit(0);
    }
    tell("in the parent", syscall(SYS_getppid));
}

static void status(void) {
    for (int i = 0; i < 3; i++) {
        FOR(SYS_getppid, SECCOMP_RET_ERRNO | 21);
    }
    char line[200];
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0) {
            printf("%s", line);
        }
    }
    printf("mode %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
}

static void strict_allows(void) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
    write(1, "writes\n", 7);
    char byte;
    read(-1, &byte, 1);
    syscall(SYS_exit, 3);
}

static void strict_kills(void) {
    syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    write(1, "writes\n", 7);
    getppid();
    write(1, "survives\n", 9);
}

static void strict_exit_group(void) {
    syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    _exit(0);
}

static struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name) {#name, name}
    CASE(errno_values), CASE(data_seen), CASE(no_such_call), CASE(trap), CASE(trap_blocked), CASE(trap_ignored), CASE(trap_default),
    CASE(trap_in_handler), CASE(kill_process), CASE(kill_thread_alone), CASE(unknown_action), CASE(division_by_zero), CASE(trace_alone),
    CASE(notify_alone), CASE(logged), CASE(precedence), CASE(instruction_pointer), CASE(clocks), CASE(interrupted), CASE(inherited),
    CASE(status), CASE(strict_allows), CASE(strict_kills), CASE(strict_exit_group),
};

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < COUNT(cases); i++) {
        printf("-- %s\n", cases[i].name);
        pid_t pid = fork();
        if (pid == 0) {
            cases[i].run();
            exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        if (WIFSIGNALED(status)) {
            printf("dies of %d\n", WTERMSIG(status));
        } else if (status != 0) {
            printf("exits with %d\n", WEXITSTATUS(status));
        }
    }
    return 0;
}
