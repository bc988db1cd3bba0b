/* Tagged addresses: loads and stores ignore the tag, system calls refuse it until PR_SET_TAGGED_ADDR_CTRL, as HWASan's and
 * Scudo's run time libraries ask for (Documentation/arch/arm64/tagged-address-abi.rst). */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define SET_TAGGED 55
#define GET_TAGGED 56

static void *tagged(const void *address)
{
    return (void *)((uintptr_t)address | 0x2aUL << 56);
}
#define T(address) tagged(address)

static int ends[2], sockets[2], epoll, udp;
static char text[16] = "hello", got[16];

/* Each call once: 0 if it did what it is for. */
static int calls(void)
{
    int failed = 0, word = 1, status = 0;
    struct stat about;
    struct iovec vector = {T(text), 5}, vectors[2] = {{T(text), 2}, {text + 2, 3}};
    struct msghdr message = {.msg_iov = T(&vector), .msg_iovlen = 1};
    struct pollfd entry = {ends[1], POLLOUT, 0};
    struct epoll_event event = {EPOLLOUT, {0}};
    struct timespec moment = {0, 1}, now;
    sigset_t set;
    stack_t stack;
    struct flock lock = {F_RDLCK, SEEK_SET, 0, 0, 0};
    struct sigaction action;
    pthread_attr_t unused;
    (void)unused;
#define TRY(condition)                                                                    \
    do {                                                                                  \
        errno = 0;                                                                        \
        if (!(condition)) {                                                               \
            failed++;                                                                     \
            if (failures >= 0 && errno != EFAULT)                                         \
                printf("line %d: errno %d, not EFAULT: %s\n", __LINE__, errno, #condition); \
        }                                                                                 \
    } while (0)
    TRY(write(ends[1], T(text), 5) == 5 && read(ends[0], got, 5) == 5);
    TRY(write(ends[1], text, 5) == 5 && read(ends[0], T(got), 5) == 5);
    TRY(writev(ends[1], &vector, 1) == 5 && read(ends[0], got, 5) == 5);
    TRY(writev(ends[1], T(vectors), 2) == 5 && read(ends[0], got, 5) == 5);
    TRY(stat(T("/tmp"), &about) == 0);
    TRY(stat("/tmp", T(&about)) == 0);
    TRY((status = open(T("/tmp"), O_RDONLY)) >= 0 && close(status) == 0);
    TRY(syscall(SYS_ppoll, T(&entry), 1, NULL, NULL, 8) == 1);
    TRY(syscall(SYS_nanosleep, T(&moment), NULL) == 0);
    TRY(syscall(SYS_clock_getres, CLOCK_MONOTONIC, T(&now)) == 0);
    TRY(syscall(SYS_futex, T(&word), 1, 1, 0, 0, 0) == 0);
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, T(&set), 8) == 0);
    TRY(syscall(SYS_rt_sigaction, SIGUSR2, NULL, T(&action), 8) == 0);
    TRY(syscall(SYS_sigaltstack, NULL, T(&stack)) == 0);
    TRY(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], T(&event)) == 0);
    TRY(syscall(SYS_epoll_pwait, epoll, T(&event), 1, 0, NULL, 8) == 1);
    TRY(sendmsg(sockets[0], T(&message), 0) == 5 && read(sockets[1], got, 5) == 5);
    TRY(sendmsg(sockets[0], &message, 0) == 5 && read(sockets[1], got, 5) == 5);
    TRY(ioctl(ends[0], FIONREAD, T(&word)) == 0);
    /* Addresses in structures. */
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq device = {.ifr_name = "lo", .ifr_data = T(&link)};
    TRY(ioctl(udp, SIOCETHTOOL, &device) == 0 && device.ifr_data == T(&link));
    struct sock_filter whole[] = {BPF_STMT(BPF_RET | BPF_K, 0xffff)};
    struct sock_fprog filter = {1, T(whole)};
    TRY(setsockopt(udp, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0);
    TRY(fcntl(epoll, F_GETOWN) == 0 && fcntl(ends[0], F_GETLK, T(&lock)) != -2 && errno != EFAULT);
    TRY(syscall(SYS_getcwd, T(got), sizeof got) > 0 || errno == ERANGE);
    TRY(prctl(PR_GET_NAME, T(got)) == 0);
    return failed;
}

static void *in_thread(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)calls();
}

int main(void)
{
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    epoll = epoll_create1(0);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct epoll_event event = {EPOLLOUT, {0}};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event) == 0);
    /* Loads and stores, and calls on mappings, never mind. */
    *(volatile char *)T(page) = 5;
    CHECK(page[0] == 5 && __atomic_add_fetch((char *)T(page), 1, __ATOMIC_SEQ_CST) == 6);
    CHECK(mprotect(T(page), PAGE, PROT_READ) == 0 && mprotect(T(page), PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(madvise(T(page), PAGE, MADV_DONTNEED) == 0 && page[0] == 0);
    CHECK(mlock(T(page), PAGE) == 0 && munlock(T(page), PAGE) == 0 && munmap(T(page + PAGE), PAGE) == 0);
    CHECK(prctl(GET_TAGGED, 0, 0, 0, 0) == 0);
    CHECK(calls() >= 20);
    CHECK(prctl(SET_TAGGED, 1, 0, 0, 0) == 0 && prctl(GET_TAGGED, 0, 0, 0, 0) == 1);
    CHECK(calls() == 0);
    pthread_t thread;
    void *refused;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, &refused);
    CHECK(refused == NULL);
    fflush(stdout);
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(calls());
    CHECK(waitpid(child, T(&status), 0) == child && status == 0);
    child = vfork();
    if (child == 0) {
        char *words[] = {T("sh"), T("-c"), T("exit 3"), NULL};
        execve(T("/bin/sh"), T(words), NULL);
        _exit(errno);
    }
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    CHECK(prctl(SET_TAGGED, 0, 0, 0, 0) == 0);
    CHECK(calls() >= 20);
    DONE();
}
