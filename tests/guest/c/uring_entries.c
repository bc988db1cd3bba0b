/* io_uring(7): what entries hold that the architectures have differently, and what they lead to. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OP_PIPE 62
#define SETUP_NO_MMAP (1U << 14)
#define FEATURE(name) (params.features & IORING_FEAT_##name)

typedef struct io_uring_sqe Sqe;

static int ring_fd;
static struct io_uring_params params;
static char *ring;
static Sqe *sqes;

static unsigned *at(unsigned offset) { return (unsigned *)(ring + offset); }

static void queue(Sqe sqe)
{
    unsigned tail = *at(params.sq_off.tail), index = tail & *at(params.sq_off.ring_mask);
    sqes[index] = sqe;
    at(params.sq_off.array)[index] = index;
    __atomic_store_n(at(params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

static int enter(unsigned submit, unsigned wait)
{
    return (int)syscall(SYS_io_uring_enter, ring_fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
}

/* The next result; the entries' data count upwards. */
static int result(uint64_t data)
{
    unsigned head = *at(params.cq_off.head);
    if (head == __atomic_load_n(at(params.cq_off.tail), __ATOMIC_ACQUIRE))
        enter(0, 1);
    struct io_uring_cqe *cqe = (struct io_uring_cqe *)(ring + params.cq_off.cqes) + (head & *at(params.cq_off.ring_mask));
    int res = cqe->res;
    CHECK(cqe->user_data == data);
    __atomic_store_n(at(params.cq_off.head), head + 1, __ATOMIC_RELEASE);
    return res;
}

static int one(Sqe sqe)
{
    sqe.user_data = 7;
    queue(sqe);
    CHECK(enter(1, 1) == 1);
    return result(7);
}

static int set_up(void)
{
    memset(&params, 0, sizeof params);
    ring_fd = (int)syscall(SYS_io_uring_setup, 8, &params);
    if (ring_fd < 0)
        return -1;
    size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    size_t array = params.sq_off.array + params.sq_entries * 4;
    ring = mmap(NULL, size > array ? size : array, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, IORING_OFF_SQ_RING);
    sqes = mmap(NULL, params.sq_entries * sizeof(Sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, IORING_OFF_SQES);
    return ring == MAP_FAILED || sqes == MAP_FAILED ? -1 : 0;
}

#define OPENAT(path, flags) ((Sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)(path), .open_flags = (flags), .len = 0600})

static char directory[] = "/tmp/uring_entriesXXXXXX";
static char file[64], sym[64];

static void flags_of_open(void)
{
    CHECK(one(OPENAT(file, O_RDONLY | O_DIRECTORY)) == -ENOTDIR);
    CHECK(one(OPENAT(sym, O_RDONLY | O_NOFOLLOW)) == -ELOOP);
    int fd = one(OPENAT(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & (O_DIRECTORY | O_NOFOLLOW)) == (O_DIRECTORY | O_NOFOLLOW));
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    close(fd);
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY};
    Sqe second = {.opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD, .addr = (uintptr_t)file, .off = (uintptr_t)&how, .len = sizeof how};
    CHECK(one(second) == -ENOTDIR);
    CHECK(how.flags == (O_RDONLY | O_DIRECTORY));
    second.addr = (uintptr_t)sym;
    how = (struct open_how){.flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS};
    CHECK(one(second) == -ELOOP);
    second.len = 4;
    CHECK(one(second) == -EINVAL);
    second.len = sizeof how;
    second.off = 8;
    CHECK(one(second) == -EFAULT);
    /* An entry that is refused ends the submission; the next one stays as it is, and is good again. */
    queue((Sqe){.opcode = 254, .user_data = 1});
    Sqe next = OPENAT(file, O_RDONLY | O_DIRECTORY);
    next.user_data = 2;
    queue(next);
    Sqe *stays = &sqes[(*at(params.sq_off.tail) - 1) & *at(params.sq_off.ring_mask)];
    CHECK(enter(2, 0) == 1);
    CHECK(result(1) == -EINVAL);
    CHECK(memcmp(stays, &next, sizeof next) == 0);
    CHECK(enter(1, 1) == 1);
    CHECK(result(2) == -ENOTDIR);
}

static void events_of_epoll(void)
{
    int epoll = epoll_create1(0), ends[2];
    CHECK(pipe(ends) == 0);
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 0x0123456789abcdef}, got = {0};
    Sqe add = {.opcode = IORING_OP_EPOLL_CTL, .fd = epoll, .len = EPOLL_CTL_ADD, .off = ends[1], .addr = (uintptr_t)&event};
    CHECK(one(add) == 0);
    CHECK(epoll_wait(epoll, &got, 1, 0) == 1 && got.events == EPOLLOUT && got.data.u64 == 0x0123456789abcdef);
    CHECK(one(add) == -EEXIST);
    add.len = EPOLL_CTL_MOD;
    add.addr = 8;
    CHECK(one(add) == -EFAULT);
    add.len = EPOLL_CTL_DEL;
    add.addr = 0;
    CHECK(one(add) == 0);
    CHECK(epoll_wait(epoll, &got, 1, 0) == 0);
    close(epoll), close(ends[0]), close(ends[1]);
    int made[2] = {-1, -1};
    int res = one((Sqe){.opcode = OP_PIPE, .addr = (uintptr_t)made, .rw_flags = O_DIRECT | O_CLOEXEC});
    CHECK(res == -EINVAL || (res == 0 && fcntl(made[1], F_GETFL) & O_DIRECT));
    close(made[0]), close(made[1]);
}

static char text[1 << 16];

static int reads(int fd)
{
    int len = one((Sqe){.opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)text, .len = sizeof text - 1});
    text[len > 0 ? len : 0] = 0;
    return len;
}

static void files_of_proc(const char *program)
{
    char real[4096];
    CHECK(realpath(program, real) != NULL);
    int fd = one(OPENAT("/proc/self/maps", O_RDONLY));
    CHECK(fd >= 0 && reads(fd) > 0 && strstr(text, real) && strstr(text, "[stack]"));
    close(fd);
    fd = one(OPENAT("/proc/self/cmdline", O_RDONLY | O_CLOEXEC));
    CHECK(reads(fd) == (int)strlen(program) + 1 && strcmp(text, program) == 0);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    close(fd);
    struct open_how how = {.flags = O_RDONLY};
    fd = one((Sqe){.opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD, .addr = (uintptr_t) "/proc/self/cmdline", .off = (uintptr_t)&how, .len = sizeof how});
    CHECK(reads(fd) == (int)strlen(program) + 1 && strcmp(text, program) == 0);
    close(fd);
    struct statx about;
    struct stat status;
    CHECK(one((Sqe){.opcode = IORING_OP_STATX, .fd = AT_FDCWD, .addr = (uintptr_t) "/proc/self/exe", .off = (uintptr_t)&about, .len = STATX_BASIC_STATS}) == 0);
    CHECK(stat(real, &status) == 0 && about.stx_ino == status.st_ino && about.stx_size == (uint64_t)status.st_size);
    /* A link that fails takes what is linked with it; the ring's own table of files. */
    Sqe bad = OPENAT("/proc/self/cmdline", O_RDONLY | O_DIRECTORY);
    bad.flags = IOSQE_IO_LINK;
    bad.user_data = 1;
    queue(bad);
    queue((Sqe){.opcode = IORING_OP_NOP, .user_data = 2});
    CHECK(enter(2, 2) == 2);
    CHECK(result(1) == -ENOTDIR);
    CHECK(result(2) == -ECANCELED);
    int none[2] = {-1, -1};
    CHECK(syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_FILES, none, 2) == 0);
    Sqe direct = OPENAT("/proc/self/cmdline", O_RDONLY);
    direct.file_index = 2;
    CHECK(one(direct) == 0);
    int len = one((Sqe){.opcode = IORING_OP_READ, .flags = IOSQE_FIXED_FILE, .fd = 1, .addr = (uintptr_t)text, .len = sizeof text - 1});
    CHECK(len == (int)strlen(program) + 1 && strcmp(text, program) == 0);
}

static void buffers(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct iovec vector[2] = {{"hel", 3}, {"lo", 2}};
    CHECK(one((Sqe){.opcode = IORING_OP_WRITEV, .fd = ends[1], .addr = (uintptr_t)vector, .len = 2}) == 5);
    CHECK(reads(ends[0]) == 5 && strcmp(text, "hello") == 0);
    CHECK(one((Sqe){.opcode = IORING_OP_WRITE, .fd = ends[1], .addr = 8, .len = 4}) == -EFAULT);
    close(ends[0]), close(ends[1]);
    struct { struct io_uring_probe head; struct io_uring_probe_op ops[256]; } probe = {0};
    CHECK(syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_PROBE, &probe, 256) == 0);
    for (int op = 0; op <= IORING_OP_SYMLINKAT; op++)
        CHECK(probe.ops[op].flags & IO_URING_OP_SUPPORTED);
    CHECK(probe.head.last_op + 1 == probe.head.ops_len || probe.head.last_op < probe.head.ops_len);
}

static void memory_of_ours(void)
{
    struct io_uring_params own = {.flags = SETUP_NO_MMAP};
    char *memory = mmap(NULL, 2 << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t entries = (uintptr_t)memory, rings = (uintptr_t)memory + 4096;
    memcpy((char *)&own + 72, &entries, 8);
    memcpy((char *)&own + 112, &rings, 8);
    int fd = (int)syscall(SYS_io_uring_setup, 4, &own);
    if (fd < 0) {
        CHECK(errno == EINVAL); /* before Linux 6.5 */
        return;
    }
    ring_fd = fd, params = own, ring = memory + 4096, sqes = (Sqe *)memory;
    flags_of_open();
    close(fd);
}

int main(int argc, char **argv)
{
    (void)argc;
    CHECK(mkdtemp(directory) != NULL);
    snprintf(file, sizeof file, "%s/file", directory);
    snprintf(sym, sizeof sym, "%s/sym", directory);
    close(creat(file, 0600));
    CHECK(symlink("file", sym) == 0);
    CHECK(set_up() == 0);
    CHECK(FEATURE(SINGLE_MMAP) && FEATURE(SUBMIT_STABLE));
    flags_of_open();
    events_of_epoll();
    files_of_proc(argv[0]);
    buffers();
    memory_of_ours();
    unlink(sym), unlink(file), rmdir(directory);
    DONE();
}
