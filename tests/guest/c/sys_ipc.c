/* epoll, poll, select, sockets with descriptors, System V semaphores and messages, clocks. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void epolls(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC), fds[3];
    struct epoll_event event, events[8];
    for (int i = 0; i < 3; i++) {
        fds[i] = eventfd(i, EFD_NONBLOCK);
        event.events = EPOLLIN | EPOLLET;
        event.data.u64 = 0x0123456789abcd00ULL + i;
        CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &event) == 0);
    }
    memset(events, 0xee, sizeof events);
    int count = epoll_wait(ep, events, 8, 0);
    CHECK(count == 2);
    uint64_t seen = 0;
    for (int i = 0; i < count; i++) {
        CHECK(events[i].events == EPOLLIN && (events[i].data.u64 & ~3ULL) == 0x0123456789abcd00ULL);
        seen |= 1 << (events[i].data.u64 & 3);
    }
    CHECK(seen == 6);
    CHECK(epoll_wait(ep, events, 8, 1) == 0);
    event.events = EPOLLOUT;
    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event) == 0);
    CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, fds[1], NULL) == 0);
    FAILS(epoll_ctl(ep, EPOLL_CTL_DEL, fds[1], NULL), ENOENT);
    FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], (void *)8), EFAULT);
    FAILS(epoll_wait(ep, events, 0, 0), EINVAL);
    FAILS(epoll_wait(ep, (void *)8, 8, 0), EFAULT);
    struct timespec no_time = { 0, 0 };
    long got = syscall(441, ep, events, 8, &no_time, NULL, 8L);
    CHECK(got >= 0 || errno == ENOSYS);
}

static void polls(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
    struct pollfd wanted[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLOUT, 0 } };
    CHECK(poll(wanted, 2, -1) == 2 && wanted[0].revents == POLLIN && wanted[1].revents == POLLOUT);
    struct timespec timeout = { 0, 1000000 };
    wanted[0].fd = -1;
    CHECK(ppoll(wanted, 1, &timeout, NULL) == 0);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    struct timeval tv = { 5, 0 };
    CHECK(select(fds[0] + 1, &set, NULL, NULL, &tv) == 1 && FD_ISSET(fds[0], &set));
    FAILS(poll((void *)8, 1, 0), EFAULT);
    int available = 0;
    CHECK(ioctl(fds[0], FIONREAD, &available) == 0 && available == 1);
    struct termios modes;
    FAILS(tcgetattr(fds[0], &modes), ENOTTY);
}

static void sockets(void)
{
    int pair[2], passed[2], received = -1;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 && pipe(passed) == 0);
    CHECK(fcntl(pair[0], F_GETFD) == FD_CLOEXEC);
    char text[] = "with a descriptor", control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { text, sizeof text };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &passed[1], sizeof(int));
    CHECK(sendmsg(pair[0], &msg, 0) == sizeof text);
    memset(text, 0, sizeof text);
    memset(control, 0, sizeof control);
    CHECK(recvmsg(pair[1], &msg, 0) == sizeof text && strcmp(text, "with a descriptor") == 0);
    head = CMSG_FIRSTHDR(&msg);
    CHECK(head && head->cmsg_type == SCM_RIGHTS);
    if (head)
        memcpy(&received, CMSG_DATA(head), sizeof received);
    CHECK(write(received, "!", 1) == 1 && read(passed[0], text, 1) == 1 && text[0] == '!');
    struct ucred peer;
    socklen_t len = sizeof peer;
    CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid());
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "raemu-%d", getpid());
    CHECK(bind(server, (struct sockaddr *)&name, sizeof name) == 0 && listen(server, 1) == 0);
    FAILS(accept(server, NULL, NULL), EAGAIN);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
    len = sizeof name;
    CHECK(accept4(server, (struct sockaddr *)&name, &len, SOCK_CLOEXEC) >= 0);
    CHECK(getsockname(server, (struct sockaddr *)&name, &len) == 0 && name.sun_family == AF_UNIX);
    FAILS(recv(client, (void *)8, 1, MSG_DONTWAIT), EAGAIN);
    struct iovec two[2] = { { "ab", 2 }, { "cd", 2 } };
    CHECK(writev(pair[0], two, 2) == 4 && read(pair[1], text, 8) == 4 && memcmp(text, "abcd", 4) == 0);
    FAILS(writev(pair[0], two, -1), EINVAL);
}

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static void system_v(void)
{
    int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0640);
    if (id < 0)
        return; /* no System V IPC in this sandbox */
    unsigned short values[3] = { 4, 5, 6 };
    union semun arg = { .array = values };
    CHECK(semctl(id, 0, SETALL, arg) == 0 && semctl(id, 1, GETVAL) == 5);
    struct sembuf op = { 2, -6, IPC_NOWAIT };
    CHECK(semop(id, &op, 1) == 0 && semctl(id, 2, GETVAL) == 0 && semctl(id, 2, GETPID) == getpid());
    FAILS(semop(id, &op, 1), EAGAIN);
    struct semid_ds status;
    memset(&status, 0xee, sizeof status);
    arg.buf = &status;
    CHECK(semctl(id, 0, IPC_STAT, arg) == 0 && status.sem_nsems == 3);
    CHECK((status.sem_perm.mode & 0777) == 0640 && llabs(status.sem_otime - time(NULL)) < 100);
    CHECK(llabs(status.sem_ctime - time(NULL)) < 100);
    status.sem_perm.mode = 0600;
    CHECK(semctl(id, 0, IPC_SET, arg) == 0 && semctl(id, 0, IPC_STAT, arg) == 0);
    CHECK((status.sem_perm.mode & 0777) == 0600 && semctl(id, 0, IPC_RMID) == 0);
    int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    struct { long type; char text[8]; } message = { 3, "message" };
    CHECK(msgsnd(queue, &message, 8, 0) == 0);
    struct msqid_ds info;
    CHECK(msgctl(queue, IPC_STAT, &info) == 0 && info.msg_qnum == 1 && info.msg_lspid == getpid());
    message.text[0] = 0;
    CHECK(msgrcv(queue, &message, 8, 3, IPC_NOWAIT) == 8 && strcmp(message.text, "message") == 0);
    FAILS(msgrcv(queue, &message, 8, 3, IPC_NOWAIT), ENOMSG);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
}

static void clocks(void)
{
    struct timespec a, b, tiny = { 0, 2000000 };
    CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0 && nanosleep(&tiny, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
    CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 2000000);
    FAILS(syscall(SYS_clock_gettime, 99L, &a), EINVAL);
    FAILS(syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8), EFAULT);
    CHECK(syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &a) == 0);
    CHECK(clock_getres(CLOCK_REALTIME, &a) == 0 && a.tv_sec == 0);
    struct timeval tv;
    CHECK(gettimeofday(&tv, NULL) == 0 && llabs(tv.tv_sec - time(NULL)) <= 1);
    struct itimerspec spec = { .it_value = { 0, 1000000 } };
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    uint64_t ticks = 0;
    CHECK(timerfd_settime(timer, 0, &spec, NULL) == 0 && read(timer, &ticks, 8) == 8 && ticks == 1);
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0 && info.totalram > 0 && info.mem_unit > 0 && info.procs > 0);
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 0);
    struct tms ticks_used;
    CHECK(times(&ticks_used) != (clock_t)-1);
    char random[16] = { 0 };
    CHECK(getrandom(random, sizeof random, 0) == sizeof random);
    int memory = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(memory >= 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE) == 0 && fcntl(memory, F_GET_SEALS) == F_SEAL_WRITE);
    FAILS(write(memory, "x", 1), EPERM);
    FAILS(syscall(5000L), ENOSYS);
}

int main(void)
{
    epolls();
    polls();
    sockets();
    system_v();
    clocks();
    DONE();
}
