/* What a child, a thread and a new program have of their maker: one row an attribute, for docs/inheritance.md.
 *
 * An attribute can be read, set to what is not its default, and changed to something else again. A subject process
 * sets it and makes a child, which reads it, changes it, and ends; then the subject reads it again. From the values:
 *   copied   the child has the subject's value, and its change is its own
 *   shared   the child has the subject's value, and its change is the subject's as well
 *   kept     execve: the new program has the value
 *   reset    the child has the default
 *   new      it has yet another value
 * Children are made by raw calls, as the C library sets some attributes itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef long value;
#define FIXED ((char *)0x7000000000)
#define PAGE 4096

/* Whether memory of this process can be read, and what it holds. */
static value word_at(void *address) {
    int p[2];
    value word = -1;
    if (pipe(p))
        return -2;
    if (write(p[1], address, sizeof word) == sizeof word)
        read(p[0], &word, sizeof word);
    close(p[0]), close(p[1]);
    return word;
}

/* Processor. */
static value get_rounding(void) { return fegetround(); }
static void set_rounding(void) { fesetround(FE_UPWARD); }
static void change_rounding(void) { fesetround(FE_DOWNWARD); }

static value get_fpflags(void) { return fetestexcept(FE_ALL_EXCEPT); }
static void set_fpflags(void) { feraiseexcept(FE_OVERFLOW | FE_INEXACT); }
static void change_fpflags(void) { feclearexcept(FE_ALL_EXCEPT); }

#ifdef __aarch64__
#define READ(name)                                                                        \
    ({                                                                                    \
        unsigned long v_;                                                                 \
        __asm__ volatile("mrs %0, " name : "=r"(v_));                                     \
        (value) v_;                                                                       \
    })
#define WRITE(name, v) __asm__ volatile("msr " name ", %0" ::"r"((unsigned long)(v)))

static value first_tls;
static value get_tls(void) { return READ("tpidr_el0") - first_tls; }
static void set_tls(void) { WRITE("tpidr_el0", first_tls + 16); }
static void change_tls(void) { WRITE("tpidr_el0", first_tls); }

static value get_dit(void) { return READ("s3_3_c4_c2_5"); }
static void set_dit(void) { WRITE("s3_3_c4_c2_5", 1 << 24); }
static void change_dit(void) { WRITE("s3_3_c4_c2_5", 0); }

static value get_ssbs(void) { return READ("s3_3_c4_c2_6"); }
static void set_ssbs(void) { WRITE("s3_3_c4_c2_6", READ("s3_3_c4_c2_6") ^ 1 << 12); }

/* Eight signatures tell one key from another. */
static value get_keys(void) {
    unsigned long all = 0;
    for (unsigned long n = 1; n <= 8; n++) {
        unsigned long pointer = n << 20;
        __asm__("pacia %0, %1" : "+r"(pointer) : "r"(n));
        all = all * 131 + (pointer >> 48);
    }
    return (value)all;
}
static void set_keys(void) { prctl(54, 0, 0, 0, 0); }

static value get_enabled(void) { return prctl(61, 0, 0, 0, 0); }
static void set_enabled(void) { prctl(60, 2, 0, 0, 0); }
static void change_enabled(void) { prctl(60, 6, 0, 0, 0); }

static value get_tagged(void) { return prctl(56, 0, 0, 0, 0); }
static void set_tagged(void) { prctl(55, 1, 0, 0, 0); }
static void change_tagged(void) { prctl(55, 0, 0, 0, 0); }

/* The last fault's address, as a handler of any signal sees it. */
static volatile value fault_address;
static void on_fault(int signal, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    fault_address = c->uc_mcontext.fault_address;
    if (signal == SIGSEGV)
        c->uc_mcontext.pc += 4;
}
static void fault(value address) {
    __asm__ volatile("ldrb wzr, [%0]" ::"r"(address) : "memory");
}
static void handle_faults(void) {
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGUSR2, &sa, NULL);
}
static value get_fault(void) {
    handle_faults();
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2);
    return fault_address;
}
static void set_fault(void) { handle_faults(), fault(16); }
static void change_fault(void) { fault(32); }
#endif

/* Signals. */
static value get_mask(void) {
    unsigned long set;
    syscall(SYS_rt_sigprocmask, 0, NULL, &set, 8);
    return (value)set;
}
static void block(int signal, int how) {
    unsigned long set = 1ul << (signal - 1);
    syscall(SYS_rt_sigprocmask, how, &set, NULL, 8);
}
static void set_mask(void) { block(SIGUSR1, SIG_BLOCK); }
static void change_mask(void) { block(SIGUSR2, SIG_BLOCK); }

static value get_pending(void) {
    unsigned long set;
    syscall(SYS_rt_sigpending, &set, 8);
    return (value)set;
}
static void take(void) {
    unsigned long set = 1ul << (SIGUSR1 - 1);
    struct timespec none = {0, 0};
    syscall(SYS_rt_sigtimedwait, &set, NULL, &none, 8);
}
static void set_pending_thread(void) {
    set_mask();
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
}
static void set_pending_process(void) {
    set_mask();
    kill(getpid(), SIGUSR1);
}
static void set_pending_segv(void) {
    block(SIGSEGV, SIG_BLOCK);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSEGV);
}
static void nothing(void) {}

static char alternate[2][32768];
static value get_altstack(void) {
    stack_t s;
    sigaltstack(NULL, &s);
    return s.ss_flags & SS_DISABLE ? 0 : s.ss_sp == alternate[0] ? 1 : 2;
}
static void use_altstack(int n) {
    stack_t s = {.ss_sp = alternate[n], .ss_size = sizeof alternate[n]};
    sigaltstack(&s, NULL);
}
static void set_altstack(void) { use_altstack(0); }
static void change_altstack(void) { use_altstack(1); }

static void handler(int signal) { (void)signal; }
static void handler2(int signal) { (void)signal; }
static value get_action(void) {
    struct sigaction sa;
    sigaction(SIGUSR1, NULL, &sa);
    void (*h)(int) = sa.sa_handler;
    return h == SIG_DFL ? 0 : h == SIG_IGN ? 1 : h == handler ? 2 : 3;
}
static void act(void (*h)(int)) {
    struct sigaction sa = {.sa_handler = h};
    sigaction(SIGUSR1, &sa, NULL);
}
static void set_handler(void) { act(handler); }
static void change_handler(void) { act(handler2); }
static void set_ignored(void) { act(SIG_IGN); }

/* Thread. */
static struct {
    void *next;
    long offset;
    void *pending;
} robust[2] = {{&robust[0], 0, 0}, {&robust[1], 0, 0}};
static value get_robust(void) {
    void *head = NULL;
    size_t size;
    syscall(SYS_get_robust_list, 0, &head, &size);
    return head == &robust[0] ? 1 : head == &robust[1] ? 2 : 0;
}
static void set_robust(void) { syscall(SYS_set_robust_list, &robust[0], sizeof robust[0]); }
static void change_robust(void) { syscall(SYS_set_robust_list, &robust[1], sizeof robust[1]); }

static int clear[2];
static value get_clear(void) {
    int *address = NULL;
    prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0);
    return address == &clear[0] ? 1 : address == &clear[1] ? 2 : 0;
}
static void set_clear(void) { syscall(SYS_set_tid_address, &clear[0]); }
static void change_clear(void) { syscall(SYS_set_tid_address, &clear[1]); }

static value get_name(void) {
    char name[17] = "";
    prctl(PR_GET_NAME, name, 0, 0, 0);
    value hash = 0;
    for (char *c = name; *c; c++)
        hash = hash * 131 + *c;
    return hash;
}
static void set_name(void) { prctl(PR_SET_NAME, "a name", 0, 0, 0); }
static void change_name(void) { prctl(PR_SET_NAME, "another", 0, 0, 0); }

#define PRCTL(attribute, getter, setter, first, second)                                   \
    static value get_##attribute(void) { return prctl(getter, 0, 0, 0, 0); }              \
    static void set_##attribute(void) { prctl(setter, first, 0, 0, 0); }                  \
    static void change_##attribute(void) { prctl(setter, second, 0, 0, 0); }
PRCTL(slack, PR_GET_TIMERSLACK, PR_SET_TIMERSLACK, 77777, 88888)
PRCTL(nnp, PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS, 1, 1)
PRCTL(dumpable, PR_GET_DUMPABLE, PR_SET_DUMPABLE, 0, 1)
PRCTL(keepcaps, PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, 1, 0)
PRCTL(thp, PR_GET_THP_DISABLE, PR_SET_THP_DISABLE, 1, 0)

/* What a call without a meaning answers. */
static value get_filters(void) {
    errno = 0;
    syscall(5000);
    return errno;
}
static void add_filter(int answer) {
    struct sock_filter insns[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, insns};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
static void set_filters(void) { add_filter(71); }
static void change_filters(void) { add_filter(72); }

static value get_deathsig(void) {
    int signal = -1;
    prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
    return signal;
}
static void set_deathsig(void) { prctl(PR_SET_PDEATHSIG, SIGURG, 0, 0, 0); }
static void change_deathsig(void) { prctl(PR_SET_PDEATHSIG, SIGWINCH, 0, 0, 0); }

static value get_subreaper(void) {
    int on = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0);
    return on;
}
static void set_subreaper(void) { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
static void change_subreaper(void) { prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

static value get_nice(void) { return getpriority(PRIO_PROCESS, 0); }
static void set_nice(void) { setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 2); }

static value get_policy(void) { return sched_getscheduler(0); }
static void set_scheduler(int policy) {
    struct sched_param none = {0};
    sched_setscheduler(0, policy, &none);
}
static void set_policy(void) { set_scheduler(SCHED_BATCH); }
static void change_policy(void) { set_scheduler(SCHED_IDLE); }
static void set_reset(void) { set_scheduler(SCHED_RESET_ON_FORK); }

static value get_ioprio(void) { return syscall(SYS_ioprio_get, 1, 0); }
static void set_ioprio(void) { syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6); }
static void change_ioprio(void) { syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 7); }

static value get_personality(void) { return personality(0xffffffff); }
static void set_personality(void) { personality(SHORT_INODE); }
static void change_personality(void) { personality(0); }
static value get_implies(void) { return personality(0xffffffff) & READ_IMPLIES_EXEC; }
static void set_implies(void) { personality(READ_IMPLIES_EXEC); }

/* Process and file system. */
static value get_group(void) { return getpgrp(); }
static void set_group(void) { setpgid(0, 0); }
static void change_group(void) { setpgid(0, getppid()), setpgid(0, getpgid(getppid())); }

static value get_limit(void) {
    struct rlimit l;
    getrlimit(RLIMIT_CORE, &l);
    return (value)l.rlim_max;
}
static void limit(rlim_t max) {
    struct rlimit l = {0, max};
    setrlimit(RLIMIT_CORE, &l);
}
static void set_limit(void) { limit(8192); }
static void change_limit(void) { limit(4096); }

static value get_umask(void) {
    mode_t old = umask(0);
    umask(old);
    return old;
}
static void set_umask(void) { umask(0111); }
static void change_umask(void) { umask(0123); }

static value get_cwd(void) {
    struct stat s = {0};
    stat(".", &s);
    return (value)(s.st_dev * 1000003 + s.st_ino);
}
static void set_cwd(void) { chdir("/usr"); }
static void change_cwd(void) { chdir("/"); }

enum { FD = 50, OTHER = 51 };
static value get_fd(void) { return fcntl(FD, F_GETFD); }
static void opened(int flags) {
    int fd = open("/dev/null", O_RDWR);
    dup3(fd, FD, flags);
    close(fd);
}
static void set_fd(void) { opened(0); }
static void set_cloexec(void) { opened(O_CLOEXEC); }
static void change_fd(void) { close(FD); }

static value get_offset(void) { return lseek(FD, 0, SEEK_CUR); }
static void a_file(void) {
    char name[] = "/tmp/inheritance-XXXXXX", path[32];
    int fd = mkstemp(name);
    dup2(fd, FD);
    close(fd);
    sprintf(path, "/proc/self/fd/%d", FD);
    fd = open(path, O_RDWR);
    dup2(fd, OTHER);
    close(fd);
    unlink(name);
}
static void set_offset(void) { a_file(), lseek(FD, 100, SEEK_SET); }
static void change_offset(void) { lseek(FD, 200, SEEK_SET); }

/* The record lock's owner, as another description of the file sees it. */
static value get_lock(void) {
    struct flock l = {.l_type = F_WRLCK};
    if (fcntl(OTHER, F_OFD_GETLK, &l))
        return 0;
    return l.l_type == F_WRLCK && l.l_pid == getpid();
}
static void lock(int type) {
    struct flock l = {.l_type = (short)type};
    fcntl(FD, F_SETLK, &l);
}
static void set_lock(void) { a_file(), lock(F_WRLCK); }
static void change_lock(void) { lock(F_UNLCK); }

static value get_flock(void) {
    int result = flock(OTHER, LOCK_EX | LOCK_NB);
    if (result == 0)
        flock(OTHER, LOCK_UN);
    return result != 0 && errno == EWOULDBLOCK && flock(FD, LOCK_EX | LOCK_NB) == 0;
}
static void set_flock(void) { a_file(), flock(FD, LOCK_EX); }
static void change_flock(void) { flock(FD, LOCK_UN); }

/* Timers. */
static value get_itimer(void) {
    struct itimerval t;
    getitimer(ITIMER_REAL, &t);
    return t.it_interval.tv_sec;
}
static void itimer(int seconds) {
    struct itimerval t = {{seconds, 0}, {seconds, 0}};
    setitimer(ITIMER_REAL, &t, NULL);
}
static void set_itimer(void) { itimer(1000); }
static void change_itimer(void) { itimer(2000); }

static value get_timer(void) {
    struct itimerspec t;
    return syscall(SYS_timer_gettime, 0, &t) == 0 ? t.it_interval.tv_sec : 0;
}
static void arm(int seconds) {
    struct itimerspec t = {{seconds, 0}, {seconds, 0}};
    syscall(SYS_timer_settime, 0, 0, &t, NULL);
}
static void set_timer(void) {
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    int id;
    syscall(SYS_timer_create, CLOCK_MONOTONIC, &none, &id);
    arm(1000);
}
static void change_timer(void) { arm(2000); }

/* Memory. */
static value get_page(void) { return word_at(FIXED); }
static void set_page(void) {
    mmap(FIXED, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *(value *)FIXED = 1;
}
static void change_page(void) {
    if (word_at(FIXED) >= 0)
        *(value *)FIXED = 2;
}
static void set_dontfork(void) { set_page(), madvise(FIXED, PAGE, MADV_DONTFORK); }
static void set_wipe(void) { set_page(), madvise(FIXED, PAGE, MADV_WIPEONFORK); }
static void set_shared_page(void) {
    mmap(FIXED, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *(value *)FIXED = 1;
}
static void set_shm(void) {
    int id = shmget(IPC_PRIVATE, PAGE, 0600);
    shmat(id, FIXED, SHM_REMAP);
    shmctl(id, IPC_RMID, NULL);
    *(value *)FIXED = 1;
}

static value get_locked(void) {
    char text[8192] = "";
    int fd = open("/proc/self/status", O_RDONLY);
    read(fd, text, sizeof text - 1);
    close(fd);
    char *line = strstr(text, "VmLck:");
    return line ? atol(line + 6) : -1;
}
static void set_locked(void) { set_page(), mlock(FIXED, PAGE); }
static void change_locked(void) { munlock(FIXED, PAGE); }

static const struct attribute {
    const char *name;
    value (*get)(void);
    void (*set)(void), (*change)(void);
} attributes[] = {
    {"rounding mode (FPCR)", get_rounding, set_rounding, change_rounding},
    {"floating-point flags (FPSR)", get_fpflags, set_fpflags, change_fpflags},
#ifdef __aarch64__
    {"TPIDR_EL0", get_tls, set_tls, change_tls},
    {"PSTATE.DIT", get_dit, set_dit, change_dit},
    {"PSTATE.SSBS", get_ssbs, set_ssbs, set_ssbs},
    {"keys of pointer authentication", get_keys, set_keys, set_keys},
    {"enabled keys", get_enabled, set_enabled, change_enabled},
    {"tagged addresses", get_tagged, set_tagged, change_tagged},
    {"address of the last fault", get_fault, set_fault, change_fault},
#endif
    {"signal mask", get_mask, set_mask, change_mask},
    {"signals pending for the thread", get_pending, set_pending_thread, take},
    {"signals pending for the process", get_pending, set_pending_process, take},
    {"a blocked SIGSEGV that was sent", get_pending, set_pending_segv, nothing},
    {"alternate signal stack", get_altstack, set_altstack, change_altstack},
    {"signal handlers", get_action, set_handler, change_handler},
    {"ignored signals", get_action, set_ignored, change_handler},
    {"robust list", get_robust, set_robust, change_robust},
    {"set_tid_address", get_clear, set_clear, change_clear},
    {"name", get_name, set_name, change_name},
    {"parent-death signal", get_deathsig, set_deathsig, change_deathsig},
    {"timer slack", get_slack, set_slack, change_slack},
    {"no_new_privs", get_nnp, set_nnp, change_nnp},
    {"seccomp filters", get_filters, set_filters, change_filters},
    {"keep capabilities", get_keepcaps, set_keepcaps, change_keepcaps},
    {"dumpable", get_dumpable, set_dumpable, change_dumpable},
    {"no transparent huge pages", get_thp, set_thp, change_thp},
    {"child subreaper", get_subreaper, set_subreaper, change_subreaper},
    {"nice value", get_nice, set_nice, set_nice},
    {"scheduling policy", get_policy, set_policy, change_policy},
    {"SCHED_RESET_ON_FORK", get_policy, set_reset, change_policy},
    {"I/O priority", get_ioprio, set_ioprio, change_ioprio},
    {"personality", get_personality, set_personality, change_personality},
    {"READ_IMPLIES_EXEC", get_implies, set_implies, change_personality},
    {"process group", get_group, set_group, change_group},
    {"resource limits", get_limit, set_limit, change_limit},
    {"umask", get_umask, set_umask, change_umask},
    {"working directory", get_cwd, set_cwd, change_cwd},
    {"open descriptors", get_fd, set_fd, change_fd},
    {"close-on-exec descriptors", get_fd, set_cloexec, change_fd},
    {"file offset", get_offset, set_offset, change_offset},
    {"record locks (fcntl)", get_lock, set_lock, change_lock},
    {"locks of open files (flock)", get_flock, set_flock, change_flock},
    {"interval timer", get_itimer, set_itimer, change_itimer},
    {"POSIX timers", get_timer, set_timer, change_timer},
    {"private memory", get_page, set_page, change_page},
    {"shared memory", get_page, set_shared_page, change_page},
    {"System V shared memory", get_page, set_shm, change_page},
    {"MADV_DONTFORK memory", get_page, set_dontfork, change_page},
    {"MADV_WIPEONFORK memory", get_page, set_wipe, change_page},
    {"memory locks", get_locked, set_locked, change_locked},
};
enum { COUNT = sizeof attributes / sizeof *attributes };

/* The ways to make something, the columns of the table. */
enum { FORK, VFORK, VM, THREAD, EXEC, WAYS };
static const char *const ways[] = {"fork", "vfork", "CLONE_VM", "thread", "execve"};
static const unsigned long flags[] = {
    SIGCHLD,
    CLONE_VM | CLONE_VFORK | SIGCHLD,
    CLONE_VM | SIGCHLD,
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
};

/* Shared by all processes. */
static struct seen {
    value first, set, child, after;
    int done;
} *seen;

static char self[4096];
static const struct attribute *subject;
static int child(void *arg) {
    (void)arg;
    seen->child = subject->get();
    subject->change();
    __atomic_store_n(&seen->done, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_exit, 0);
    return 0;
}

static void in_subject(const struct attribute *a, int way) {
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid;
    subject = a;
    seen->first = a->get();
    if (way == EXEC) {
        a->set();
        seen->set = a->get();
        char number[16];
        sprintf(number, "%d", (int)(a - attributes));
        syscall(SYS_execve, self, (char *[]){"inheritance", number, NULL}, (char *[]){NULL});
        _exit(1);
    }
    a->set();
    seen->set = a->get();
    if (way == FORK) {
        pid = (pid_t)syscall(SYS_clone, flags[way], 0, 0, 0, 0);
        if (pid == 0)
            child(NULL);
    } else
        pid = clone(child, stack + sizeof stack, (int)flags[way], NULL);
    if (pid <= 0)
        _exit(2);
    if (way == THREAD)
        while (!__atomic_load_n(&seen->done, __ATOMIC_SEQ_CST))
            syscall(SYS_sched_yield);
    else
        syscall(SYS_wait4, pid, NULL, __WALL, NULL);
    seen->after = a->get();
    syscall(SYS_exit_group, 0);
}

/* The new program's value goes to descriptor 99, which is the memory that all share. */
static int new_program(const char *number) {
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, 99, 0);
    seen->child = attributes[atoi(number)].get();
    seen->done = 1;
    return 0;
}

static const char *word(const struct seen *s, int way) {
    if (s->set == s->first)
        return "?unset";
    if (!s->done)
        return "?lost";
    if (s->child == s->set)
        return way == EXEC ? "kept" : s->after == s->set ? "copied" : "shared";
    return s->child == s->first ? "reset" : "new";
}

int main(int argc, char **argv) {
#ifdef __aarch64__
    first_tls = READ("tpidr_el0");
#endif
    if (argc == 2)
        return new_program(argv[1]);
    readlink("/proc/self/exe", self, sizeof self - 1);
    dup2(memfd_create("seen", 0), 99);
    ftruncate(99, PAGE);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, 99, 0);
    for (int n = 0; n < COUNT; n++) {
        printf("%s:", attributes[n].name);
        for (int way = 0; way < WAYS; way++) {
            memset(seen, 0, sizeof *seen);
            fflush(stdout);
            int status = 0;
            pid_t pid = fork();
            if (pid == 0)
                in_subject(&attributes[n], way);
            waitpid(pid, &status, 0);
            if (status != 0)
                printf(" %s=?status-%#x", ways[way], status);
            else
                printf(" %s=%s", ways[way], word(seen, way));
            if (getenv("SHOW"))
                printf("(%#lx %#lx %#lx %#lx)", seen->first, seen->set, seen->child, seen->after);
        }
        puts("");
    }
    return 0;
}
