/* Looks for descriptors that the program does not have, by each call and name that could find one, beside a thread that
 * makes other calls; prints what it finds, or "none". With an argument: writes to that file as its standard error. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 1100

static int found;
static volatile int stop;

static void find(const char *how, int fd) {
    found++;
    printf("%s finds %d\n", how, fd);
}

static void *talk(void *unused) {
    while (!stop)
        syscall(SYS_getppid);
    return unused;
}

/* Messages that carry a descriptor. */
static int can_send(int socket, int fd) {
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_DONTWAIT) == 1;
}

struct ring {
    int fd;
    char *queue, *answers;
    struct io_uring_params params;
    struct io_uring_sqe *entries;
};

static int make_ring(struct ring *ring) {
    ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
    if (ring->fd < 0)
        return 0;
    size_t size = ring->params.sq_off.array + ring->params.sq_entries * 4;
    size_t answers = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
    ring->queue = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
    ring->answers = mmap(0, answers, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
    ring->entries = mmap(0, 4 * sizeof *ring->entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
    return ring->queue != MAP_FAILED && ring->answers != MAP_FAILED && ring->entries != MAP_FAILED;
}

/* What the kernel answers to fsync of `fd`. */
static int ring_fsync(struct ring *ring, int fd) {
    unsigned *tail = (unsigned *)(ring->queue + ring->params.sq_off.tail);
    unsigned mask = *(unsigned *)(ring->queue + ring->params.sq_off.ring_mask);
    unsigned *array = (unsigned *)(ring->queue + ring->params.sq_off.array);
    unsigned at = *tail & mask;
    memset(&ring->entries[at], 0, sizeof ring->entries[at]);
    ring->entries[at].opcode = IORING_OP_FSYNC;
    ring->entries[at].fd = fd;
    array[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) != 1)
        return -EBADF;
    unsigned *head = (unsigned *)(ring->answers + ring->params.cq_off.head);
    unsigned answers = *(unsigned *)(ring->answers + ring->params.cq_off.ring_mask);
    struct io_uring_cqe *all = (struct io_uring_cqe *)(ring->answers + ring->params.cq_off.cqes);
    int result = all[*head & answers].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return result;
}

static void list(const char *path, const char *own) {
    DIR *all = opendir(path);
    if (!all)
        return;
    for (struct dirent *entry; (entry = readdir(all));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(all) && !own[fd])
            find(path, fd);
    }
    closedir(all);
}

static void look(int fd, int epoll, int socket, struct ring *ring) {
    struct stat status;
    if (fstat(fd, &status) == 0)
        find("fstat", fd);
    if (fcntl(fd, F_GETFD) >= 0)
        find("fcntl", fd);
    int copy = dup(fd);
    if (copy >= 0)
        find("dup", fd), close(copy);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    if (poll(&one, 1, 0) != 1 || one.revents != POLLNVAL)
        find("poll", fd);
    one.revents = 0;
    if (ppoll(&one, 1, &(struct timespec){0}, 0) != 1 || one.revents != POLLNVAL)
        find("ppoll", fd);
    if (fd < FD_SETSIZE) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        if (select(fd + 1, &set, 0, 0, &(struct timeval){0}) >= 0)
            find("select", fd);
        FD_SET(fd, &set);
        if (pselect(fd + 1, 0, &set, 0, &(struct timespec){0}, 0) >= 0)
            find("pselect", fd);
    }
    struct epoll_event event = {0};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno != EBADF)
        find("epoll_ctl", fd);
    if (can_send(socket, fd))
        find("SCM_RIGHTS", fd);
    if (ring && ring_fsync(ring, fd) != -EBADF)
        find("io_uring", fd);
    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"/proc/self/fd/%d", "/dev/fd/%d", "/proc/self/fdinfo/%d"};
        char name[64];
        snprintf(name, sizeof name, names[i], fd);
        if (lstat(name, &status) == 0 || open(name, O_PATH) >= 0)
            find(name, fd);
    }
}

int main(int argc, char **argv) {
    if (argc > 1) {
        close(2);
        if (open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600) != 2)
            return 1;
        return write(2, "the guest's\n", 12) != 12;
    }
    /* What the caller left open; and the kernel's table reaches as far as is looked (select(2) ignores what lies beyond). */
    syscall(SYS_close_range, 3, ~0U, 0);
    if (dup2(0, MOST) != MOST || close(MOST) != 0)
        return 1;
    pthread_t talker;
    if (pthread_create(&talker, 0, talk, 0) != 0)
        return 1;
    int epoll = epoll_create1(0), pair[2];
    struct ring ring = {0};
    int has_ring = make_ring(&ring);
    if (epoll < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
        return 1;
    char own[4096] = {[0] = 1, [1] = 1, [2] = 1};
    own[epoll] = own[pair[0]] = own[pair[1]] = 1;
    if (ring.fd >= 0)
        own[ring.fd] = 1;
    list("/proc/self/fd", own);
    list("/proc/self/fdinfo", own);
    /* Numbers are handed out as if nobody else opened files. */
    int next = open("/dev/null", O_RDONLY);
    for (int round = 0; round < 300; round++) {
        close(next);
        int again = open("/dev/null", O_RDONLY);
        if (again != next)
            find("open", again);
        next = again;
    }
    close(next);
    for (int fd = 3; fd < MOST; fd++)
        if (!own[fd])
            look(fd, epoll, pair[0], has_ring ? &ring : 0);
    stop = 1;
    pthread_join(talker, 0);
    if (!found)
        puts("none");
    return found != 0;
}
