// Passes addresses of memory that is not the guest's to every system call that takes one.
//
// calls.inc holds one call a line, made from the table of system calls: number, name, the
// argument under test, and the registers, in which BAD stands for the address. Calls whose
// addresses are nested, or that need a state of their own, are functions below.
//
// Input: lines of hexadecimal addresses. Each is given to each call, and the result compared
// with that of an address where nothing is mapped: it must be the same, or EFAULT, EINVAL or
// ENOMEM. Output: the guest's own maps, `ready`, and for each line of input its exceptions and
// `checked N`; at the end of input the sum.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef unsigned long word;

// Stand-ins in calls.inc.
enum { BAD = -2000001, BUF, PATH, ROOT, LINK, LEN, FILE_FD, DIR_FD, SOCK_FD, EPOLL_FD, PIPE_FD, AIO, MSG, SEM, SHM, SELF };

struct call {
    int number;
    const char *name;
    int tested;
    long regs[6];
};

static const struct call calls[] = {
#include "calls.inc"
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static char *scratch;
static int file, dir, pair[2], epoll, pipes[2], msg_id, sem_id, shm_id;
static aio_context_t aio;

static long raw(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    register long x5 asm("x5") = f;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
    return x0;
}
#define SYS(name, ...) raw_(__NR_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define raw_(n, a, b, c, d, e, f, ...) raw(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

// The state in which each call finds the world, the same each time.
static void prepare(void) {
    memset(scratch, 0, 4096);
    *(uint32_t *)(scratch + 4096) = 64;
    char drained[256];
    while (recv(pair[0], drained, sizeof drained, MSG_DONTWAIT) > 0)
        ;
    send(pair[1], "sixteen bytes...", 16, MSG_DONTWAIT);
    while (read(pipes[0], drained, sizeof drained) > 0)
        ;
    while (msgrcv(msg_id, drained, 128, 0, IPC_NOWAIT) >= 0)
        ;
    struct { long type; char text[8]; } message = { 1, "message" };
    msgsnd(msg_id, &message, 8, IPC_NOWAIT);
    lseek(file, 0, SEEK_SET);
    lseek(dir, 0, SEEK_SET);
}

static long value(long wanted, word bad) {
    switch (wanted) {
    case BAD: return bad;
    case BUF: return (long)scratch;
    case PATH: return (long)"/nonexistent/nothing";
    case ROOT: return (long)"/";
    case LINK: return (long)"/proc/self/cwd";
    case LEN: return (long)(scratch + 4096);
    case FILE_FD: return file;
    case DIR_FD: return dir;
    case SOCK_FD: return pair[0];
    case EPOLL_FD: return epoll;
    case PIPE_FD: return pipes[1];
    case AIO: return aio;
    case MSG: return msg_id;
    case SEM: return sem_id;
    case SHM: return shm_id;
    case SELF: return getpid();
    default: return wanted;
    }
}

static long table_call(const struct call *call, word bad) {
    long regs[6];
    for (int i = 0; i < 6; i++)
        regs[i] = value(call->regs[i], bad);
    return raw(call->number, regs[0], regs[1], regs[2], regs[3], regs[4], regs[5]);
}

// The calls with nested addresses.

static struct iovec vector(word bad) {
    return (struct iovec) { (void *)bad, 16 };
}
static long f_readv(word bad) {
    struct iovec v = vector(bad);
    return SYS(readv, file, &v, 1);
}
static long f_readv_second(word bad) {
    struct iovec v[2] = { { scratch, 4 }, vector(bad) };
    return SYS(readv, file, v, 2);
}
static long f_writev(word bad) {
    struct iovec v = vector(bad);
    return SYS(writev, pipes[1], &v, 1);
}
static long f_preadv2(word bad) {
    struct iovec v = vector(bad);
    return SYS(preadv2, file, &v, 1, 0, 0, 0);
}
static long f_vmsplice(word bad) {
    struct iovec v = vector(bad);
    return SYS(vmsplice, pipes[1], &v, 1, SPLICE_F_NONBLOCK);
}
static long message_call(long number, int fd, word iov, word name, word control) {
    struct iovec v = { (void *)(iov ? iov : (word)scratch), 16 };
    struct msghdr header = { .msg_iov = &v, .msg_iovlen = 1 };
    if (name)
        header.msg_name = (void *)name, header.msg_namelen = 64;
    if (control)
        header.msg_control = (void *)control, header.msg_controllen = 64;
    return raw(number, fd, (long)&header, MSG_DONTWAIT, 0, 0, 0);
}
static long f_recvmsg_iov(word bad) { return message_call(__NR_recvmsg, pair[0], bad, 0, 0); }
static long f_recvmsg_name(word bad) { return message_call(__NR_recvmsg, pair[0], 0, bad, 0); }
static long f_recvmsg_control(word bad) { return message_call(__NR_recvmsg, pair[0], 0, 0, bad); }
static long f_sendmsg_iov(word bad) { return message_call(__NR_sendmsg, pair[1], bad, 0, 0); }
static long f_sendmsg_control(word bad) { return message_call(__NR_sendmsg, pair[1], 0, 0, bad); }
static long messages_call(long number, int fd, word bad) {
    struct iovec v = vector(bad);
    struct mmsghdr header = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };
    return raw(number, fd, (long)&header, 1, MSG_DONTWAIT, 0, 0);
}
static long f_recvmmsg(word bad) { return messages_call(__NR_recvmmsg, pair[0], bad); }
static long f_sendmmsg(word bad) { return messages_call(__NR_sendmmsg, pair[1], bad); }
static long vm_call(long number, word local, word remote) {
    struct iovec l = vector(local), r = vector(remote);
    return raw(number, getpid(), (long)&l, 1, (long)&r, 1, 0);
}
static long f_vm_readv_local(word bad) { return vm_call(__NR_process_vm_readv, bad, (word)scratch); }
static long f_vm_readv_remote(word bad) { return vm_call(__NR_process_vm_readv, (word)scratch, bad); }
static long f_vm_writev_local(word bad) { return vm_call(__NR_process_vm_writev, bad, (word)scratch); }
static long f_vm_writev_remote(word bad) { return vm_call(__NR_process_vm_writev, (word)scratch, bad); }

static long aio_call(int opcode, word bad, int nested) {
    struct iovec v = vector(bad);
    struct iocb cb = { .aio_lio_opcode = opcode, .aio_fildes = file, .aio_buf = nested ? (word)&v : bad,
                       .aio_nbytes = nested ? 1 : 16 };
    struct iocb *list[1] = { &cb };
    long result = SYS(io_submit, aio, 1, list);
    if (result != 1)
        return result;
    struct io_event event = { 0 };
    result = SYS(io_getevents, aio, 1, 1, &event, 0);
    return result == 1 ? event.res : result;
}
static long f_io_submit_iocb(word bad) {
    word list[1] = { bad };
    return SYS(io_submit, aio, 1, list);
}
static long f_io_submit_read(word bad) { return aio_call(IOCB_CMD_PREAD, bad, 0); }
static long f_io_submit_write(word bad) { return aio_call(IOCB_CMD_PWRITE, bad, 0); }
static long f_io_submit_readv(word bad) { return aio_call(IOCB_CMD_PREADV, bad, 1); }

static int ring_fd = -1;
static struct io_uring_params ring_params;
static char *ring;
static struct io_uring_sqe *sqes;

static void ring_start(void) {
    ring_fd = SYS(io_uring_setup, 4, &ring_params);
    if (ring_fd < 0)
        return;
    size_t size = ring_params.cq_off.cqes + ring_params.cq_entries * sizeof(struct io_uring_cqe);
    size_t array = ring_params.sq_off.array + ring_params.sq_entries * 4;
    ring = mmap(0, size > array ? size : array, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, IORING_OFF_SQ_RING);
    sqes = mmap(0, ring_params.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, IORING_OFF_SQES);
}
#define RING(queue, field) (*(volatile uint32_t *)(ring + ring_params.queue##_off.field))
static long ring_call(int opcode, int fd, word addr, word addr2, uint32_t len) {
    if (ring_fd < 0)
        return ring_fd;
    uint32_t tail = RING(sq, tail), index = tail & RING(sq, ring_mask);
    sqes[index] = (struct io_uring_sqe) { .opcode = opcode, .fd = fd, .addr = addr, .addr2 = addr2, .len = len };
    ((volatile uint32_t *)(ring + ring_params.sq_off.array))[index] = index;
    RING(sq, tail) = tail + 1;
    long result = SYS(io_uring_enter, ring_fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
    if (result != 1)
        return result < 0 ? result : -ENODATA;
    uint32_t head = RING(cq, head);
    struct io_uring_cqe *cqe = (void *)(ring + ring_params.cq_off.cqes);
    result = cqe[head & RING(cq, ring_mask)].res;
    RING(cq, head) = head + 1;
    return result;
}
static long f_uring_read(word bad) { return ring_call(IORING_OP_READ, file, bad, 0, 16); }
static long f_uring_write(word bad) { return ring_call(IORING_OP_WRITE, pipes[1], bad, -1, 16); }
static long f_uring_recv(word bad) { return ring_call(IORING_OP_RECV, pair[0], bad, 0, 16); }
static long f_uring_openat(word bad) { return ring_call(IORING_OP_OPENAT, AT_FDCWD, bad, 0, 0); }
static long f_uring_statx(word bad) { return ring_call(IORING_OP_STATX, AT_FDCWD, (word) "/", bad, 0); }
static long f_uring_readv(word bad) {
    struct iovec v = vector(bad);
    return ring_call(IORING_OP_READV, file, (word)&v, 0, 1);
}
static long f_uring_recvmsg(word bad) {
    struct iovec v = vector(bad);
    struct msghdr header = { .msg_iov = &v, .msg_iovlen = 1 };
    return ring_call(IORING_OP_RECVMSG, pair[0], (word)&header, 0, 1);
}
static long f_uring_array(word bad) { return ring_call(IORING_OP_READV, file, bad, 0, 1); }
static long f_uring_epoll(word bad) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    long result = ring_call(IORING_OP_EPOLL_CTL, epoll, bad, pipes[1], EPOLL_CTL_ADD);
    close(epoll);
    return result;
}
static long f_uring_timeout(word bad) { return ring_call(IORING_OP_TIMEOUT, -1, bad, 0, 1); }
static long f_uring_register(word bad) {
    struct iovec v = { (void *)(bad & ~4095ul), 4096 };
    return ring_fd < 0 ? ring_fd : SYS(io_uring_register, ring_fd, IORING_REGISTER_BUFFERS, &v, 1);
}
static long f_uring_probe(word bad) {
    return ring_fd < 0 ? ring_fd : SYS(io_uring_register, ring_fd, IORING_REGISTER_PROBE, bad, 8);
}
static long f_uring_argument(word bad) {
    struct { word mask; uint32_t size, wait; word timeout; } arg = { 0, 0, 0, bad };
    return ring_fd < 0 ? ring_fd
                       : SYS(io_uring_enter, ring_fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg);
}

#define PAGE(bad) ((bad) & ~4095ul)
static long f_munmap(word bad) { return SYS(munmap, PAGE(bad), 4096); }
static long f_mprotect(word bad) { return SYS(mprotect, PAGE(bad), 4096, PROT_NONE); }
static long f_madvise(word bad) { return SYS(madvise, PAGE(bad), 4096, MADV_DONTNEED); }
static long f_mremap(word bad) { return SYS(mremap, PAGE(bad), 4096, 8192, MREMAP_MAYMOVE); }
static long f_mlock(word bad) { return SYS(mlock, PAGE(bad), 4096); }
static long f_msync(word bad) { return SYS(msync, PAGE(bad), 4096, MS_SYNC); }
static long f_mincore(word bad) { return SYS(mincore, PAGE(bad), 4096, scratch); }
static long f_mbind(word bad) { return SYS(mbind, PAGE(bad), 4096, 0, 0, 0, 0); }
static long f_mseal(word bad) { return raw(462, PAGE(bad), 4096, 0, 0, 0, 0); }
static long f_remap_file_pages(word bad) { return SYS(remap_file_pages, PAGE(bad), 4096, 0, 0, 0); }
static long f_shmdt(word bad) { return SYS(shmdt, PAGE(bad)); }
static long f_process_madvise(word bad) {
    int pidfd = syscall(__NR_pidfd_open, getpid(), 0);
    struct iovec v = { (void *)PAGE(bad), 4096 };
    long result = SYS(process_madvise, pidfd, &v, 1, MADV_COLD, 0);
    close(pidfd);
    return result;
}
static long f_process_madvise_drop(word bad) {
    int pidfd = syscall(__NR_pidfd_open, getpid(), 0);
    struct iovec v = { (void *)PAGE(bad), 4096 };
    long result = SYS(process_madvise, pidfd, &v, 1, MADV_DONTNEED, 0);
    close(pidfd);
    return result;
}
static long uffd_call(word bad, int copy) {
    int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    struct uffdio_api api = { .api = UFFD_API };
    long result = SYS(ioctl, fd, UFFDIO_API, &api);
    char *area = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register range = { { copy ? (word)area : PAGE(bad), 4096 }, UFFDIO_REGISTER_MODE_MISSING };
    if (result == 0)
        result = SYS(ioctl, fd, UFFDIO_REGISTER, &range);
    struct uffdio_copy move = { (word)area, PAGE(bad), 4096 };
    if (result == 0 && copy)
        result = SYS(ioctl, fd, UFFDIO_COPY, &move);
    munmap(area, 4096);
    close(fd);
    return result;
}
static long f_uffd_register(word bad) { return uffd_call(bad, 0); }
static long f_uffd_copy(word bad) { return uffd_call(bad, 1); }
static long f_move_pages(word bad) {
    word pages[1] = { bad };
    int status[1] = { 0 };
    long result = SYS(move_pages, 0, 1, pages, 0, status, 0);
    return result ? result : status[0];
}
static long f_futex_waitv(word bad) {
    struct { word val, uaddr; uint32_t flags, reserved; } waiter = { 0, bad & ~3ul, 2, 0 };
    struct timespec now = { 0, 0 };
    return raw(449, (long)&waiter, 1, 0, (long)&now, CLOCK_MONOTONIC, 0);
}
static long f_futex_lock_pi(word bad) { return SYS(futex, bad & ~3ul, 6, 0, 0, 0, 0); }
static long f_futex_wake_op(word bad) { return SYS(futex, scratch, 5, 1, 1, bad & ~3ul, 0); }
static long f_semctl_stat(word bad) { return SYS(semctl, sem_id, 0, IPC_STAT, bad); }
static long f_semctl_getall(word bad) { return SYS(semctl, sem_id, 0, GETALL, bad); }
static long f_semctl_setall(word bad) { return SYS(semctl, sem_id, 0, SETALL, bad); }
static long f_fcntl_getlk(word bad) { return SYS(fcntl, file, F_GETLK, bad); }
static long f_fcntl_setlk(word bad) { return SYS(fcntl, file, F_SETLK, bad); }
static long f_fcntl_getown_ex(word bad) { return SYS(fcntl, pair[0], F_GETOWN_EX, bad); }
static long f_fcntl_setown_ex(word bad) { return SYS(fcntl, pair[0], F_SETOWN_EX, bad); }
static long f_fcntl_hint(word bad) { return SYS(fcntl, file, F_GET_RW_HINT, bad); }
static long f_ioctl_fionread(word bad) { return SYS(ioctl, pair[0], FIONREAD, bad); }
static long f_ioctl_fionbio(word bad) { return SYS(ioctl, pair[0], FIONBIO, bad); }
static long f_ioctl_ifconf(word bad) {
    struct { int len; word buf; } list = { 4096, bad };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    long result = SYS(ioctl, fd, 0x8912, &list);
    close(fd);
    return result;
}
static long f_ioctl_ethtool(word bad) {
    struct { char name[16]; word data[3]; } request = { "lo", { bad } };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    long result = SYS(ioctl, fd, 0x8946, &request);
    close(fd);
    return result;
}
static long f_prctl_get_name(word bad) { return SYS(prctl, 16, bad, 0, 0, 0); }
static long f_prctl_set_name(word bad) { return SYS(prctl, 15, bad, 0, 0, 0); }
static long f_prctl_pdeathsig(word bad) { return SYS(prctl, 2, bad, 0, 0, 0); }
static long f_prctl_subreaper(word bad) { return SYS(prctl, 37, bad, 0, 0, 0); }
static long f_prctl_auxv(word bad) { return SYS(prctl, 0x41555856, bad, 64, 0, 0); }
static long f_setsockopt_filter(word bad) {
    struct { uint16_t len; word filter; } program = { 1, bad };
    return SYS(setsockopt, pair[0], SOL_SOCKET, 26, &program, sizeof program);
}

static const struct { const char *name; long (*call)(word); } functions[] = {
#define F(name) { #name, f_##name }
    F(readv), F(readv_second), F(writev), F(preadv2), F(vmsplice), F(recvmsg_iov), F(recvmsg_name),
    F(recvmsg_control), F(sendmsg_iov), F(sendmsg_control), F(recvmmsg), F(sendmmsg), F(vm_readv_local),
    F(vm_readv_remote), F(vm_writev_local), F(vm_writev_remote), F(io_submit_iocb), F(io_submit_read),
    F(io_submit_write), F(io_submit_readv), F(uring_read), F(uring_write), F(uring_recv), F(uring_openat),
    F(uring_statx), F(uring_readv), F(uring_recvmsg), F(uring_array), F(uring_epoll), F(uring_timeout), F(uring_register),
    F(uring_probe), F(uring_argument), F(munmap), F(mprotect), F(madvise), F(mremap), F(mlock), F(msync),
    F(mincore), F(mbind), F(mseal), F(remap_file_pages), F(shmdt), F(process_madvise),
    F(process_madvise_drop), F(uffd_register),
    F(uffd_copy), F(move_pages), F(futex_waitv), F(futex_lock_pi), F(futex_wake_op), F(semctl_stat),
    F(semctl_getall), F(semctl_setall), F(fcntl_getlk), F(fcntl_setlk), F(fcntl_getown_ex), F(fcntl_setown_ex),
    F(fcntl_hint), F(ioctl_fionread), F(ioctl_fionbio), F(ioctl_ifconf), F(ioctl_ethtool), F(prctl_get_name), F(prctl_set_name),
    F(prctl_pdeathsig), F(prctl_subreaper), F(prctl_auxv), F(setsockopt_filter),
};

// Calls that would succeed where nothing is mapped: here only a refusal will do.
static long g_mmap_fixed(word bad) {
    return SYS(mmap, PAGE(bad), 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
static long g_mremap_fixed(word bad) {
    char *area = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long result = SYS(mremap, area, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, PAGE(bad));
    munmap(area, 4096);
    return result;
}
static long g_shmat_remap(word bad) { return SYS(shmat, shm_id, PAGE(bad), SHM_REMAP); }
static const struct { const char *name; long (*call)(word); } refused[] = {
    { "mmap MAP_FIXED", g_mmap_fixed }, { "mremap MREMAP_FIXED", g_mremap_fixed }, { "shmat SHM_REMAP", g_shmat_remap },
};

static int is_error(long result) { return result < 0 && result >= -4095; }
static int is_refusal(long result) { return result == -EFAULT || result == -EINVAL || result == -ENOMEM; }

static unsigned long pairs, exceptions;

static void judge(const char *name, int tested, word bad, long result, long expected) {
    pairs++;
    int same = is_error(expected) ? result == expected : !is_error(result);
    if (same || is_refusal(result))
        return;
    exceptions++;
    printf("EXCEPTION %s argument %d at %#lx: %ld, where nothing is mapped: %ld\n", name, tested, bad, result, expected);
}

static void *sleeper(void *arg) {
    pause();
    return arg;
}

int main(void) {
    setvbuf(stdout, 0, _IOLBF, 0);
    scratch = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    file = memfd_create("file", 0);
    ftruncate(file, 1 << 16);
    dir = open("/", O_RDONLY | O_DIRECTORY);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    pipe2(pipes, O_NONBLOCK);
    epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
    SYS(io_setup, 4, &aio);
    msg_id = msgget(IPC_PRIVATE, 0600);
    sem_id = semget(IPC_PRIVATE, 2, 0600);
    shm_id = shmget(IPC_PRIVATE, 4096, 0600);
    ring_start();
    pthread_t thread;
    pthread_create(&thread, 0, sleeper, 0);

    // An address of the guest's where nothing is.
    char *hole = mmap(0, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole, 1 << 20);
    word unmapped = (word)hole + (1 << 19);

    char line[256];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        fputs(line, stdout);
    fclose(maps);
    puts("ready");
    while (fgets(line, sizeof line, stdin)) {
        word bad = strtoul(line, 0, 16);
        unsigned long before = pairs;
        for (unsigned i = 0; i < COUNT(calls); i++) {
            prepare();
            long nothing = table_call(&calls[i], unmapped | (bad & 4095));
            prepare();
            judge(calls[i].name, calls[i].tested, bad, table_call(&calls[i], bad), nothing);
        }
        for (unsigned i = 0; i < COUNT(functions); i++) {
            prepare();
            long nothing = functions[i].call(unmapped | (bad & 4095));
            prepare();
            judge(functions[i].name, 0, bad, functions[i].call(bad), nothing);
        }
        for (unsigned i = 0; i < COUNT(refused); i++)
            judge(refused[i].name, 0, bad, refused[i].call(bad), -ENOMEM);
        printf("checked %lu\n", pairs - before);
    }
    msgctl(msg_id, IPC_RMID, 0);
    semctl(sem_id, 0, IPC_RMID);
    shmctl(shm_id, IPC_RMID, 0);
    printf("%lu pairs, %lu exceptions\n", pairs, exceptions);
    return exceptions != 0;
}
