/* fork, vfork, clone, posix_spawn, execve and its relatives. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char dir[] = "/tmp/guest-XXXXXX";
static char script[64], nested[64], garbage[64];

static void put(char *path, const char *name, const char *text, int mode) {
    sprintf(path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(fd, text, strlen(text));
    fchmod(fd, (mode_t)mode);
    close(fd);
}

/* Executes in a child; its status, or 1000 + errno if execve failed. */
static int run(const char *path, char *const argv[]) {
    int p[2];
    pipe2(p, O_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0) {
        execve(path, argv, environ);
        int error = errno;
        write(p[1], &error, sizeof error);
        _exit(0);
    }
    close(p[1]);
    int error, status;
    int failed = read(p[0], &error, sizeof error) == sizeof error;
    close(p[0]);
    waitpid(pid, &status, 0);
    return failed ? 1000 + error : status;
}

static int shared;
static int in_clone(void *arg) {
    shared = *(int *)arg;
    return 9;
}

static int child_main(int argc, char **argv) {
    if (!strcmp(argv[1], "mask")) {
        sigset_t mask;
        struct sigaction sa;
        sigprocmask(SIG_BLOCK, NULL, &mask);
        int ok = sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGUSR2) == 0;
        sigaction(SIGHUP, NULL, &sa);
        ok &= sa.sa_handler == SIG_IGN;
        sigaction(SIGSEGV, NULL, &sa);
        ok &= sa.sa_handler == SIG_IGN;
        sigaction(SIGTERM, NULL, &sa);
        ok &= sa.sa_handler == SIG_DFL;
        return ok ? 11 : 12;
    }
    if (!strcmp(argv[1], "fd"))
        return fcntl(atoi(argv[2]), F_GETFD) >= 0 ? 1 : 13;
    if (!strcmp(argv[1], "argv0"))
        return argc == 2 && !strcmp(argv[0], "other name") && getenv("_RAEMU_EXEC") == NULL ? 14 : 15;
    if (!strcmp(argv[1], "comm")) {
        char name[17] = "";
        prctl(PR_GET_NAME, name);
        return !strncmp(name, "processes", 9) ? 16 : 17;
    }
    return 98;
}

int main(int argc, char **argv) {
    if (argc > 1)
        return child_main(argc, argv);
    char self[4096] = "";
    readlink("/proc/self/exe", self, sizeof self - 1);
    mkdtemp(dir);
    put(script, "script", "#!/bin/sh  -e\nexit ${#1}\n", 0755);
    char line[128];
    sprintf(line, "#!%s x\n", script);
    put(nested, "nested", line, 0755);
    put(garbage, "garbage", "not a program", 0755);

    /* exec of this program: arguments, signals, descriptors. */
    CHECK(run(self, (char *[]){"other name", "argv0", NULL}) == 14 << 8);
    CHECK(run("/proc/self/exe", (char *[]){"other name", "argv0", NULL}) == 14 << 8);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGSEGV, SIG_IGN);
    signal(SIGTERM, (void (*)(int))1234);
    CHECK(run(self, (char *[]){"x", "mask", NULL}) == 11 << 8);
    signal(SIGSEGV, SIG_DFL);
    char number[16];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sprintf(number, "%d", fd);
    CHECK(run(self, (char *[]){"x", "fd", number, NULL}) == 13 << 8);

    /* Scripts, and what cannot be executed. */
    CHECK(run(script, (char *[]){"x", "four", NULL}) == 4 << 8);
    CHECK(run(nested, (char *[]){"x", "four", NULL}) == 1 << 8);
    CHECK(run(garbage, (char *[]){"x", NULL}) == 1000 + ENOEXEC);
    chmod(garbage, 0600);
    CHECK(run(garbage, (char *[]){"x", NULL}) == 1000 + EACCES);
    CHECK(run(dir, (char *[]){"x", NULL}) == 1000 + EACCES);
    CHECK(run("/nonexistent", (char *[]){"x", NULL}) == 1000 + ENOENT);
    CHECK(run("/bin/sh", (char *[]){"sh", "-c", "exit 21", NULL}) == 21 << 8);

    /* fexecve. */
    int status, me = open(self, O_RDONLY | O_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0) {
        fexecve(me, (char *[]){"other name", "argv0", NULL}, environ);
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 14 << 8);

    /* posix_spawn reports the error of the exec; PATH is searched. */
    CHECK(posix_spawn(&pid, "/nonexistent", NULL, NULL, (char *[]){"x", NULL}, environ) == ENOENT);
    CHECK(posix_spawnp(&pid, "sh", NULL, NULL, (char *[]){"sh", "-c", "exit 5", NULL}, environ) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 5 << 8);
    CHECK(posix_spawn(&pid, self, NULL, NULL, (char *[]){"other name", "argv0", NULL}, environ) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 14 << 8);
    CHECK(system("exit 3") == 3 << 8);

    /* vfork shares memory; registers and signal state of the parent stay its own. */
    struct sigaction sa;
    signal(SIGUSR2, SIG_IGN);
    for (volatile int i = 0; i < 50; i++) {
        shared = 0;
        pid = vfork();
        if (pid == 0) {
            shared = i + 1;
            signal(SIGUSR2, SIG_DFL);
            _exit(i);
        }
        CHECK(shared == i + 1 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == i);
    }
    sigaction(SIGUSR2, NULL, &sa);
    CHECK(sa.sa_handler == SIG_IGN);

    /* clone: shared memory while both run, another exit signal, a pidfd. */
    static char stack[65536] __attribute__((aligned(16)));
    int value = 123, pidfd = -1;
    pid = clone(in_clone, stack + sizeof stack, CLONE_VM | SIGCHLD, &value);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9 && shared == 123);
    shared = 0;
    pid = clone(in_clone, stack + sizeof stack, SIGUSR2, &value);
    FAILS(waitpid(pid, &status, 0), ECHILD);
    CHECK(waitpid(pid, &status, __WCLONE) == pid && WEXITSTATUS(status) == 9 && shared == 0);
    pid = clone(in_clone, stack + sizeof stack, CLONE_PIDFD | CLONE_VFORK | CLONE_VM | SIGCHLD, &value, &pidfd);
    CHECK(pid > 0 && pidfd >= 0 && shared == 123);
    siginfo_t info;
    CHECK(waitid(P_PIDFD, pidfd, &info, WEXITED) == 0 && info.si_status == 9);
    unsigned long args[11] = {0};
    args[4] = SIGCHLD;
    pid = (pid_t)syscall(SYS_clone3, args, sizeof args);
    if (pid == 0)
        _exit(33);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 33);
    FAILS(syscall(SYS_clone3, args, 8), EINVAL);

    char name[17] = "";
    prctl(PR_SET_NAME, "renamed");
    prctl(PR_GET_NAME, name);
    CHECK(!strcmp(name, "renamed"));
    unlink(script), unlink(nested), unlink(garbage), rmdir(dir);
    DONE();
}
