/* Resource limits count what the program has, and nothing else. Each case is a process of its own. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

/* RLIM_INFINITY: the hard limit stays, or the soft one becomes it. */
static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit to;
    getrlimit(resource, &to);
    if (hard != RLIM_INFINITY)
        to.rlim_max = hard;
    to.rlim_cur = soft == RLIM_INFINITY ? to.rlim_max : soft;
    CHECK(setrlimit(resource, &to) == 0);
}

static const char *answer(long result)
{
    static char text[2][32];
    static int turn;
    char *at = text[turn++ & 1];
    snprintf(at, 32, "%s", result == -1 ? strerrorname_np(errno) : "ok");
    return at;
}
#define SHOW(call) printf("  %s: %s\n", #call, (errno = 0, answer((long)(call))))

static void address_space(void)
{
    limit(RLIMIT_AS, 1UL << 31, RLIM_INFINITY);
    SHOW(mmap(NULL, 1L << 32, PROT_NONE, ANONYMOUS, -1, 0));
    SHOW(mmap(NULL, 1 << 20, RW, ANONYMOUS, -1, 0));
    SHOW(sbrk(1L << 32));
    limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
    SHOW(mmap(NULL, 1L << 32, PROT_NONE, ANONYMOUS, -1, 0));
}

static volatile sig_atomic_t exceeded;
static void count(int sig)
{
    exceeded++;
}

static void file_size(void)
{
    static char block[3 * PAGE];
    int fd = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600);
    limit(RLIMIT_FSIZE, 2 * PAGE, RLIM_INFINITY);
    signal(SIGXFSZ, count);
    printf("  %zd written of %ld\n", write(fd, block, 3 * PAGE), 3 * PAGE);
    SHOW(write(fd, block, 1));
    SHOW(pwrite(fd, block, 1, 2 * PAGE));
    SHOW(ftruncate(fd, 2 * PAGE + 1));
    SHOW(ftruncate(fd, 2 * PAGE));
    SHOW(truncate("limited", 3 * PAGE));
    SHOW(fallocate(fd, 0, 0, 3 * PAGE));
    SHOW(write(memfd_create("memory", 0), block, 3 * PAGE));
    printf("  %d signals\n", exceeded);
    signal(SIGXFSZ, SIG_IGN);
    SHOW(write(fd, block, 1));
    SHOW(ftruncate(memfd_create("memory", 0), 3 * PAGE));
    signal(SIGXFSZ, SIG_DFL);
    fflush(stdout);
    pwrite(fd, block, 1, 2 * PAGE);
}

static void *nothing(void *arg)
{
    return arg;
}

static void full_table(void)
{
    limit(RLIMIT_NOFILE, 20, RLIM_INFINITY);
    int last = -1, fds[2];
    for (int fd; (fd = dup(0)) >= 0; last = fd)
        ;
    printf("  %d is the last\n", last);
    SHOW(open(".", O_RDONLY));
    SHOW(open("/proc/self/status", O_RDONLY));
    SHOW(open("/proc/self/maps", O_RDONLY));
    SHOW(open("/proc/self/exe", O_RDONLY));
    SHOW(open("/proc/self/cmdline", O_RDONLY));
    SHOW(open("/proc/cpuinfo", O_RDONLY));
    SHOW(dup(0));
    SHOW(dup2(0, 20));
    SHOW(dup2(0, 19));
    SHOW(dup3(0, 20, O_CLOEXEC));
    SHOW(fcntl(0, F_DUPFD, 20));
    SHOW(fcntl(0, F_DUPFD, 5));
    SHOW(fcntl(0, F_DUPFD_CLOEXEC, 5));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 0));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SHOW(pipe(fds));
    SHOW(epoll_create1(0));
    SHOW(eventfd(0, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 0));
    SHOW(inotify_init());
    SHOW(memfd_create("memory", 0));
    SHOW(syscall(SYS_pidfd_open, getpid(), 0));
    sigset_t none;
    sigemptyset(&none);
    SHOW(signalfd(-1, &none, 0));
    SHOW(opendir("/proc/self/fd") ? 0 : -1);
    char link[64];
    SHOW(readlink("/proc/self/exe", link, 64) > 0 ? 0 : -1);
    struct stat status;
    SHOW(stat("/proc/self/exe", &status));
    pthread_t thread;
    errno = pthread_create(&thread, NULL, nothing, NULL);
    printf("  thread: %d\n", errno);
    if (!errno)
        pthread_join(thread, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    int end;
    SHOW(waitpid(child, &end, 0));
    close(last);
    SHOW(pipe(fds));
    SHOW(open("/proc/self/status", O_RDONLY));
    SHOW(open("/proc/self/status", O_RDONLY));
    limit(RLIMIT_NOFILE, 3, RLIM_INFINITY);
    SHOW(open(".", O_RDONLY));
    SHOW(fcntl(5, F_GETFD));
}

static void locked_memory(void)
{
    /* With CAP_IPC_LOCK there is no limit. */
    if (setresuid(65534, 65534, 65534) != 0 && getuid() == 0)
        puts("cannot change the user");
    limit(RLIMIT_MEMLOCK, 16 * PAGE, 16 * PAGE);
    char *at = mmap(NULL, 64 * PAGE, RW, ANONYMOUS, -1, 0);
    SHOW(mlock(at, 8 * PAGE));
    SHOW(mlock(at, 8 * PAGE));
    SHOW(mlock(at + 8 * PAGE, 9 * PAGE));
    SHOW(mlock(at + 8 * PAGE, 8 * PAGE));
    SHOW(mlock(at + 16 * PAGE, PAGE));
    SHOW(mmap(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0));
    SHOW(munlock(at, PAGE));
    SHOW(mmap(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0));
    SHOW(munlock(at, 64 * PAGE));
    SHOW(mlock2(at, 15 * PAGE, 1));
    SHOW(mlockall(MCL_CURRENT));
    SHOW(mlockall(MCL_CURRENT | MCL_FUTURE));
    SHOW(munlockall());
    SHOW(mlockall(MCL_FUTURE));
    SHOW(mmap(NULL, 4 * PAGE, RW, ANONYMOUS, -1, 0));
    SHOW(mmap(NULL, 32 * PAGE, RW, ANONYMOUS, -1, 0));
    SHOW(munlockall());
    SHOW(mmap(NULL, 32 * PAGE, RW, ANONYMOUS, -1, 0));
    limit(RLIMIT_MEMLOCK, 0, 0);
    SHOW(mlock(at, PAGE));
    SHOW(mlockall(MCL_FUTURE));
    SHOW(mlockall(8));
}

static void pending(void)
{
    if (setresuid(65533, 65533, 65533) != 0 && getuid() == 0)
        puts("cannot change the user");
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    limit(RLIMIT_SIGPENDING, 4, 4);
    union sigval value = {7};
    for (int n = 0; n < 6; n++)
        SHOW(sigqueue(getpid(), SIGRTMIN, value));
    SHOW(kill(getpid(), SIGRTMIN));
    SHOW(kill(getpid(), SIGUSR1));
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    siginfo_t info;
    struct timespec now = {0};
    int seen = 0;
    while (sigtimedwait(&set, &info, &now) > 0)
        seen++;
    printf("  %d came\n", seen);
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
}

static void message_queue(void)
{
    if (setresuid(65532, 65532, 65532) != 0 && getuid() == 0)
        puts("cannot change the user");
    struct mq_attr attr = {0, 10, 8192};
    limit(RLIMIT_MSGQUEUE, 10000, 10000);
    SHOW(mq_open("/raemu-limits", O_CREAT | O_RDWR, 0600, &attr));
    attr.mq_msgsize = 16;
    SHOW(mq_open("/raemu-limits", O_CREAT | O_RDWR, 0600, &attr));
    SHOW(mq_unlink("/raemu-limits"));
}

static void processor_time(void)
{
    signal(SIGXCPU, count);
    limit(RLIMIT_CPU, 1, RLIM_INFINITY);
    while (!exceeded)
        ;
    printf("  SIGXCPU came\n");
    fflush(stdout);
    limit(RLIMIT_CPU, 1, 1);
    for (;;)
        ;
}

static void processes(void)
{
    if (setresuid(65531, 65531, 65531) != 0 && getuid() == 0)
        puts("cannot change the user");
    limit(RLIMIT_NPROC, 1, 1);
    SHOW(fork());
    pthread_t thread;
    printf("  thread: %s\n", strerrorname_np(pthread_create(&thread, NULL, nothing, NULL)));
    limit(RLIMIT_NPROC, 0, 0);
    SHOW(fork());
}

static void others(void)
{
    struct rlimit was;
    limit(RLIMIT_CORE, 0, RLIM_INFINITY);
    SHOW(getrlimit(RLIMIT_CORE, &was));
    printf("  core %ld\n", (long)was.rlim_cur);
    limit(RLIMIT_STACK, 1 << 20, RLIM_INFINITY);
    SHOW(getrlimit(RLIMIT_STACK, &was));
    printf("  stack %ld\n", (long)was.rlim_cur);
    limit(RLIMIT_RTTIME, 12345, RLIM_INFINITY);
    SHOW(getrlimit(RLIMIT_RTTIME, &was));
    printf("  rttime %ld\n", (long)was.rlim_cur);
    limit(RLIMIT_LOCKS, 5, 5);
    limit(RLIMIT_RSS, 1 << 20, 1 << 20);
    SHOW(mmap(NULL, 4 << 20, RW, ANONYMOUS | MAP_POPULATE, -1, 0));
}

static void in_child(const char *name, void (*body)(void))
{
    printf("%s\n", name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        body();
        fflush(stdout);
        _exit(failures != 0);
    }
    int end;
    CHECK(waitpid(child, &end, 0) == child);
    if (WIFSIGNALED(end))
        printf("  ended by signal %d\n", WTERMSIG(end));
    else
        CHECK(WEXITSTATUS(end) == 0);
}

int main(void)
{
    in_child("address space", address_space);
    in_child("file size", file_size);
    in_child("full table", full_table);
    in_child("locked memory", locked_memory);
    in_child("pending signals", pending);
    in_child("message queues", message_queue);
    in_child("processor time", processor_time);
    in_child("processes", processes);
    in_child("others", others);
    DONE();
}
