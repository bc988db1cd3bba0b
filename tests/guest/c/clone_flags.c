/* Flags of clone(2) and clone3(2) that are seldom used, for each way to share memory. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif

struct arguments {
    unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
        cgroup;
};

static char stack[65536] __attribute__((aligned(16)));
/* Seen by the parent whether or not memory is shared. */
static volatile int *shared;
static const unsigned long memory[] = {0, CLONE_VM, CLONE_VM | CLONE_VFORK};
/* For a child that goes on with the same stack. */
static const unsigned long asleep[] = {0, CLONE_VFORK};
static const char *self;

static pid_t start(int (*f)(void *), unsigned long flags, void *p, void *c) {
    return clone(f, stack + sizeof stack, (int)flags, NULL, p, NULL, c);
}
static pid_t start3(struct arguments *a) { return (pid_t)syscall(SYS_clone3, a, sizeof *a); }
static int status_of(pid_t pid) {
    int status = -1;
    return waitpid(pid, &status, __WALL) == pid ? status : -1;
}

static volatile int usr1, chld;
static void on_usr1(int s) { (void)s, usr1++; }
static void on_chld(int s) { (void)s, chld++; }
static void await(volatile int *what, int value) {
    for (int i = 0; i < 5000 && *what < value; i++) {
        struct timespec ms = {0, 1000000};
        nanosleep(&ms, NULL);
    }
}

static int ends(void *arg) {
    (void)arg;
    _exit(7);
}
static int executes(void *arg) {
    (void)arg;
    execl(self, self, "7", NULL);
    _exit(1);
}

/* The signal at the child's end, and which wait calls see it. */
static void exit_signals(void) {
    signal(SIGUSR1, on_usr1);
    signal(SIGCHLD, on_chld);
    for (int m = 0; m < 3; m++) {
        int status;
        usr1 = chld = 0;
        pid_t pid = start(ends, memory[m] | SIGUSR1, NULL, NULL);
        CHECK(pid > 0);
        await(&usr1, 1);
        FAILS(waitpid(pid, &status, 0), ECHILD);
        CHECK(waitpid(pid, &status, __WCLONE) == pid && WEXITSTATUS(status) == 7 && usr1 == 1 && chld == 0);
        pid = start(ends, memory[m], NULL, NULL);
        CHECK(waitpid(pid, &status, __WCLONE) == pid && WEXITSTATUS(status) == 7 && usr1 == 1 && chld == 0);
        /* execve makes it SIGCHLD again. */
        pid = start(executes, memory[m] | SIGUSR1, NULL, NULL);
        await(&chld, 1);
        CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7 && usr1 == 1 && chld == 1);
    }
    signal(SIGUSR1, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
}

/* CLONE_PARENT: a sibling instead of a child. */
static pid_t main_pid;
static int sibling(void *arg) {
    (void)arg;
    shared[0] = getppid() == main_pid;
    _exit(9);
}
static void parents(void) {
    main_pid = getpid();
    for (int m = 0; m < 3; m++) {
        shared[0] = shared[1] = 0;
        pid_t middle = fork();
        if (middle == 0) {
            shared[1] = start(sibling, memory[m] | CLONE_PARENT | SIGCHLD, NULL, NULL);
            int status;
            FAILS(waitpid(shared[1], &status, __WALL), ECHILD);
            _exit(failures ? 1 : 8);
        }
        CHECK(WEXITSTATUS(status_of(middle)) == 8);
        CHECK(shared[1] > 0 && WEXITSTATUS(status_of(shared[1])) == 9 && shared[0] == 1);
    }
}

/* The child's number, where each side wants it. */
static int child_word, parent_word;
static int sees_tid(void *arg) {
    (void)arg;
    shared[0] = child_word == getpid();
    shared[1] = getpid();
    _exit(0);
}
static void numbers(void) {
    for (int m = 0; m < 3; m++) {
        child_word = parent_word = 0;
        unsigned long flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
        pid_t pid = start(sees_tid, memory[m] | flags, &parent_word, &child_word);
        CHECK(pid > 0 && parent_word == pid);
        if (memory[m])
            while (__atomic_load_n(&child_word, __ATOMIC_SEQ_CST))
                syscall(SYS_futex, &child_word, FUTEX_WAIT, pid, NULL, NULL, 0);
        CHECK(status_of(pid) == 0 && shared[0] == 1 && shared[1] == pid && child_word == 0);
        /* A bad pointer is the child's loss. */
        pid = start(ends, memory[m] | flags, (void *)8, (void *)16);
        CHECK(pid > 0 || errno == EFAULT);
        if (pid > 0)
            CHECK(WEXITSTATUS(status_of(pid)) == 7);
    }
}

static void pidfds(void) {
    for (int m = 0; m < 3; m++) {
        int fd = -1;
        siginfo_t info = {0};
        pid_t pid = start(ends, memory[m] | CLONE_PIDFD | SIGCHLD, &fd, NULL);
        CHECK(pid > 0 && fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        struct pollfd p = {fd, POLLIN, 0};
        CHECK(poll(&p, 1, 10000) == 1);
        CHECK(waitid(P_PIDFD, fd, &info, WEXITED) == 0 && info.si_pid == pid && info.si_status == 7);
        close(fd);
    }
    for (int m = 0; m < 2; m++) {
        int fd = -1;
        siginfo_t info = {0};
        struct arguments a = {.flags = CLONE_PIDFD | asleep[m], .pidfd = (unsigned long)&fd, .exit_signal = SIGCHLD};
        pid_t pid = start3(&a);
        if (pid == 0)
            syscall(SYS_exit_group, 6);
        CHECK(pid > 0 && fd >= 0);
        CHECK(waitid(P_PIDFD, fd, &info, WEXITED) == 0 && info.si_pid == pid && info.si_status == 6);
        close(fd);
    }
    int word;
    FAILS(start(ends, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, &word, NULL), EINVAL);
}

/* CLONE_CLEAR_SIGHAND: handlers go, ignored signals stay; the parent's are its own. */
static void handlers(void) {
    for (int m = 0; m < 2; m++) {
        signal(SIGUSR1, on_usr1);
        signal(SIGUSR2, SIG_IGN);
        signal(SIGSEGV, on_usr1);
        struct arguments a = {.flags = CLONE_CLEAR_SIGHAND | asleep[m], .exit_signal = SIGCHLD};
        pid_t pid = start3(&a);
        if (pid == 0) {
            struct sigaction sa;
            int ok = sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL;
            ok &= sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
            ok &= sigaction(SIGSEGV, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL;
            shared[0] = ok;
            raise(SIGUSR2);
            syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
            _exit(1);
        }
        int status = status_of(pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1 && shared[0] == 1);
        usr1 = 0;
        raise(SIGUSR1);
        raise(SIGSEGV);
        CHECK(usr1 == 2);
        signal(SIGUSR1, SIG_DFL);
        signal(SIGUSR2, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
    }
    struct arguments both = {.flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND};
    FAILS(start3(&both), EINVAL);
}

/* Without CLONE_THREAD, dispositions, descriptors and the directory can be shared. */
static int changes(void *arg) {
    (void)arg;
    signal(SIGUSR1, on_usr1);
    close(60);
    chdir("/usr");
    _exit(0);
}
static void sharing(void) {
    for (int m = 0; m < 3; m++) {
        for (int shares = 0; shares < 2; shares++) {
            unsigned long flags = CLONE_FILES | CLONE_FS | (memory[m] ? CLONE_SIGHAND : 0);
            char after[256] = "";
            struct sigaction sa;
            signal(SIGUSR1, SIG_DFL);
            chdir("/");
            dup2(1, 60);
            CHECK(status_of(start(changes, memory[m] | (shares ? flags : 0) | SIGCHLD, NULL, NULL)) == 0);
            sigaction(SIGUSR1, NULL, &sa);
            getcwd(after, sizeof after);
            CHECK((sa.sa_handler == on_usr1) == (shares && memory[m]));
            CHECK((fcntl(60, F_GETFD) < 0) == shares);
            CHECK(!strcmp(after, shares ? "/usr" : "/"));
            close(60);
        }
    }
    signal(SIGUSR1, SIG_DFL);
}

/* CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE over the first user namespace. */
static int privileged(void) {
    char text[4096] = "";
    int fd = open("/proc/self/uid_map", O_RDONLY);
    read(fd, text, sizeof text - 1);
    close(fd);
    int first = strstr(text, "4294967295") != NULL;
    memset(text, 0, sizeof text);
    fd = open("/proc/self/status", O_RDONLY);
    read(fd, text, sizeof text - 1);
    close(fd);
    char *line = strstr(text, "CapEff:");
    return first && line && strtoull(line + 7, NULL, 16) & (1ull << 21 | 1ull << 40);
}

/* set_tid: a free number is taken. Only the privileged may. */
static void chosen(void) {
    for (int m = 0; m < 2; m++) {
        pid_t pid = 0, want = 0;
        for (int tries = 0; tries < 20 && pid <= 0; tries++) {
            want = fork();
            if (want == 0)
                _exit(0);
            waitpid(want, NULL, 0);
            struct arguments a = {.flags = asleep[m], .exit_signal = SIGCHLD, .set_tid = (unsigned long)&want, .set_tid_size = 1};
            pid = start3(&a);
            if (pid == 0)
                syscall(SYS_exit_group, 5);
            if (pid < 0 && errno == EPERM)
                break;
        }
        if (pid < 0) {
            CHECK(errno == EPERM && !privileged());
            continue;
        }
        CHECK(pid == want && WEXITSTATUS(status_of(pid)) == 5);
    }
    pid_t zero = 0;
    struct arguments a = {.exit_signal = SIGCHLD, .set_tid = (unsigned long)&zero, .set_tid_size = 1};
    FAILS(start3(&a), EINVAL);
    a.set_tid_size = 33;
    FAILS(start3(&a), EINVAL);
}

/* A thread of its own stack that has only these registers: it says who it is, and ends. */
static volatile int who, gone;
static void says(void) {
    who = (int)syscall(SYS_gettid);
    syscall(SYS_exit, 0);
}
static long thread3(struct arguments *a) {
#ifdef __aarch64__
    register long x0 __asm__("x0") = (long)a;
    register long x1 __asm__("x1") = sizeof *a;
    register long x8 __asm__("x8") = SYS_clone3;
    __asm__ volatile("svc 0\n cbnz x0, 1f\n mov x29, xzr\n blr %2\n1:" : "+r"(x0) : "r"(x1), "r"(says), "r"(x8) : "memory");
    return x0;
#else
    long result = SYS_clone3;
    __asm__ volatile("syscall\n test %%rax, %%rax\n jnz 1f\n xor %%ebp, %%ebp\n call *%3\n1:"
                     : "+a"(result) : "D"(a), "S"(sizeof *a), "r"(says) : "rcx", "r11", "memory");
    return result;
#endif
}
static void chosen_thread(void) {
    static char own[65536] __attribute__((aligned(16)));
    const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    long tid = 0;
    int want = 0, parent = 0;
    for (int tries = 0; tries < 20; tries++) {
        want = fork();
        if (want == 0)
            _exit(0);
        waitpid(want, NULL, 0);
        struct arguments a = {.flags = flags | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID, .stack = (unsigned long)own, .stack_size = sizeof own,
            .child_tid = (unsigned long)&gone, .parent_tid = (unsigned long)&parent, .set_tid = (unsigned long)&want, .set_tid_size = 1};
        gone = 1;
        tid = thread3(&a);
        if (tid > 0 || tid == -EPERM)
            break;
    }
    if (tid < 0) {
        CHECK(tid == -EPERM && !privileged());
        return;
    }
    while (gone)
        sched_yield();
    CHECK(tid == want && who == want && parent == want);
    int own_number = getpid();
    struct arguments a = {.flags = flags, .stack = (unsigned long)own, .stack_size = sizeof own, .set_tid = (unsigned long)&own_number, .set_tid_size = 1};
    CHECK(thread3(&a) == -EEXIST);
    a.set_tid = 8;
    CHECK(thread3(&a) == -EFAULT);
    a.set_tid_size = 33;
    CHECK(thread3(&a) == -EINVAL);
}

/* A child that shares memory forks, and that one makes a thread. */
static int counts(void *arg) {
    (void)arg;
    __atomic_store_n(&shared[1], 1, __ATOMIC_SEQ_CST);
    syscall(SYS_exit, 0);
    return 0;
}
static int forks(void *arg) {
    static char own[65536] __attribute__((aligned(16)));
    (void)arg;
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
        shared[0] = clone(counts, own + sizeof own, flags, NULL) > 0;
        while (shared[0] && !__atomic_load_n(&shared[1], __ATOMIC_SEQ_CST))
            sched_yield();
        syscall(SYS_exit_group, 4);
    }
    int status = 0;
    syscall(SYS_wait4, pid, &status, 0, NULL);
    syscall(SYS_exit_group, WEXITSTATUS(status));
    return 0;
}
static void grandchildren(void) {
    for (int m = 0; m < 3; m++) {
        shared[0] = shared[1] = 0;
        CHECK(WEXITSTATUS(status_of(start(forks, memory[m] | SIGCHLD, NULL, NULL))) == 4);
        CHECK(shared[0] == 1 && shared[1] == 1);
    }
}

static void refused(void) {
    FAILS(start(ends, CLONE_SIGHAND | SIGCHLD, NULL, NULL), EINVAL);
    FAILS(start(ends, CLONE_THREAD | CLONE_VM, NULL, NULL), EINVAL);
    FAILS(start(ends, CLONE_THREAD | CLONE_SIGHAND, NULL, NULL), EINVAL);
    FAILS(start(ends, CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL, NULL), EINVAL);
    FAILS(start(ends, CLONE_NEWUSER | CLONE_FS | SIGCHLD, NULL, NULL), EINVAL);
    struct arguments a = {.exit_signal = 65};
    FAILS(start3(&a), EINVAL);
    a = (struct arguments){.flags = SIGCHLD};
    FAILS(start3(&a), EINVAL);
    a = (struct arguments){.exit_signal = SIGCHLD, .stack_size = 4096};
    FAILS(start3(&a), EINVAL);
    a = (struct arguments){.exit_signal = SIGCHLD, .stack = (unsigned long)stack};
    FAILS(start3(&a), EINVAL);
    a = (struct arguments){.exit_signal = SIGCHLD, .flags = CLONE_PARENT};
    FAILS(start3(&a), EINVAL);
    a = (struct arguments){.exit_signal = SIGCHLD, .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM};
    FAILS(start3(&a), EINVAL);
    a = (struct arguments){.flags = 1ul << 40};
    FAILS(start3(&a), EINVAL);
    FAILS(syscall(SYS_clone3, &a, 63), EINVAL);
    FAILS(syscall(SYS_clone3, &a, 5000), E2BIG);
    FAILS(syscall(SYS_clone3, 8, sizeof a), EFAULT);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return atoi(argv[1]);
    static char path[4096];
    readlink("/proc/self/exe", path, sizeof path - 1);
    self = path;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    exit_signals();
    parents();
    numbers();
    pidfds();
    handlers();
    sharing();
    chosen();
    chosen_thread();
    grandchildren();
    refused();
    DONE();
}
