// seccomp(2): filters of threads, their synchronisation, the death of one thread; and filters that outlive execve.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// What might be taken for the word of an emulator that says there are no filters.
#define FORGED "-1,-1,0,-1,0,x"

#define DATA(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(value) BPF_STMT(BPF_RET | BPF_K, value)

static long install_for(int number, unsigned value, unsigned flags) {
    struct sock_filter insns[] = {DATA(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RET(value), RET(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {4, insns};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int answer(void) {
    errno = 0;
    long result = syscall(SYS_getppid);
    return result == -1 ? errno : 0;
}

static sem_t go, done;
static int thread_number;

static void *asks_when_told(void *unused) {
    thread_number = gettid();
    sem_post(&done);
    sem_wait(&go);
    return (void *)(long)answer();
}

static void *has_its_own(void *unused) {
    install_for(SYS_getppid, SECCOMP_RET_ERRNO | 70, 0);
    return asks_when_told(unused);
}

static int ask(pthread_t thread) {
    void *result;
    sem_post(&go);
    pthread_join(thread, &result);
    return (int)(long)result;
}

static pthread_t start(void *(*body)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    sem_wait(&done);
    return thread;
}

static void threads_inherit(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    pthread_t before = start(asks_when_told);
    install_for(SYS_getppid, SECCOMP_RET_ERRNO | 71, 0);
    int first = ask(before), second = ask(start(asks_when_told));
    printf("before %d after %d\n", first, second);
}

static void synchronised(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    pthread_t other = start(asks_when_told);
    long result = install_for(SYS_getppid, SECCOMP_RET_ERRNO | 72, SECCOMP_FILTER_FLAG_TSYNC);
    printf("tsync %ld, there %d, here %d\n", result, ask(other), answer());
    // Both have it, so both may go on from there.
    other = start(has_its_own);
    printf("its own on top %d\n", ask(other));
    result = install_for(SYS_getppid, SECCOMP_RET_ERRNO | 73, SECCOMP_FILTER_FLAG_TSYNC);
    printf("again %ld, here %d\n", result, answer());
}

static void apart(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    pthread_t other = start(has_its_own);
    long result = install_for(SYS_getppid, SECCOMP_RET_ERRNO | 74, SECCOMP_FILTER_FLAG_TSYNC);
    printf("tsync says the thread: %d, here %d\n", result == thread_number, answer());
    result = install_for(SYS_getppid, SECCOMP_RET_ERRNO | 74, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
    printf("with ESRCH: %ld %s\n", result, strerrorname_np(errno));
    printf("there %d\n", ask(other));
    result = install_for(SYS_getppid, SECCOMP_RET_ERRNO | 75, SECCOMP_FILTER_FLAG_TSYNC);
    printf("when it is gone: %ld, here %d\n", result, answer());
}

static void *dies(void *unused) {
    install_for(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0);
    syscall(SYS_getppid);
    puts("survives");
    return NULL;
}

static void one_thread_dies(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, dies, NULL);
    pthread_join(thread, NULL);
    puts("joined");
}

static void *dies_strictly(void *unused) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
    syscall(SYS_getppid);
    puts("survives");
    return NULL;
}

static void one_thread_dies_strictly(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, dies_strictly, NULL);
    pthread_join(thread, NULL);
    puts("joined");
}

static void *kills_all(void *unused) {
    install_for(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0);
    syscall(SYS_getppid);
    return NULL;
}

static void all_threads_die(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, kills_all, NULL);
    pthread_join(thread, NULL);
    sleep(5);
    puts("survives");
}

static const char *self;

static void execute(char *what) {
    execv(self, (char *[]){"seccomp_threads", what, NULL});
    printf("execv: %s\n", strerrorname_np(errno));
}

static void show(void) {
    char line[200];
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "Seccomp", 7) == 0) {
            printf("%s", line);
        }
    }
    fclose(file);
    printf("getppid %d mode %d, descriptor %d, hidden %d\n", answer(), prctl(PR_GET_SECCOMP, 0, 0, 0, 0), dup(1), getenv("_RAEMU_EXEC") == NULL || strcmp(getenv("_RAEMU_EXEC"), FORGED) == 0);
}

// What a program finds that one with filters has executed.
static int executed(const char *what) {
    if (strcmp(what, "show") == 0) {
        show();
    } else if (strcmp(what, "more") == 0) {
        printf("more %ld\n", install_for(SYS_getppid, SECCOMP_RET_ERRNO | 81, 0));
        setenv("_RAEMU_EXEC", FORGED, 1);
        execute("show");
    } else if (strcmp(what, "children") == 0) {
        pid_t pid;
        int status;
        if (fork() == 0) {
            execute("show");
        }
        wait(&status);
        posix_spawn(&pid, self, NULL, NULL, (char *[]){"seccomp_threads", "show", NULL}, environ);
        wait(&status);
        posix_spawn(&pid, "/nowhere", NULL, NULL, (char *[]){"x", NULL}, environ);
        show();
    }
    return 0;
}

static void after_execve(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_for(SYS_getppid, SECCOMP_RET_ERRNO | 80, 0);
    execute("show");
}

static void more_after_execve(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_for(SYS_getppid, SECCOMP_RET_ERRNO | 80, 0);
    install_for(SYS_getpgid, SECCOMP_RET_ERRNO | 80, 0);
    execute("more");
}

static void children_after_execve(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_for(SYS_getppid, SECCOMP_RET_ERRNO | 82, 0);
    execute("children");
}

static void privileged(void) {
    // Root needs no no_new_privs, and has filters that outlive its privileges.
    if (geteuid() == 0) {
        install_for(SYS_getppid, SECCOMP_RET_ERRNO | 83, 0);
        setresgid(1000, 1000, 1000);
        setresuid(1000, 1000, 1000);
    } else {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        install_for(SYS_getppid, SECCOMP_RET_ERRNO | 83, 0);
    }
    execute("show");
}

static void *executes(void *unused) {
    execute("show");
    return NULL;
}

static void by_a_thread(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_for(SYS_getppid, SECCOMP_RET_ERRNO | 84, SECCOMP_FILTER_FLAG_TSYNC);
    pthread_t thread;
    pthread_create(&thread, NULL, executes, NULL);
    pthread_join(thread, NULL);
}

static void execve_forbidden(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_for(SYS_execve, SECCOMP_RET_ERRNO | 13, 0);
    execute("show");
}

static struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name) {#name, name}
    CASE(threads_inherit), CASE(synchronised), CASE(apart), CASE(one_thread_dies), CASE(one_thread_dies_strictly), CASE(all_threads_die),
    CASE(after_execve), CASE(more_after_execve), CASE(children_after_execve), CASE(privileged), CASE(by_a_thread), CASE(execve_forbidden),
};

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    // Readable also for whoever has given up root's privileges.
    self = "/proc/self/exe";
    if (argc > 1) {
        return executed(argv[1]);
    }
    sem_init(&go, 0, 0);
    sem_init(&done, 0, 0);
    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
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
