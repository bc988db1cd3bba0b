/* Every pointer that a system call takes, in its arguments and in structures, in each way of being bad (pointers.h). */
#include "pointers.h"
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <termios.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define SYS_cachestat_ 451
#define SYS_fchmodat2_ 452
#define SYS_futex_wake_ 454
#define SYS_futex_wait_ 455
#define SYS_futex_requeue_ 456
#define SYS_statmount_ 457
#define SYS_listmount_ 458
#define SYS_lsm_get_self_attr_ 459
#define SYS_lsm_list_modules_ 461
#define SYS_mseal_ 462
#define SYS_setxattrat_ 463
#define SYS_getxattrat_ 464
#define SYS_listxattrat_ 465
#define SYS_removexattrat_ 466
#define SYS_file_getattr_ 468
#define SYS_file_setattr_ 469

/* Fixtures. */
static int file(void)
{
    int fd = NEED(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    NEED(write(fd, "sixteen bytes...", 16));
    lseek(fd, 0, SEEK_SET);
    return fd;
}
static int directory(void) { return NEED(open(".", O_RDONLY | O_DIRECTORY)); }
static int readable(void) /* a pipe with 16 bytes */
{
    int fds[2];
    NEED(pipe2(fds, O_NONBLOCK));
    NEED(write(fds[1], "sixteen bytes...", 16));
    return fds[0];
}
static int writable(void)
{
    int fds[2];
    NEED(pipe2(fds, O_NONBLOCK));
    return fds[1];
}
static int stream(int filled)
{
    int fds[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    if (filled)
        NEED(write(fds[1], "sixteen bytes...", 16));
    return fds[0];
}
static int datagrams(int filled)
{
    int fds[2];
    NEED(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds));
    if (filled)
        NEED(write(fds[1], "sixteen bytes...", 16));
    return fds[0];
}
static const struct sockaddr_un abstract = {AF_UNIX, "\0raemu-pointers"};
#define ABSTRACT (sizeof(sa_family_t) + 16)
static int listener(int asked)
{
    int fd = NEED(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    NEED(bind(fd, (void *)&abstract, sizeof(sa_family_t)));
    NEED(listen(fd, 5));
    if (asked) {
        struct sockaddr_un to;
        socklen_t len = sizeof to;
        getsockname(fd, (void *)&to, &len);
        int other = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
        NEED(connect(other, (void *)&to, len));
    }
    return fd;
}
static int epoll(int ready)
{
    int fd = NEED(epoll_create1(0));
    struct epoll_event event = {EPOLLIN, {.u64 = 7}};
    if (ready)
        NEED(epoll_ctl(fd, EPOLL_CTL_ADD, readable(), &event));
    return fd;
}
static void nothing(int sig) {}
static const sigset_t all_signals = {{~(1UL << (SIGALRM - 1))}}; /* but the one that ends what sleeps for ever */

/* Descriptors and bytes. */
CALL(read) { return SYS(SYS_read, FD(readable()), BYTES("buf", 16), SIZE(16)); }
CALL(read_file) { return SYS(SYS_read, FD(file()), BYTES("buf", 16), SIZE(16)); }
CALL(read_at_end) { int fd = file(); lseek(fd, 0, SEEK_END); return SYS(SYS_read, fd, BYTES("buf", 16), 16); }
CALL(read_write_only) { return SYS(SYS_read, writable(), BYTES("buf", 16), 16); }
CALL(read_directory) { return SYS(SYS_read, directory(), BYTES("buf", 16), 16); }
CALL(read_proc) { return SYS(SYS_read, NEED(open("/proc/self/comm", O_RDONLY)), BYTES("buf", 16), SIZE(16)) > 0; }
CALL(read_status) { return OK(SYS(SYS_read, NEED(open("/proc/self/status", O_RDONLY)), BYTES("buf", 64), SIZE(64))); }
CALL(read_maps) { return OK(SYS(SYS_read, NEED(open("/proc/self/maps", O_RDONLY)), BYTES("buf", 16), SIZE(16))); }
CALL(read_auxv) { return SYS(SYS_read, NEED(open("/proc/self/auxv", O_RDONLY)), BYTES("buf", 16), SIZE(16)); }
CALL(read_eventfd) { return SYS(SYS_read, NEED(eventfd(1, EFD_NONBLOCK)), BYTES("buf", 8), SIZE(8)); }
CALL(read_signalfd) {
    sigset_t set = {{1UL << (SIGUSR1 - 1)}};
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    return SYS(SYS_read, NEED(signalfd(-1, &set, SFD_NONBLOCK)), BYTES("buf", 128), SIZE(128));
}
CALL(read_inotify) {
    int fd = NEED(inotify_init1(IN_NONBLOCK));
    NEED(inotify_add_watch(fd, ".", IN_CREATE));
    close(NEED(open("created", O_CREAT | O_RDWR, 0600)));
    unlink("created");
    return SYS(SYS_read, fd, BYTES("buf", 64), SIZE(64));
}
CALL(write) { return SYS(SYS_write, FD(writable()), BYTES("buf", 16), SIZE(16)); }
CALL(write_file) { return SYS(SYS_write, FD(file()), BYTES("buf", 16), SIZE(16)); }
CALL(write_null_device) { return SYS(SYS_write, NEED(open("/dev/null", O_WRONLY)), BYTES("buf", 16), SIZE(16)); }
CALL(write_read_only) { return SYS(SYS_write, readable(), BYTES("buf", 16), 16); }
CALL(write_eventfd) { word one = 1; return SYS(SYS_write, NEED(eventfd(1, EFD_NONBLOCK)), P("buf", one, 1), SIZE(8)); }
CALL(write_comm) { return SYS(SYS_write, NEED(open("/proc/self/comm", O_WRONLY)), TEXT("buf", "abcd"), SIZE(4)); }
CALL(write_oom_score) { return SYS(SYS_write, NEED(open("/proc/self/oom_score_adj", O_WRONLY)), TEXT("buf", "10"), 2); }
CALL(pread64) { return SYS(SYS_pread64, FD(file()), BYTES("buf", 16), SIZE(16), 0); }
CALL(pread64_negative) { return SYS(SYS_pread64, FD(file()), BYTES("buf", 16), SIZE(16), -1); }
CALL(pread64_pipe) { return SYS(SYS_pread64, readable(), BYTES("buf", 16), 16, 0); }
CALL(pwrite64) { return SYS(SYS_pwrite64, FD(file()), BYTES("buf", 16), SIZE(16), 0); }
CALL(pwrite64_negative) { return SYS(SYS_pwrite64, FD(file()), BYTES("buf", 16), SIZE(16), -1); }
CALL(readv) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_readv, FD(readable()), P("iov", v, 8), COUNT(2));
}
CALL(writev) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_writev, FD(writable()), P("iov", v, 8), COUNT(2));
}
CALL(writev_negative) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), -1}};
    return SYS(SYS_writev, FD(writable()), P("iov", v, 8), COUNT(2));
}
CALL(readv_empty) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 0}, {(void *)BYTES("second base", 8), 0}};
    return SYS(SYS_readv, FD(file()), P("iov", v, 8), COUNT(2));
}
CALL(writev_file) {
    struct iovec v[3] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}, {(void *)BYTES("third base", 8), 8}};
    return SYS(SYS_writev, FD(file()), P("iov", v, 8), COUNT(3));
}
CALL(preadv) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_preadv, FD(file()), P("iov", v, 8), COUNT(2), 0, 0);
}
CALL(pwritev) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_pwritev, FD(file()), P("iov", v, 8), COUNT(2), 0, 0);
}
CALL(preadv2) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_preadv2, FD(file()), P("iov", v, 8), COUNT(2), -1, -1, FLAGS(0));
}
CALL(pwritev2) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_pwritev2, FD(file()), P("iov", v, 8), COUNT(2), -1, -1, FLAGS(0));
}
CALL(preadv_negative) {
    struct iovec v[1] = {{(void *)BYTES("base", 8), 8}};
    return SYS(SYS_preadv, FD(file()), P("iov", v, 8), COUNT(1), -1, -1);
}
CALL(vmsplice_out) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_vmsplice, FD(writable()), P("iov", v, 8), COUNT(2), FLAGS(SPLICE_F_NONBLOCK));
}
CALL(vmsplice_in) {
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    return SYS(SYS_vmsplice, FD(readable()), P("iov", v, 8), COUNT(2), SPLICE_F_NONBLOCK);
}
CALL(process_vm_readv) {
    struct iovec local[2] = {{(void *)BYTES("local base", 8), 8}, {(void *)BYTES("second local base", 8), 8}};
    struct iovec remote[1] = {{(void *)pointer("remote base", (char[16]){0}, 16, 1, RANGE), 16}};
    return SYS(SYS_process_vm_readv, PID(getpid()), P("local", local, 8), COUNT(2), P("remote", remote, 8), 1, FLAGS(0));
}
CALL(process_vm_writev) {
    struct iovec local[2] = {{(void *)BYTES("local base", 8), 8}, {(void *)BYTES("second local base", 8), 8}};
    struct iovec remote[1] = {{(void *)pointer("remote base", (char[16]){0}, 16, 1, RANGE), 16}};
    return SYS(SYS_process_vm_writev, PID(getpid()), P("local", local, 8), COUNT(2), P("remote", remote, 8), 1, FLAGS(0));
}
CALL(sendfile) { off_t at = 0; return SYS(SYS_sendfile, FD(writable()), file(), P("offset", at, 8), SIZE(16)); }
CALL(sendfile_bad_in) { off_t at = 0; return SYS(SYS_sendfile, writable(), FD(file()), P("offset", at, 8), SIZE(16)); }
CALL(splice_out) { off_t at = 0; return SYS(SYS_splice, FD(readable()), 0, file(), P("off_out", at, 8), SIZE(16), FLAGS(0)); }
CALL(splice_in) { off_t at = 0; return SYS(SYS_splice, FD(file()), P("off_in", at, 8), writable(), 0, SIZE(16), FLAGS(0)); }
CALL(splice_pipe_offset) { off_t at = 0; return SYS(SYS_splice, readable(), P("off_in", at, 8), writable(), 0, 16, 0); }
CALL(copy_file_range) {
    off_t from = 0, to = 0;
    return SYS(SYS_copy_file_range, FD(file()), P("off_in", from, 8), NEED(open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600)),
               P("off_out", to, 8), SIZE(16), FLAGS(0));
}
CALL(getdents64) { return OK(SYS(SYS_getdents64, FD(directory()), BYTES("dirents", 1024), SIZE(1024))); }
CALL(getdents64_small) { return OK(SYS(SYS_getdents64, directory(), BYTES("dirents", 24), 24)); }
CALL(getdents64_proc) { return OK(SYS(SYS_getdents64, NEED(open("/proc/self/fd", O_RDONLY)), BYTES("dirents", 256), SIZE(256))); }
CALL(getdents64_file) { return SYS(SYS_getdents64, file(), BYTES("dirents", 256), 256); }
CALL(pipe2) { int fds[2]; return SYS(SYS_pipe2, P("fds", fds, 4), FLAGS(0)); }
CALL(socketpair) { int fds[2]; return SYS(SYS_socketpair, AF_UNIX, FLAGS(SOCK_STREAM), 0, P("fds", fds, 4)); }
CALL(fcntl_getlk) { struct flock l = {F_WRLCK}; return SYS(SYS_fcntl, FD(file()), F_GETLK, P("lock", l, 8)); }
CALL(fcntl_setlk) { struct flock l = {F_WRLCK}; return SYS(SYS_fcntl, FD(file()), F_SETLK, P("lock", l, 8)); }
CALL(fcntl_ofd_setlk) { struct flock l = {F_WRLCK}; return SYS(SYS_fcntl, FD(file()), F_OFD_SETLK, P("lock", l, 8)); }
CALL(fcntl_ofd_getlk) { struct flock l = {F_WRLCK}; return SYS(SYS_fcntl, FD(file()), F_OFD_GETLK, P("lock", l, 8)); }
CALL(fcntl_getown_ex) { struct f_owner_ex o; return SYS(SYS_fcntl, FD(stream(0)), F_GETOWN_EX, P("owner", o, 4)); }
CALL(fcntl_setown_ex) { struct f_owner_ex o = {F_OWNER_PID, 0}; return SYS(SYS_fcntl, FD(stream(0)), F_SETOWN_EX, P("owner", o, 4)); }
CALL(fcntl_get_rw_hint) { word h; return SYS(SYS_fcntl, FD(file()), F_GET_RW_HINT, P("hint", h, 8)); }
CALL(fcntl_set_rw_hint) { word h = 1; return SYS(SYS_fcntl, FD(file()), F_SET_RW_HINT, P("hint", h, 8)); }
CALL(ioctl_fionread) { int n; return SYS(SYS_ioctl, FD(readable()), FIONREAD, P("argument", n, 4)); }
CALL(ioctl_fionread_file) { int n; return SYS(SYS_ioctl, FD(file()), FIONREAD, P("argument", n, 4)); }
CALL(ioctl_fionbio) { int n = 1; return SYS(SYS_ioctl, FD(readable()), FIONBIO, P("argument", n, 4)); }
CALL(ioctl_tcgets) { struct termios t; return SYS(SYS_ioctl, FD(NEED(posix_openpt(O_RDWR | O_NOCTTY))), TCGETS, BYTES("argument", 36)); }
CALL(ioctl_tcgets_file) { return SYS(SYS_ioctl, FD(file()), TCGETS, BYTES("argument", 36)); }
CALL(ioctl_winsize) { struct winsize w; return SYS(SYS_ioctl, FD(NEED(posix_openpt(O_RDWR | O_NOCTTY))), TIOCGWINSZ, P("argument", w, 2)); }
CALL(ioctl_set_winsize) { struct winsize w = {1, 2}; return SYS(SYS_ioctl, FD(NEED(posix_openpt(O_RDWR | O_NOCTTY))), TIOCSWINSZ, P("argument", w, 2)); }
CALL(ioctl_getflags) { return OK(SYS(SYS_ioctl, FD(file()), _IOR('f', 1, long), BYTES("argument", 4))); }
CALL(ioctl_gifconf) {
    struct { int len; int pad; word buf; } c = {64, 0, BYTES("buffer", 64)};
    return SYS(SYS_ioctl, FD(NEED(socket(AF_INET, SOCK_DGRAM, 0))), 0x8912, P("argument", c, 8));
}
CALL(ioctl_gifflags) { char r[40] = "lo"; return SYS(SYS_ioctl, FD(NEED(socket(AF_INET, SOCK_DGRAM, 0))), 0x8913, P("argument", r, 1)); }
CALL(ioctl_sioccatmark) { int n; return SYS(SYS_ioctl, FD(NEED(socket(AF_INET, SOCK_STREAM, 0))), 0x8905, P("argument", n, 4)); }

/* Paths. */
CALL(openat) { return OK(SYS(SYS_openat, AT_FDCWD, TEXT("path", "."), O_RDONLY, 0)); }
CALL(openat_relative) { return OK(SYS(SYS_openat, FD(directory()), TEXT("path", "."), O_RDONLY, 0)); }
CALL(openat_proc) { return OK(SYS(SYS_openat, AT_FDCWD, TEXT("path", "/proc/self/exe"), O_RDONLY, 0)); }
CALL(openat2) {
    struct open_how how = {O_RDONLY};
    return OK(SYS(SYS_openat2, FD(directory()), TEXT("path", "."), P("how", how, 8), SIZE(sizeof how)));
}
CALL(openat2_flags) {
    struct open_how how = {1UL << 40};
    return OK(SYS(SYS_openat2, FD(directory()), TEXT("path", "."), P("how", how, 8), sizeof how));
}
CALL(openat2_longer) {
    char how[64] = {0};
    return OK(SYS(SYS_openat2, FD(directory()), TEXT("path", "."), P("how", how, 8), sizeof how));
}
CALL(openat2_shorter) {
    char how[8] = {0};
    return OK(SYS(SYS_openat2, FD(directory()), TEXT("path", "."), P("how", how, 8), sizeof how));
}
CALL(mkdirat) { rmdir("made"); return SYS(SYS_mkdirat, FD(directory()), TEXT("path", "made"), 0700); }
CALL(mknodat) { unlink("node"); return SYS(SYS_mknodat, FD(directory()), TEXT("path", "node"), S_IFIFO | 0600, 0); }
CALL(unlinkat) { close(file()); return SYS(SYS_unlinkat, FD(directory()), TEXT("path", "file"), FLAGS(0)); }
CALL(symlinkat) { unlink("link"); return SYS(SYS_symlinkat, TEXT("target", "file"), FD(directory()), TEXT("path", "link")); }
CALL(linkat) { unlink("hard"); close(file()); return SYS(SYS_linkat, FD(directory()), TEXT("old", "file"), AT_FDCWD, TEXT("new", "hard"), FLAGS(0)); }
CALL(renameat2) { close(file()); return SYS(SYS_renameat2, FD(directory()), TEXT("old", "file"), AT_FDCWD, TEXT("new", "moved"), FLAGS(0)); }
CALL(renameat) { close(file()); return SYS(SYS_renameat, FD(directory()), TEXT("old", "file"), AT_FDCWD, TEXT("new", "moved")); }
CALL(readlinkat) {
    unlink("link"); NEED(symlink("file", "link"));
    return SYS(SYS_readlinkat, FD(directory()), TEXT("path", "link"), BYTES("buf", 8), SIZE(8));
}
CALL(readlinkat_exe) { return SYS(SYS_readlinkat, AT_FDCWD, TEXT("path", "/proc/self/exe"), BYTES("buf", 4), SIZE(4)); }
CALL(readlinkat_file) { close(file()); return SYS(SYS_readlinkat, AT_FDCWD, TEXT("path", "file"), BYTES("buf", 4), SIZE(4)); }
CALL(newfstatat) { struct stat s; return SYS(SYS_newfstatat, FD(directory()), TEXT("path", "."), P("stat", s, 8), FLAGS(0)); }
CALL(newfstatat_empty) { struct stat s; return SYS(SYS_newfstatat, FD(file()), TEXT("path", ""), P("stat", s, 8), AT_EMPTY_PATH); }
CALL(newfstatat_exe) { struct stat s; return SYS(SYS_newfstatat, AT_FDCWD, TEXT("path", "/proc/self/exe"), P("stat", s, 8), 0); }
CALL(newfstatat_missing) { struct stat s; return SYS(SYS_newfstatat, AT_FDCWD, TEXT("path", "missing"), P("stat", s, 8), 0); }
CALL(fstat) { struct stat s; return SYS(SYS_fstat, FD(file()), P("stat", s, 8)); }
CALL(statx) { char s[256]; return SYS(SYS_statx, FD(directory()), TEXT("path", "."), FLAGS(0), 0xfff, P("statx", s, 8)); }
CALL(statx_mask) { char s[256]; return SYS(SYS_statx, FD(directory()), TEXT("path", "."), 0, 1U << 31, P("statx", s, 8)); }
CALL(statx_empty) { char s[256]; return SYS(SYS_statx, FD(file()), TEXT("path", ""), AT_EMPTY_PATH, 0xfff, P("statx", s, 8)); }
CALL(statfs) { struct statfs s; return SYS(SYS_statfs, TEXT("path", "."), P("buf", s, 8)); }
CALL(fstatfs) { struct statfs s; return SYS(SYS_fstatfs, FD(file()), P("buf", s, 8)); }
CALL(faccessat) { return SYS(SYS_faccessat, FD(directory()), TEXT("path", "."), FLAGS(R_OK)); }
CALL(faccessat2) { return SYS(SYS_faccessat2, FD(directory()), TEXT("path", "."), R_OK, FLAGS(0)); }
CALL(chdir) { return SYS(SYS_chdir, TEXT("path", ".")); }
CALL(chroot) { return SYS(SYS_chroot, TEXT("path", ".")); }
CALL(fchmodat) { close(file()); return SYS(SYS_fchmodat, FD(directory()), TEXT("path", "file"), 0600); }
CALL(fchmodat2) { close(file()); return SYS(SYS_fchmodat2_, FD(directory()), TEXT("path", "file"), 0600, FLAGS(0)); }
CALL(fchownat) { close(file()); return SYS(SYS_fchownat, FD(directory()), TEXT("path", "file"), -1, -1, FLAGS(0)); }
CALL(truncate) { close(file()); return SYS(SYS_truncate, TEXT("path", "file"), 0); }
CALL(truncate_negative) { close(file()); return SYS(SYS_truncate, TEXT("path", "file"), -1); }
CALL(utimensat) {
    struct timespec t[2] = {{1, 0}, {1, 0}};
    close(file());
    return SYS(SYS_utimensat, FD(directory()), TEXT("path", "file"), P("times", t, 8), FLAGS(0));
}
CALL(utimensat_fd) { struct timespec t[2] = {{1, 0}, {1, 0}}; return SYS(SYS_utimensat, FD(file()), 0, P("times", t, 8), FLAGS(0)); }
CALL(utimensat_omit) { struct timespec t[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}}; return SYS(SYS_utimensat, FD(directory()), TEXT("path", "missing"), P("times", t, 8), 0); }
CALL(getcwd) { return OK(SYS(SYS_getcwd, BYTES("buf", 4096), SIZE(4096))); }
CALL(getcwd_small) { return OK(SYS(SYS_getcwd, BYTES("buf", 1), 1)); }
CALL(inotify_add_watch) { return OK(SYS(SYS_inotify_add_watch, FD(NEED(inotify_init1(0))), TEXT("path", "."), FLAGS(IN_CREATE))); }
CALL(inotify_no_mask) { return OK(SYS(SYS_inotify_add_watch, FD(NEED(inotify_init1(0))), TEXT("path", "."), 0)); }
CALL(name_to_handle_at) {
    struct { unsigned size; int type; char bytes[128]; } handle = {128};
    int id;
    return SYS(SYS_name_to_handle_at, FD(directory()), TEXT("path", "."), P("handle", handle, 4), P("mount_id", id, 4), FLAGS(0));
}
CALL(name_to_handle_at_small) {
    struct { unsigned size; int type; } handle = {0};
    int id;
    return SYS(SYS_name_to_handle_at, FD(directory()), TEXT("path", "."), P("handle", handle, 4), P("mount_id", id, 4), FLAGS(0));
}
CALL(name_to_handle_at_large) {
    struct { unsigned size; int type; } handle = {129};
    int id;
    return SYS(SYS_name_to_handle_at, FD(directory()), TEXT("path", "."), P("handle", handle, 4), P("mount_id", id, 4), FLAGS(0));
}
CALL(open_by_handle_at) {
    struct { unsigned size; int type; char bytes[128]; } handle = {128};
    int id;
    NEED(syscall(SYS_name_to_handle_at, AT_FDCWD, ".", &handle, &id, 0));
    return OK(SYS(SYS_open_by_handle_at, FD(directory()), P("handle", handle, 4), O_RDONLY));
}
CALL(setxattr) { close(file()); return SYS(SYS_setxattr, TEXT("path", "file"), TEXT("name", "user.x"), BYTES("value", 8), SIZE(8), FLAGS(0)); }
CALL(lsetxattr) { close(file()); return SYS(SYS_lsetxattr, TEXT("path", "file"), TEXT("name", "user.x"), BYTES("value", 8), SIZE(8), FLAGS(0)); }
CALL(fsetxattr) { return SYS(SYS_fsetxattr, FD(file()), TEXT("name", "user.x"), BYTES("value", 8), SIZE(8), FLAGS(0)); }
CALL(getxattr) { close(file()); setxattr("file", "user.x", "12345678", 8, 0); return SYS(SYS_getxattr, TEXT("path", "file"), TEXT("name", "user.x"), BYTES("value", 8), SIZE(8)); }
CALL(fgetxattr) { int fd = file(); fsetxattr(fd, "user.x", "12345678", 8, 0); return SYS(SYS_fgetxattr, FD(fd), TEXT("name", "user.x"), BYTES("value", 8), SIZE(8)); }
CALL(fgetxattr_missing) { return SYS(SYS_fgetxattr, FD(file()), TEXT("name", "user.y"), BYTES("value", 8), SIZE(8)); }
CALL(listxattr) { close(file()); setxattr("file", "user.x", "12345678", 8, 0); return SYS(SYS_listxattr, TEXT("path", "file"), BYTES("list", 64), SIZE(64)); }
CALL(flistxattr) { int fd = file(); fsetxattr(fd, "user.x", "12345678", 8, 0); return SYS(SYS_flistxattr, FD(fd), BYTES("list", 64), SIZE(64)); }
CALL(removexattr) { close(file()); setxattr("file", "user.x", "12345678", 8, 0); return SYS(SYS_removexattr, TEXT("path", "file"), TEXT("name", "user.x")); }
CALL(fremovexattr) { int fd = file(); fsetxattr(fd, "user.x", "12345678", 8, 0); return SYS(SYS_fremovexattr, FD(fd), TEXT("name", "user.x")); }
struct xattr_args_ { word value; unsigned size, flags; };
CALL(setxattrat) {
    struct xattr_args_ args = {BYTES("value", 8), 8, 0};
    close(file());
    return SYS(SYS_setxattrat_, FD(directory()), TEXT("path", "file"), FLAGS(0), TEXT("name", "user.x"), P("args", args, 8), SIZE(sizeof args));
}
CALL(getxattrat) {
    struct xattr_args_ args = {BYTES("value", 8), 8, 0};
    close(file());
    setxattr("file", "user.x", "12345678", 8, 0);
    return SYS(SYS_getxattrat_, FD(directory()), TEXT("path", "file"), FLAGS(0), TEXT("name", "user.x"), P("args", args, 8), SIZE(sizeof args));
}
CALL(listxattrat) { close(file()); setxattr("file", "user.x", "12345678", 8, 0); return SYS(SYS_listxattrat_, FD(directory()), TEXT("path", "file"), FLAGS(0), BYTES("list", 64), SIZE(64)); }
CALL(removexattrat) { close(file()); setxattr("file", "user.x", "12345678", 8, 0); return SYS(SYS_removexattrat_, FD(directory()), TEXT("path", "file"), FLAGS(0), TEXT("name", "user.x")); }
CALL(file_getattr) { char a[24]; close(file()); return SYS(SYS_file_getattr_, FD(directory()), TEXT("path", "file"), P("attr", a, 8), SIZE(sizeof a), FLAGS(0)); }
CALL(mount) { return SYS(SYS_mount, TEXT("source", "none"), TEXT("target", "missing"), TEXT("type", "tmpfs"), 0, TEXT("data", "size=1m")); }
CALL(mount_bind) { return SYS(SYS_mount, TEXT("source", "missing"), TEXT("target", "."), TEXT("type", "tmpfs"), 4096, TEXT("data", "size=1m")); }
CALL(umount2) { return SYS(SYS_umount2, TEXT("target", "missing"), FLAGS(0)); }
CALL(pivot_root) { return SYS(SYS_pivot_root, TEXT("new root", "missing"), TEXT("put old", "missing")); }
CALL(swapon) { return SYS(SYS_swapon, TEXT("path", "missing"), FLAGS(0)); }
CALL(swapoff) { return SYS(SYS_swapoff, TEXT("path", "missing")); }
CALL(acct) { return SYS(SYS_acct, TEXT("path", "missing")); }
CALL(memfd_create) { return OK(SYS(SYS_memfd_create, TEXT("name", "memory"), FLAGS(0))); }
CALL(execve) {
    word argv[3] = {TEXT("argv[0]", "missing"), TEXT("argv[1]", "x"), 0}, envp[2] = {TEXT("envp[0]", "A=b"), 0};
    return SYS(SYS_execve, TEXT("path", "missing"), P("argv", argv, 8), P("envp", envp, 8));
}
CALL(execve_true) {
    word argv[3] = {TEXT("argv[0]", "missing"), TEXT("argv[1]", "x"), 0}, envp[2] = {TEXT("envp[0]", "A=b"), 0};
    close(file());
    chmod("file", 0700); /* no program: ENOEXEC after the arguments are read */
    return SYS(SYS_execve, TEXT("path", "file"), P("argv", argv, 8), P("envp", envp, 8));
}
CALL(execve_not_executable) {
    word argv[3] = {TEXT("argv[0]", "missing"), TEXT("argv[1]", "x"), 0}, envp[2] = {TEXT("envp[0]", "A=b"), 0};
    close(file());
    chmod("file", 0600);
    return SYS(SYS_execve, TEXT("path", "file"), P("argv", argv, 8), P("envp", envp, 8));
}
CALL(execveat) {
    word argv[3] = {TEXT("argv[0]", "missing"), TEXT("argv[1]", "x"), 0}, envp[2] = {TEXT("envp[0]", "A=b"), 0};
    return SYS(SYS_execveat, FD(directory()), TEXT("path", "missing"), P("argv", argv, 8), P("envp", envp, 8), FLAGS(0));
}
CALL(execveat_empty) {
    word argv[3] = {TEXT("argv[0]", "missing"), TEXT("argv[1]", "x"), 0}, envp[2] = {TEXT("envp[0]", "A=b"), 0};
    int fd = file();
    close(fd);
    chmod("file", 0700);
    return SYS(SYS_execveat, FD(NEED(open("file", O_RDONLY))), TEXT("path", ""), P("argv", argv, 8), P("envp", envp, 8), AT_EMPTY_PATH);
}
CALL(open_tree) { return OK(SYS(428, FD(directory()), TEXT("path", "."), FLAGS(0))); }
CALL(move_mount) { return SYS(429, FD(directory()), TEXT("from", "missing"), AT_FDCWD, TEXT("to", "missing"), FLAGS(0)); }
CALL(fsopen) { return OK(SYS(430, TEXT("name", "tmpfs"), FLAGS(0))); }
CALL(fsconfig) { return SYS(431, FD(NEED(syscall(430, "tmpfs", 0))), 1, TEXT("key", "size"), TEXT("value", "1m"), 0); }
CALL(fsconfig_binary) { return SYS(431, FD(NEED(syscall(430, "tmpfs", 0))), 2, TEXT("key", "size"), BYTES("value", 8), 8); }
CALL(fspick) { return OK(SYS(433, FD(directory()), TEXT("path", "missing"), FLAGS(0))); }
CALL(mount_setattr) { word attr[4] = {0}; return SYS(442, FD(directory()), TEXT("path", "missing"), FLAGS(0), P("attr", attr, 8), SIZE(sizeof attr)); }
CALL(statmount) {
    struct { unsigned size, fd; word id, param; } req = {24, 0, 1, 1};
    return SYS(SYS_statmount_, P("req", req, 8), BYTES("buf", 512), SIZE(512), FLAGS(0));
}
CALL(listmount) {
    struct { unsigned size, fd; word id, param; } req = {24, 0, -1UL, 0};
    return OK(SYS(SYS_listmount_, P("req", req, 8), BYTES("ids", 512), SIZE(64), FLAGS(0)));
}
CALL(quotactl) { return SYS(SYS_quotactl, 0x80000700, TEXT("special", "missing"), 0, BYTES("address", 112)); }

/* Waiting for descriptors. */
CALL(ppoll) {
    struct pollfd p[2] = {{FD(readable()), POLLIN}, {-1, 0}};
    struct timespec t = {0, 1000};
    return SYS(SYS_ppoll, P("fds", p, 4), COUNT(2), P("timeout", t, 8), P("sigmask", all_signals.__val[0], 8), SIZE(8));
}
CALL(ppoll_negative_time) {
    struct pollfd p[1] = {{readable(), POLLIN}};
    struct timespec t = {-1, 1000};
    return SYS(SYS_ppoll, P("fds", p, 4), COUNT(1), P("timeout", t, 8), P("sigmask", all_signals.__val[0], 8), 8);
}
CALL(ppoll_timed_out) {
    struct pollfd p[1] = {{writable() - 1, POLLIN}};
    struct timespec t = {0, 1000};
    return SYS(SYS_ppoll, P("fds", p, 4), 1, P("timeout", t, 8), P("sigmask", all_signals.__val[0], 8), 8);
}
CALL(pselect6) {
    int fd = readable();
    word r[16] = {1UL << fd}, w[16] = {0}, e[16] = {0};
    struct timespec t = {0, 1000};
    struct { word set; size_t size; } mask = {P("set of sigmask", all_signals.__val[0], 8), SIZE(8)};
    return SYS(SYS_pselect6, instead(NO_SIZE, instead(HUGE, 64, -1), 0), pointer("readfds", r, 8, 8, DATA), pointer("writefds", w, 8, 8, DATA), pointer("exceptfds", e, 8, 8, DATA),
               P("timeout", t, 8), P("sigmask", mask, 8));
}
CALL(pselect6_bad_fd) {
    word r[16] = {1UL << 63};
    struct timespec t = {0, 1000};
    return SYS(SYS_pselect6, 64, pointer("readfds", r, 8, 8, DATA), 0, 0, P("timeout", t, 8), 0);
}
CALL(pselect6_negative_time) {
    word r[16] = {0};
    struct timespec t = {0, -1};
    struct { word set; size_t size; } mask = {P("set of sigmask", all_signals.__val[0], 8), 8};
    return SYS(SYS_pselect6, 64, pointer("readfds", r, 8, 8, DATA), 0, 0, P("timeout", t, 8), P("sigmask", mask, 8));
}
CALL(epoll_ctl_add) { struct epoll_event e = {EPOLLIN}; return SYS(SYS_epoll_ctl, FD(epoll(0)), EPOLL_CTL_ADD, readable(), P("event", e, 1)); }
CALL(epoll_ctl_add_bad) { struct epoll_event e = {EPOLLIN}; return SYS(SYS_epoll_ctl, epoll(0), EPOLL_CTL_ADD, FD(readable()), P("event", e, 1)); }
CALL(epoll_ctl_mod) { struct epoll_event e = {EPOLLIN}; return SYS(SYS_epoll_ctl, FD(epoll(0)), EPOLL_CTL_MOD, readable(), P("event", e, 1)); }
CALL(epoll_ctl_del) { struct epoll_event e = {EPOLLIN}; return SYS(SYS_epoll_ctl, FD(epoll(0)), EPOLL_CTL_DEL, readable(), P("event", e, 1)); }
CALL(epoll_ctl_unknown) { struct epoll_event e = {EPOLLIN}; return SYS(SYS_epoll_ctl, FD(epoll(0)), 9, readable(), P("event", e, 1)); }
CALL(epoll_ctl_file) { struct epoll_event e = {EPOLLIN}; return SYS(SYS_epoll_ctl, epoll(0), EPOLL_CTL_ADD, file(), P("event", e, 1)); }
CALL(epoll_pwait) {
    struct epoll_event e[4];
    return SYS(SYS_epoll_pwait, FD(epoll(1)), P("events", e, 1), COUNT(4), 1, P("sigmask", all_signals.__val[0], 8), SIZE(8));
}
CALL(epoll_pwait_none) {
    struct epoll_event e[4];
    return SYS(SYS_epoll_pwait, FD(epoll(0)), P("events", e, 1), COUNT(4), 1, P("sigmask", all_signals.__val[0], 8), SIZE(8));
}
CALL(epoll_pwait_file) {
    struct epoll_event e[4];
    return SYS(SYS_epoll_pwait, file(), P("events", e, 1), COUNT(4), 1, P("sigmask", all_signals.__val[0], 8), SIZE(8));
}
CALL(epoll_pwait2) {
    struct epoll_event e[4];
    struct timespec t = {0, 1000};
    return SYS(441, FD(epoll(1)), P("events", e, 1), COUNT(4), P("timeout", t, 8), P("sigmask", all_signals.__val[0], 8), SIZE(8));
}
CALL(epoll_pwait2_time) {
    struct epoll_event e[4];
    struct timespec t = {0, -1};
    return SYS(441, FD(epoll(1)), P("events", e, 1), COUNT(4), P("timeout", t, 8), P("sigmask", all_signals.__val[0], 8), SIZE(8));
}

/* Sockets. */
CALL(bind) { return SYS(SYS_bind, FD(NEED(socket(AF_UNIX, SOCK_STREAM, 0))), pointer("address", &abstract, ABSTRACT, 2, DATA), COUNT(ABSTRACT)); }
CALL(bind_file) { return SYS(SYS_bind, file(), pointer("address", &abstract, ABSTRACT, 2, DATA), COUNT(ABSTRACT)); }
CALL(connect) { return SYS(SYS_connect, FD(NEED(socket(AF_UNIX, SOCK_STREAM, 0))), pointer("address", &abstract, ABSTRACT, 2, DATA), COUNT(ABSTRACT)); }
CALL(accept) { struct sockaddr_un a; socklen_t n = sizeof a; return OK(SYS(SYS_accept, FD(listener(1)), P("address", a, 2), P("length", n, 4))); }
CALL(accept_none) { struct sockaddr_un a; socklen_t n = sizeof a; return OK(SYS(SYS_accept, FD(listener(0)), P("address", a, 2), P("length", n, 4))); }
CALL(accept4) { struct sockaddr_un a; socklen_t n = sizeof a; return OK(SYS(SYS_accept4, FD(listener(1)), P("address", a, 2), P("length", n, 4), FLAGS(0))); }
CALL(accept4_negative) { struct sockaddr_un a; socklen_t n = -1; return OK(SYS(SYS_accept4, FD(listener(1)), P("address", a, 2), P("length", n, 4), 0)); }
CALL(getsockname) { struct sockaddr_un a; socklen_t n = sizeof a; return SYS(SYS_getsockname, FD(listener(0)), P("address", a, 2), P("length", n, 4)); }
CALL(getpeername) { struct sockaddr_un a; socklen_t n = sizeof a; return SYS(SYS_getpeername, FD(stream(0)), P("address", a, 2), P("length", n, 4)); }
CALL(getpeername_alone) { struct sockaddr_un a; socklen_t n = sizeof a; return SYS(SYS_getpeername, FD(listener(0)), P("address", a, 2), P("length", n, 4)); }
CALL(sendto) { return SYS(SYS_sendto, FD(stream(0)), BYTES("buf", 16), SIZE(16), FLAGS(0), 0, 0); }
CALL(sendto_address) { return SYS(SYS_sendto, FD(datagrams(0)), BYTES("buf", 16), SIZE(16), FLAGS(0), pointer("address", &abstract, ABSTRACT, 2, DATA), ABSTRACT); }
CALL(recvfrom) { struct sockaddr_un a; socklen_t n = sizeof a; return SYS(SYS_recvfrom, FD(stream(1)), BYTES("buf", 16), SIZE(16), FLAGS(0), P("address", a, 2), P("length", n, 4)); }
CALL(recvfrom_datagram) { struct sockaddr_un a; socklen_t n = sizeof a; return SYS(SYS_recvfrom, FD(datagrams(1)), BYTES("buf", 16), SIZE(16), FLAGS(0), P("address", a, 2), P("length", n, 4)); }
CALL(recvfrom_nothing) { struct sockaddr_un a; socklen_t n = sizeof a; return SYS(SYS_recvfrom, FD(stream(0)), BYTES("buf", 16), SIZE(16), FLAGS(0), P("address", a, 2), P("length", n, 4)); }
static struct msghdr message(int named, int control, size_t control_size)
{
    static struct sockaddr_un address;
    address = abstract;
    struct iovec v[2] = {{(void *)BYTES("first base", 8), 8}, {(void *)BYTES("second base", 8), 8}};
    struct msghdr m = {.msg_iov = (void *)P("iov", v, 8), .msg_iovlen = COUNT(2)};
    if (named)
        m.msg_name = (void *)pointer("name", &address, ABSTRACT, 2, DATA), m.msg_namelen = ABSTRACT;
    if (control) {
        struct { struct cmsghdr h; int fd; int pad; } c = {{CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}, 1};
        m.msg_control = (void *)pointer("control", &c, control_size, 8, DATA), m.msg_controllen = control_size;
    }
    return m;
}
CALL(sendmsg) { struct msghdr m = message(0, 1, 24); return SYS(SYS_sendmsg, FD(stream(0)), P("message", m, 8), FLAGS(0)); }
CALL(sendmsg_named) { struct msghdr m = message(1, 0, 0); return SYS(SYS_sendmsg, FD(datagrams(0)), P("message", m, 8), FLAGS(0)); }
CALL(sendmsg_file) { struct msghdr m = message(1, 0, 0); return SYS(SYS_sendmsg, file(), P("message", m, 8), FLAGS(0)); }
static int with_rights(void)
{
    int fds[2], one = 1;
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    struct { struct cmsghdr h; int fd; int pad; } c = {{CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}, fds[1]};
    struct iovec v = {"sixteen bytes...", 16};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    NEED(sendmsg(fds[1], &m, 0));
    return fds[0];
}
CALL(recvmsg) { struct msghdr m = message(1, 1, 24); return SYS(SYS_recvmsg, FD(with_rights()), P("message", m, 8), FLAGS(0)); }
CALL(recvmsg_nothing) { struct msghdr m = message(1, 1, 24); return SYS(SYS_recvmsg, FD(stream(0)), P("message", m, 8), FLAGS(0)); }
CALL(recvmsg_datagram) { struct msghdr m = message(1, 0, 0); return SYS(SYS_recvmsg, FD(datagrams(1)), P("message", m, 8), FLAGS(0)); }
CALL(sendmmsg) {
    struct mmsghdr m[2] = {{message(0, 0, 0)}, {message(0, 1, 24)}};
    return SYS(SYS_sendmmsg, FD(datagrams(0)), P("messages", m, 8), COUNT(2), FLAGS(0));
}
CALL(recvmmsg) {
    struct mmsghdr m[2] = {{message(0, 0, 0)}, {message(1, 1, 24)}};
    struct timespec t = {0, 1000};
    return SYS(SYS_recvmmsg, FD(datagrams(1)), P("messages", m, 8), COUNT(2), FLAGS(0), P("timeout", t, 8));
}
CALL(recvmmsg_time) {
    struct mmsghdr m[1] = {{message(0, 0, 0)}};
    struct timespec t = {0, -1};
    return SYS(SYS_recvmmsg, FD(datagrams(1)), P("messages", m, 8), 1, 0, P("timeout", t, 8));
}
CALL(setsockopt) { int one = 1; return SYS(SYS_setsockopt, FD(stream(0)), SOL_SOCKET, SO_PASSCRED, P("value", one, 4), COUNT(4)); }
CALL(setsockopt_time) { struct timeval t = {1, 0}; return SYS(SYS_setsockopt, FD(stream(0)), SOL_SOCKET, SO_RCVTIMEO, P("value", t, 8), COUNT(sizeof t)); }
CALL(setsockopt_unknown) { int one = 1; return SYS(SYS_setsockopt, FD(stream(0)), SOL_SOCKET, 4000, P("value", one, 4), COUNT(4)); }
CALL(setsockopt_device) { return SYS(SYS_setsockopt, FD(NEED(socket(AF_INET, SOCK_DGRAM, 0))), SOL_SOCKET, SO_BINDTODEVICE, TEXT("value", "none0"), COUNT(6)); }
CALL(setsockopt_filter) {
    struct sock_filter code[1] = {{BPF_RET | BPF_K, 0, 0, 0xffff}};
    struct { unsigned short len; word filter; } program = {1, P("filter", code, 8)};
    return SYS(SYS_setsockopt, FD(datagrams(0)), SOL_SOCKET, SO_ATTACH_FILTER, P("value", program, 8), COUNT(sizeof program));
}
CALL(setsockopt_tcp) { int one = 1; return SYS(SYS_setsockopt, FD(NEED(socket(AF_INET, SOCK_STREAM, 0))), 6, 1, P("value", one, 4), COUNT(4)); }
CALL(setsockopt_congestion) { return SYS(SYS_setsockopt, FD(NEED(socket(AF_INET, SOCK_STREAM, 0))), 6, 13, TEXT("value", "cubic"), COUNT(6)); }
CALL(setsockopt_ip) { int one = 1; return SYS(SYS_setsockopt, FD(NEED(socket(AF_INET, SOCK_STREAM, 0))), 0, 2, P("value", one, 4), COUNT(4)); }
CALL(getsockopt) { int v; socklen_t n = 4; return SYS(SYS_getsockopt, FD(stream(0)), SOL_SOCKET, SO_TYPE, P("value", v, 4), P("length", n, 4)); }
CALL(getsockopt_negative) { int v; socklen_t n = -4; return SYS(SYS_getsockopt, FD(stream(0)), SOL_SOCKET, SO_TYPE, P("value", v, 4), P("length", n, 4)); }
CALL(getsockopt_cred) { struct ucred v; socklen_t n = sizeof v; return SYS(SYS_getsockopt, FD(stream(0)), SOL_SOCKET, SO_PEERCRED, P("value", v, 4), P("length", n, 4)); }
CALL(getsockopt_unknown) { int v; socklen_t n = 4; return SYS(SYS_getsockopt, FD(stream(0)), SOL_SOCKET, 4000, P("value", v, 4), P("length", n, 4)); }
CALL(getsockopt_tcp_info) { char v[104]; socklen_t n = sizeof v; return SYS(SYS_getsockopt, FD(NEED(socket(AF_INET, SOCK_STREAM, 0))), 6, 11, P("value", v, 4), P("length", n, 4)); }
CALL(getsockopt_filter) { char v[8]; socklen_t n = 1; return SYS(SYS_getsockopt, FD(datagrams(0)), SOL_SOCKET, SO_GET_FILTER, P("value", v, 8), P("length", n, 4)); }

/* Time. */
CALL(nanosleep) { struct timespec t = {0, 1}, r; return SYS(SYS_nanosleep, P("request", t, 8), P("remaining", r, 8)); }
CALL(nanosleep_negative) { struct timespec t = {0, -1}, r; return SYS(SYS_nanosleep, P("request", t, 8), P("remaining", r, 8)); }
static void interrupted_soon(void)
{
    struct sigaction a = {.sa_handler = nothing};
    sigaction(SIGPROF, &a, NULL);
    sigaction(SIGALRM, &a, NULL);
    struct itimerval soon = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &soon, NULL);
}
CALL(nanosleep_interrupted) { struct timespec t = {2, 0}, r; interrupted_soon(); return SYS(SYS_nanosleep, P("request", t, 8), P("remaining", r, 8)); }
CALL(clock_nanosleep) { struct timespec t = {0, 1}, r; return SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, FLAGS(0), P("request", t, 8), P("remaining", r, 8)); }
CALL(clock_nanosleep_interrupted) { struct timespec t = {2, 0}, r; interrupted_soon(); return SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, P("request", t, 8), P("remaining", r, 8)); }
CALL(clock_nanosleep_clock) { struct timespec t = {0, 1}, r; return SYS(SYS_clock_nanosleep, 77, 0, P("request", t, 8), P("remaining", r, 8)); }
CALL(clock_gettime) { struct timespec t; return SYS(SYS_clock_gettime, CLOCK_REALTIME, P("time", t, 8)); }
CALL(clock_gettime_clock) { struct timespec t; return SYS(SYS_clock_gettime, 77, P("time", t, 8)); }
CALL(clock_gettime_cpu) { struct timespec t; return SYS(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, P("time", t, 8)); }
CALL(clock_getres) { struct timespec t; return SYS(SYS_clock_getres, CLOCK_REALTIME, P("time", t, 8)); }
CALL(clock_getres_clock) { struct timespec t; return SYS(SYS_clock_getres, 77, P("time", t, 8)); }
CALL(clock_settime_clock) { struct timespec t = {1, 0}; return SYS(SYS_clock_settime, 77, P("time", t, 8)); }
CALL(clock_settime_negative) { struct timespec t = {1, -1}; return SYS(SYS_clock_settime, CLOCK_REALTIME, P("time", t, 8)); }
CALL(clock_adjtime) { struct timex t = {0}; return OK(SYS(SYS_clock_adjtime, CLOCK_REALTIME, P("timex", t, 8))); }
CALL(adjtimex) { struct timex t = {0}; return OK(SYS(SYS_adjtimex, P("timex", t, 8))); }
CALL(gettimeofday) { struct timeval t; struct timezone z; return SYS(SYS_gettimeofday, P("time", t, 8), P("zone", z, 4)); }
CALL(settimeofday_negative) { struct timeval t = {0, -1}; struct timezone z = {10000}; return SYS(SYS_settimeofday, P("time", t, 8), P("zone", z, 4)); }
CALL(times) { struct tms t; return OK(SYS(SYS_times, P("buf", t, 8))); }
CALL(getitimer) { struct itimerval v; return SYS(SYS_getitimer, ITIMER_VIRTUAL, P("value", v, 8)); }
CALL(getitimer_unknown) { struct itimerval v; return SYS(SYS_getitimer, 9, P("value", v, 8)); }
CALL(setitimer) { struct itimerval v = {0}, o; return SYS(SYS_setitimer, ITIMER_VIRTUAL, P("new", v, 8), P("old", o, 8)); }
CALL(setitimer_unknown) { struct itimerval v = {0}, o; return SYS(SYS_setitimer, 9, P("new", v, 8), P("old", o, 8)); }
CALL(setitimer_negative) { struct itimerval v = {{0}, {-1}}, o; return SYS(SYS_setitimer, ITIMER_VIRTUAL, P("new", v, 8), P("old", o, 8)); }
CALL(timer_create) { struct sigevent e = {.sigev_notify = SIGEV_NONE}; int id; return SYS(SYS_timer_create, CLOCK_MONOTONIC, P("event", e, 8), P("id", id, 4)); }
CALL(timer_create_bad) { struct sigevent e = {.sigev_notify = 99}; int id; return SYS(SYS_timer_create, CLOCK_MONOTONIC, P("event", e, 8), P("id", id, 4)); }
CALL(timer_create_clock) { struct sigevent e = {.sigev_notify = SIGEV_NONE}; int id; return SYS(SYS_timer_create, 77, P("event", e, 8), P("id", id, 4)); }
static int timer(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_NONE};
    int id;
    NEED(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
    return id;
}
CALL(timer_gettime) { struct itimerspec v; return SYS(SYS_timer_gettime, FD(timer()), P("value", v, 8)); }
CALL(timer_settime) { struct itimerspec v = {0}, o; return SYS(SYS_timer_settime, FD(timer()), FLAGS(0), P("new", v, 8), P("old", o, 8)); }
CALL(timer_settime_negative) { struct itimerspec v = {{0, -1}}, o; return SYS(SYS_timer_settime, FD(timer()), FLAGS(0), P("new", v, 8), P("old", o, 8)); }
CALL(timerfd_settime) { struct itimerspec v = {0}, o; return SYS(SYS_timerfd_settime, FD(NEED(timerfd_create(CLOCK_MONOTONIC, 0))), FLAGS(0), P("new", v, 8), P("old", o, 8)); }
CALL(timerfd_settime_file) { struct itimerspec v = {0}, o; return SYS(SYS_timerfd_settime, file(), FLAGS(0), P("new", v, 8), P("old", o, 8)); }
CALL(timerfd_gettime) { struct itimerspec v; return SYS(SYS_timerfd_gettime, FD(NEED(timerfd_create(CLOCK_MONOTONIC, 0))), P("value", v, 8)); }
CALL(timerfd_read) {
    int fd = NEED(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec v = {{0, 0}, {0, 1}};
    NEED(timerfd_settime(fd, 0, &v, NULL));
    return SYS(SYS_read, fd, BYTES("buf", 8), SIZE(8));
}

/* Signals. */
struct kernel_action { word handler, flags, restorer, mask; };
CALL(rt_sigaction) { struct kernel_action a = {(word)SIG_IGN}, o; return SYS(SYS_rt_sigaction, SIGUSR1, P("action", a, 8), P("old", o, 8), SIZE(8)); }
CALL(rt_sigaction_kill) { struct kernel_action a = {(word)SIG_IGN}, o; return SYS(SYS_rt_sigaction, SIGKILL, P("action", a, 8), P("old", o, 8), 8); }
CALL(rt_sigaction_number) { struct kernel_action a = {(word)SIG_IGN}, o; return SYS(SYS_rt_sigaction, 65, P("action", a, 8), P("old", o, 8), 8); }
CALL(rt_sigprocmask) { word s = 0, o; return SYS(SYS_rt_sigprocmask, SIG_BLOCK, P("set", s, 8), P("old", o, 8), SIZE(8)); }
CALL(rt_sigprocmask_how) { word s = 0, o; return SYS(SYS_rt_sigprocmask, 99, P("set", s, 8), P("old", o, 8), 8); }
CALL(rt_sigpending) { word s; return SYS(SYS_rt_sigpending, P("set", s, 8), SIZE(8)); }
CALL(rt_sigsuspend) { word s = 0; interrupted_soon(); return SYS(SYS_rt_sigsuspend, P("mask", s, 8), SIZE(8)); }
static word one_pending(void)
{
    sigset_t set = {{1UL << (SIGUSR1 - 1)}};
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    return set.__val[0];
}
CALL(rt_sigtimedwait) { word s = one_pending(); siginfo_t i; struct timespec t = {0, 1}; return SYS(SYS_rt_sigtimedwait, P("set", s, 8), P("info", i, 8), P("timeout", t, 8), SIZE(8)); }
CALL(rt_sigtimedwait_none) { word s = 1UL << 9; siginfo_t i; struct timespec t = {0, 1}; return SYS(SYS_rt_sigtimedwait, P("set", s, 8), P("info", i, 8), P("timeout", t, 8), SIZE(8)); }
CALL(rt_sigtimedwait_time) { word s = one_pending(); siginfo_t i; struct timespec t = {0, -1}; return SYS(SYS_rt_sigtimedwait, P("set", s, 8), P("info", i, 8), P("timeout", t, 8), SIZE(8)); }
CALL(rt_sigqueueinfo) { siginfo_t i = {.si_code = -1}; signal(SIGUSR1, SIG_IGN); return SYS(SYS_rt_sigqueueinfo, PID(getpid()), SIGUSR1, P("info", i, 8)); }
CALL(rt_sigqueueinfo_number) { siginfo_t i = {.si_code = -1}; return SYS(SYS_rt_sigqueueinfo, PID(getpid()), 77, P("info", i, 8)); }
CALL(rt_tgsigqueueinfo) { siginfo_t i = {.si_code = -1}; signal(SIGUSR1, SIG_IGN); return SYS(SYS_rt_tgsigqueueinfo, PID(getpid()), getpid(), SIGUSR1, P("info", i, 8)); }
CALL(pidfd_send_signal) { siginfo_t i = {.si_code = -1, .si_signo = SIGUSR1}; signal(SIGUSR1, SIG_IGN); return SYS(424, FD(NEED(syscall(434, getpid(), 0))), SIGUSR1, P("info", i, 8), FLAGS(0)); }
CALL(sigaltstack) { stack_t s = {(void *)room(16384), 0, 16384}, o; return SYS(SYS_sigaltstack, P("new", s, 8), P("old", o, 8)); }
CALL(sigaltstack_place) { stack_t s = {(void *)pointer("place", (char[16]){0}, 16, 16, RANGE), 0, 16384}; return SYS(SYS_sigaltstack, P("new", s, 8), 0); }
CALL(sigaltstack_flags) { stack_t s = {(void *)room(16384), 77, 16384}, o; return SYS(SYS_sigaltstack, P("new", s, 8), P("old", o, 8)); }
CALL(sigaltstack_small) { stack_t s = {(void *)room(16384), 0, 16}, o; return SYS(SYS_sigaltstack, P("new", s, 8), P("old", o, 8)); }
CALL(signalfd4) { word s = 0; return OK(SYS(SYS_signalfd4, -1, P("mask", s, 8), SIZE(8), FLAGS(0))); }
CALL(signalfd4_again) { word s = 0; sigset_t set = {{0}}; return OK(SYS(SYS_signalfd4, FD(NEED(signalfd(-1, &set, 0))), P("mask", s, 8), SIZE(8), 0)); }

/* Processes. */
static int ended_child(void)
{
    int child = NEED(fork());
    if (child == 0)
        _exit(7);
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    return child;
}
CALL(wait4) { int s; struct rusage u; return OK(SYS(SYS_wait4, PID(ended_child()), P("status", s, 4), FLAGS(0), P("usage", u, 8))); }
CALL(wait4_none) { int s; struct rusage u; return OK(SYS(SYS_wait4, -1, P("status", s, 4), 0, P("usage", u, 8))); }
CALL(waitid) { siginfo_t i; struct rusage u; return SYS(SYS_waitid, P_PID, PID(ended_child()), P("info", i, 8), FLAGS(WEXITED), P("usage", u, 8)); }
CALL(waitid_none) { siginfo_t i; struct rusage u; return SYS(SYS_waitid, P_ALL, 0, P("info", i, 8), WEXITED | WNOHANG, P("usage", u, 8)); }
CALL(waitid_no_options) { siginfo_t i; struct rusage u; return SYS(SYS_waitid, P_ALL, 0, P("info", i, 8), 0, P("usage", u, 8)); }
CALL(getrusage) { struct rusage u; return SYS(SYS_getrusage, 0, P("usage", u, 8)); }
CALL(getrusage_who) { struct rusage u; return SYS(SYS_getrusage, 77, P("usage", u, 8)); }
CALL(getrlimit) { struct rlimit l; return SYS(SYS_getrlimit, RLIMIT_NOFILE, P("limit", l, 8)); }
CALL(getrlimit_unknown) { struct rlimit l; return SYS(SYS_getrlimit, 99, P("limit", l, 8)); }
CALL(setrlimit) { struct rlimit l; getrlimit(RLIMIT_CORE, &l); return SYS(SYS_setrlimit, RLIMIT_CORE, P("limit", l, 8)); }
CALL(setrlimit_unknown) { struct rlimit l = {1, 1}; return SYS(SYS_setrlimit, 99, P("limit", l, 8)); }
CALL(setrlimit_order) { struct rlimit l = {2, 1}; return SYS(SYS_setrlimit, RLIMIT_CORE, P("limit", l, 8)); }
CALL(prlimit64) { struct rlimit l, o; getrlimit(RLIMIT_CORE, &l); return SYS(SYS_prlimit64, PID(0), RLIMIT_CORE, P("new", l, 8), P("old", o, 8)); }
CALL(prlimit64_as) { struct rlimit l, o; getrlimit(RLIMIT_AS, &l); return SYS(SYS_prlimit64, PID(0), RLIMIT_AS, P("new", l, 8), P("old", o, 8)); }
CALL(prlimit64_stack) { struct rlimit l, o; getrlimit(RLIMIT_STACK, &l); return SYS(SYS_prlimit64, PID(0), RLIMIT_STACK, P("new", l, 8), P("old", o, 8)); }
CALL(prlimit64_unknown) { struct rlimit l = {1, 1}, o; return SYS(SYS_prlimit64, PID(0), 99, P("new", l, 8), P("old", o, 8)); }
CALL(getresuid) { unsigned r, e, s; return SYS(SYS_getresuid, P("real", r, 4), P("effective", e, 4), P("saved", s, 4)); }
CALL(getresgid) { unsigned r, e, s; return SYS(SYS_getresgid, P("real", r, 4), P("effective", e, 4), P("saved", s, 4)); }
CALL(getgroups) { unsigned g[64]; setgroups(2, (unsigned[]){1, 2}); return SYS(SYS_getgroups, COUNT(64), pointer("list", g, 8, 4, DATA)); }
CALL(setgroups) { unsigned g[2] = {1, 2}; return SYS(SYS_setgroups, COUNT(2), P("list", g, 4)); }
CALL(capget) { struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0}; struct __user_cap_data_struct d[2]; return SYS(SYS_capget, P("header", h, 4), P("data", d, 4)); }
CALL(capget_version) { struct __user_cap_header_struct h = {1, 0}; struct __user_cap_data_struct d[2]; return SYS(SYS_capget, P("header", h, 4), P("data", d, 4)); }
CALL(capset) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];
    NEED(syscall(SYS_capget, &h, d));
    return SYS(SYS_capset, P("header", h, 4), P("data", d, 4));
}
CALL(uname) { struct utsname u; return SYS(SYS_uname, P("buf", u, 1)); }
CALL(sysinfo) { struct sysinfo i; return SYS(SYS_sysinfo, P("info", i, 8)); }
CALL(getcpu) { unsigned c, n; return SYS(SYS_getcpu, P("cpu", c, 4), P("node", n, 4), 0); }
CALL(getrandom) { return SYS(SYS_getrandom, BYTES("buf", 16), SIZE(16), FLAGS(0)); }
CALL(getrandom_long) { return SYS(SYS_getrandom, BYTES("buf", 2048), 2048, 0); }
CALL(sethostname) { return SYS(SYS_sethostname, BYTES("name", 70), 70); }
CALL(syslog) { return OK(SYS(SYS_syslog, 3, BYTES("buf", 16), COUNT(16))); }
CALL(sched_getparam) { int p; return SYS(SYS_sched_getparam, PID(0), P("param", p, 4)); }
CALL(sched_setparam) { int p = 0; return SYS(SYS_sched_setparam, PID(0), P("param", p, 4)); }
CALL(sched_setscheduler) { int p = 0; return SYS(SYS_sched_setscheduler, PID(0), FLAGS(0), P("param", p, 4)); }
CALL(sched_rr_get_interval) { struct timespec t; return SYS(SYS_sched_rr_get_interval, PID(0), P("interval", t, 8)); }
CALL(sched_getaffinity) { word m[16]; return OK(SYS(SYS_sched_getaffinity, PID(0), COUNT(sizeof m), pointer("mask", m, 8, 8, DATA))); }
CALL(sched_setaffinity) { word m[1]; NEED(syscall(SYS_sched_getaffinity, 0, 128, (word[16]){0})); m[0] = 1; return SYS(SYS_sched_setaffinity, PID(0), COUNT(8), P("mask", m, 8)); }
CALL(sched_getattr) { char a[56]; return SYS(SYS_sched_getattr, PID(0), P("attr", a, 8), COUNT(56), FLAGS(0)); }
CALL(sched_setattr) { unsigned a[14] = {48}; return SYS(SYS_sched_setattr, PID(0), P("attr", a, 8), FLAGS(0)); }
CALL(sched_setattr_size) { unsigned a[14] = {7}; return SYS(SYS_sched_setattr, PID(0), P("attr", a, 8), FLAGS(0)); }
CALL(set_robust_list) { word l[3]; return SYS(SYS_set_robust_list, P("head", l, 8), SIZE(24)); }
CALL(get_robust_list) { word h; size_t n; return SYS(SYS_get_robust_list, PID(0), P("head", h, 8), P("length", n, 8)); }
CALL(set_tid_address) { int t; return OK(SYS(SYS_set_tid_address, P("tid", t, 4))); }
CALL(clone_parent_tid) {
    int t;
    long child = SYS(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, P("parent tid", t, 4), 0, 0);
    if (child == 0)
        _exit(0);
    return OK(child);
}
CALL(clone_child_tid) {
    int t;
    word at = P("child tid", t, 4);
#ifdef __aarch64__
    long child = SYS(SYS_clone, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0, 0, at);
#else
    long child = SYS(SYS_clone, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0, at, 0);
#endif
    if (child == 0)
        _exit(0);
    int status = 0;
    waitpid(child, &status, 0);
    return child < 0 ? child : status;
}
CALL(clone_pidfd) {
    int fd = 0;
    long child = SYS(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, P("pidfd", fd, 4), 0, 0);
    if (child == 0)
        _exit(0);
    return OK(child);
}
CALL(clone3) {
    int fd = 0, tid = 0;
    struct clone_args a = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .pidfd = P("pidfd", fd, 4), .parent_tid = P("parent tid", tid, 4)};
    long child = SYS(435, P("args", a, 8), SIZE(sizeof a));
    if (child == 0)
        _exit(0);
    return OK(child);
}
CALL(clone3_set_tid) {
    int tid[1] = {1};
    struct clone_args a = {.exit_signal = SIGCHLD, .set_tid = P("set_tid", tid, 4), .set_tid_size = COUNT(1)};
    long child = SYS(435, P("args", a, 8), sizeof a);
    if (child == 0)
        _exit(0);
    return OK(child);
}
CALL(clone3_longer) {
    char a[128] = {0};
    ((struct clone_args *)a)->exit_signal = SIGCHLD;
    long child = SYS(435, P("args", a, 8), sizeof a);
    if (child == 0)
        _exit(0);
    return OK(child);
}
CALL(prctl_set_name) { return SYS(SYS_prctl, PR_SET_NAME, TEXT("name", "named"), 0, 0, 0); }
CALL(prctl_get_name) { return SYS(SYS_prctl, PR_GET_NAME, BYTES("name", 16), 0, 0, 0); }
CALL(prctl_get_pdeathsig) { int s; return SYS(SYS_prctl, PR_GET_PDEATHSIG, P("signal", s, 4), 0, 0, 0); }
CALL(prctl_get_subreaper) { int s; return SYS(SYS_prctl, PR_GET_CHILD_SUBREAPER, P("value", s, 4), 0, 0, 0); }
CALL(prctl_get_tid_address) { word s; return SYS(SYS_prctl, PR_GET_TID_ADDRESS, P("address", s, 8), 0, 0, 0); }
CALL(prctl_seccomp) {
    struct sock_filter code[1] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct { unsigned short len; word filter; } program = {1, P("filter", code, 8)};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return SYS(SYS_prctl, PR_SET_SECCOMP, 2, P("program", program, 8), 0, 0);
}
CALL(prctl_set_vma_name) { char *m = room(PAGE); return SYS(SYS_prctl, 0x53564d41, 0, m, PAGE, TEXT("name", "region")); }
CALL(seccomp) {
    struct sock_filter code[1] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct { unsigned short len; word filter; } program = {1, P("filter", code, 8)};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return SYS(SYS_seccomp, 1, FLAGS(0), P("program", program, 8));
}
CALL(seccomp_unprivileged) {
    struct sock_filter code[1] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct { unsigned short len; word filter; } program = {1, P("filter", code, 8)};
    setresuid(1000, 1000, 1000);
    return SYS(SYS_seccomp, 1, FLAGS(0), P("program", program, 8));
}
CALL(seccomp_length) {
    struct sock_filter code[1] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct { unsigned short len; word filter; } program = {0, P("filter", code, 8)};
    return SYS(SYS_seccomp, 1, FLAGS(0), P("program", program, 8));
}
CALL(seccomp_action) { unsigned a = SECCOMP_RET_ALLOW; return SYS(SYS_seccomp, 2, FLAGS(0), P("action", a, 4)); }
CALL(seccomp_sizes) { char s[6]; return SYS(SYS_seccomp, 3, FLAGS(0), P("sizes", s, 2)); }
CALL(futex_wake) { int f = 0; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAKE, 1, 0, 0, 0); }
CALL(futex_wake_private) { int f = 0; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }
CALL(futex_wait) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAIT, 0, P("timeout", t, 8), 0, 0); }
CALL(futex_wait_private) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAIT_PRIVATE, 0, P("timeout", t, 8), 0, 0); }
CALL(futex_wait_other) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAIT, 1, P("timeout", t, 8), 0, 0); }
CALL(futex_wait_time) { int f = 0; struct timespec t = {0, -1}; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAIT, 1, P("timeout", t, 8), 0, 0); }
CALL(futex_wait_bitset) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAIT_BITSET, 0, P("timeout", t, 8), 0, FLAGS(1)); }
CALL(futex_requeue) { int f = 0, g = 0; return SYS(SYS_futex, P("word", f, 4), FUTEX_REQUEUE, 1, 1, P("other", g, 4), 0); }
CALL(futex_cmp_requeue) { int f = 0, g = 0; return SYS(SYS_futex, P("word", f, 4), FUTEX_CMP_REQUEUE, 1, 1, P("other", g, 4), 0); }
CALL(futex_wake_op) { int f = 0, g = 0; return SYS(SYS_futex, P("word", f, 4), FUTEX_WAKE_OP, 1, 1, P("other", g, 4), 0); }
CALL(futex_lock_pi) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex, P("word", f, 4), FUTEX_LOCK_PI, 0, P("timeout", t, 8), 0, 0); }
CALL(futex_unlock_pi) { int f = 0; return SYS(SYS_futex, P("word", f, 4), FUTEX_UNLOCK_PI, 0, 0, 0, 0); }
CALL(futex_unknown) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex, P("word", f, 4), 99, 0, P("timeout", t, 8), 0, 0); }
struct waiter { word value, address; unsigned flags, reserved; };
CALL(futex_waitv) {
    int f = 0, g = 0;
    struct waiter w[2] = {{0, P("first word", f, 4), 2}, {1, P("second word", g, 4), 2}};
    struct timespec t = {0, 1};
    return SYS(SYS_futex_waitv, P("waiters", w, 8), COUNT(2), FLAGS(0), P("timeout", t, 8), CLOCK_MONOTONIC);
}
CALL(futex2_wake) { int f = 0; return SYS(SYS_futex_wake_, P("word", f, 4), 1, 1, FLAGS(2)); }
CALL(futex2_wait) { int f = 0; struct timespec t = {0, 1}; return SYS(SYS_futex_wait_, P("word", f, 4), 1, 1, FLAGS(2), P("timeout", t, 8), CLOCK_MONOTONIC); }
CALL(futex2_requeue) {
    int f = 0, g = 0;
    struct waiter w[2] = {{0, P("first word", f, 4), 2}, {1, P("second word", g, 4), 2}};
    return SYS(SYS_futex_requeue_, P("waiters", w, 8), FLAGS(0), 1, 1);
}

/* System V and POSIX messages. */
CALL(mq_open) { struct mq_attr a = {0, 4, 16}; mq_unlink("/raemu-pointers"); return OK(SYS(SYS_mq_open, TEXT("name", "raemu-pointers"), FLAGS(O_CREAT | O_RDWR), 0600, P("attr", a, 8))); }
static int queue(int filled)
{
    struct mq_attr a = {0, 4, 16};
    int fd = NEED(mq_open("/raemu-pointers-2", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a));
    mq_unlink("/raemu-pointers-2");
    if (filled)
        NEED(mq_send(fd, "message", 8, 1));
    return fd;
}
CALL(mq_unlink) { return SYS(SYS_mq_unlink, TEXT("name", "raemu-missing")); }
CALL(mq_timedsend) { struct timespec t = {1, 0}; return SYS(SYS_mq_timedsend, FD(queue(0)), BYTES("message", 16), SIZE(16), 1, P("timeout", t, 8)); }
CALL(mq_timedsend_time) { struct timespec t = {1, -1}; return SYS(SYS_mq_timedsend, FD(queue(0)), BYTES("message", 16), SIZE(16), 1, P("timeout", t, 8)); }
CALL(mq_timedreceive) { unsigned p; struct timespec t = {1, 0}; return SYS(SYS_mq_timedreceive, FD(queue(1)), BYTES("message", 16), SIZE(16), P("priority", p, 4), P("timeout", t, 8)); }
CALL(mq_timedreceive_none) { unsigned p; struct timespec t = {1, 0}; return SYS(SYS_mq_timedreceive, FD(queue(0)), BYTES("message", 16), SIZE(16), P("priority", p, 4), P("timeout", t, 8)); }
CALL(mq_notify) { struct sigevent e = {.sigev_notify = SIGEV_NONE}; return SYS(SYS_mq_notify, FD(queue(0)), P("event", e, 8)); }
CALL(mq_notify_bad) { struct sigevent e = {.sigev_notify = 99}; return SYS(SYS_mq_notify, FD(queue(0)), P("event", e, 8)); }
CALL(mq_getsetattr) { struct mq_attr a = {0}, o; return SYS(SYS_mq_getsetattr, FD(queue(0)), P("new", a, 8), P("old", o, 8)); }
struct text_message { long type; char text[16]; };
static int messages(int filled)
{
    int id = NEED(msgget(IPC_PRIVATE, 0600));
    struct text_message m = {1, "message"};
    if (filled)
        NEED(msgsnd(id, &m, 16, IPC_NOWAIT));
    return id;
}
static long gone(int id, long result) { msgctl(id, IPC_RMID, NULL); return result; }
CALL(msgsnd) { struct text_message m = {1, "message"}; int id = messages(0); return gone(id, SYS(SYS_msgsnd, FD(id), P("message", m, 8), SIZE(16), IPC_NOWAIT)); }
CALL(msgsnd_type) { struct text_message m = {-1, "message"}; int id = messages(0); return gone(id, SYS(SYS_msgsnd, FD(id), P("message", m, 8), SIZE(16), IPC_NOWAIT)); }
CALL(msgrcv) { struct text_message m; int id = messages(1); return gone(id, SYS(SYS_msgrcv, FD(id), P("message", m, 8), SIZE(16), 0, IPC_NOWAIT)); }
CALL(msgrcv_none) { struct text_message m; int id = messages(0); return gone(id, SYS(SYS_msgrcv, FD(id), P("message", m, 8), SIZE(16), 0, IPC_NOWAIT)); }
CALL(msgctl_stat) { struct msqid_ds d; int id = messages(0); return gone(id, SYS(SYS_msgctl, FD(id), IPC_STAT, P("buf", d, 8))); }
CALL(msgctl_set) { struct msqid_ds d = {.msg_perm = {.mode = 0600}, .msg_qbytes = 100}; int id = messages(0); return gone(id, SYS(SYS_msgctl, FD(id), IPC_SET, P("buf", d, 8))); }
CALL(msgctl_info) { struct msginfo i; return OK(SYS(SYS_msgctl, 0, IPC_INFO, P("buf", i, 4))); }
static int semaphores(void) { return NEED(semget(IPC_PRIVATE, 2, 0600)); }
static long gone_sem(int id, long result) { semctl(id, 0, IPC_RMID); return result; }
CALL(semop) { struct sembuf o[2] = {{0, 1, IPC_NOWAIT}, {1, 1, IPC_NOWAIT}}; int id = semaphores(); return gone_sem(id, SYS(SYS_semop, FD(id), P("operations", o, 2), COUNT(2))); }
CALL(semtimedop) { struct sembuf o[2] = {{0, -1, 0}, {1, 1, 0}}; struct timespec t = {0, 1}; int id = semaphores(); return gone_sem(id, SYS(SYS_semtimedop, FD(id), P("operations", o, 2), COUNT(2), P("timeout", t, 8))); }
CALL(semtimedop_time) { struct sembuf o[1] = {{0, 1, 0}}; struct timespec t = {0, -1}; int id = semaphores(); return gone_sem(id, SYS(SYS_semtimedop, FD(id), P("operations", o, 2), COUNT(1), P("timeout", t, 8))); }
CALL(semctl_stat) { char d[88]; int id = semaphores(); return gone_sem(id, SYS(SYS_semctl, FD(id), 0, IPC_STAT, P("buf", d, 8))); }
CALL(semctl_getall) { unsigned short v[2]; int id = semaphores(); return gone_sem(id, SYS(SYS_semctl, FD(id), 0, GETALL, P("values", v, 2))); }
CALL(semctl_setall) { unsigned short v[2] = {1, 2}; int id = semaphores(); return gone_sem(id, SYS(SYS_semctl, FD(id), 0, SETALL, P("values", v, 2))); }
static int segment(void) { return NEED(shmget(IPC_PRIVATE, 2 * PAGE, 0600)); }
static long gone_shm(int id, long result) { shmctl(id, IPC_RMID, NULL); return result; }
CALL(shmctl_stat) { struct shmid_ds d; int id = segment(); return gone_shm(id, SYS(SYS_shmctl, FD(id), IPC_STAT, P("buf", d, 8))); }
CALL(shmctl_set) { struct shmid_ds d = {.shm_perm = {.mode = 0600}}; int id = segment(); return gone_shm(id, SYS(SYS_shmctl, FD(id), IPC_SET, P("buf", d, 8))); }
CALL(shmat) { int id = segment(); return gone_shm(id, OK(SYS(SYS_shmat, FD(id), PLACES("address", 2), 0))); }
CALL(shmat_round) { int id = segment(); return gone_shm(id, OK(SYS(SYS_shmat, FD(id), PLACES("address", 2), SHM_RND))); }
CALL(shmat_remap) { int id = segment(); return gone_shm(id, OK(SYS(SYS_shmat, FD(id), PLACES("address", 2), SHM_REMAP))); }
CALL(shmdt) { return SYS(SYS_shmdt, PLACES("address", 2)); }

/* Keys, filters, rings and others. */
CALL(add_key) { return OK(SYS(SYS_add_key, TEXT("type", "user"), TEXT("description", "d"), BYTES("payload", 8), SIZE(8), -2)); }
CALL(request_key) {
    char missing[32]; /* another each time: the kernel remembers what was not found */
    sprintf(missing, "missing %d", getpid());
    return OK(SYS(SYS_request_key, TEXT("type", "user"), TEXT("description", missing), TEXT("callout", "c"), 0));
}
CALL(keyctl_describe) { return OK(SYS(SYS_keyctl, 6, -2, BYTES("buffer", 64), SIZE(64), 0)); }
CALL(keyctl_join) { return OK(SYS(SYS_keyctl, 1, TEXT("name", "session"), 0, 0, 0)); }
CALL(keyctl_search) { return OK(SYS(SYS_keyctl, 10, -2, TEXT("type", "user"), TEXT("description", "missing"), 0)); }
CALL(keyctl_update) { return SYS(SYS_keyctl, 2, FD(-2), BYTES("payload", 8), SIZE(8), 0); }
CALL(keyctl_capabilities) { return SYS(SYS_keyctl, 31, BYTES("buffer", 2), SIZE(2), 0, 0); }
CALL(bpf) { char a[128] = {0}; return OK(SYS(SYS_bpf, 0, P("attr", a, 8), SIZE(sizeof a))); }
CALL(bpf_unknown) { char a[128] = {0}; return OK(SYS(SYS_bpf, 999, P("attr", a, 8), SIZE(sizeof a))); }
CALL(bpf_program) {
    word code[2] = {0xb7, 0x95};
    union bpf_attr a = {.prog_type = 1, .insn_cnt = 2, .insns = P("instructions", code, 8), .license = TEXT("license", "GPL")};
    return OK(SYS(SYS_bpf, 5, P("attr", a, 8), sizeof a));
}
CALL(bpf_element) {
    unsigned key = 0, value = 0;
    union bpf_attr m = {.map_type = 2, .key_size = 4, .value_size = 4, .max_entries = 1};
    int map = syscall(SYS_bpf, 0, &m, sizeof m);
    union bpf_attr a = {.map_fd = map, .key = P("key", key, 4), .value = P("value", value, 4)};
    return SYS(SYS_bpf, 1, P("attr", a, 8), sizeof a);
}
CALL(perf_event_open) { struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE, .size = sizeof a, .config = PERF_COUNT_SW_DUMMY}; return OK(SYS(SYS_perf_event_open, P("attr", a, 8), PID(0), -1, -1, FLAGS(0))); }
CALL(landlock_create_ruleset) { word a[1] = {1}; return OK(SYS(444, P("attr", a, 8), SIZE(sizeof a), FLAGS(0))); }
CALL(landlock_add_rule) {
    word a[1] = {1};
    int rules = syscall(444, a, sizeof a, 0);
    struct __attribute__((packed)) { word access; int fd; } rule = {1, directory()};
    return SYS(445, FD(rules), 1, P("rule", rule, 1), FLAGS(0));
}
CALL(cachestat) { word r[2] = {0, 16}, s[5]; return SYS(SYS_cachestat_, FD(file()), P("range", r, 8), P("stat", s, 8), FLAGS(0)); }
CALL(lsm_list_modules) { word ids[16]; unsigned n = sizeof ids; return OK(SYS(SYS_lsm_list_modules_, pointer("ids", ids, 8, 8, DATA), P("size", n, 4), FLAGS(0))); }
CALL(lsm_get_self_attr) { char c[64]; unsigned n = sizeof c; return OK(SYS(SYS_lsm_get_self_attr_, 100, P("context", c, 8), P("size", n, 4), FLAGS(0))); }
CALL(io_setup) { word c = 0; return SYS(SYS_io_setup, COUNT(4), P("context", c, 8)); }
static word aio(void) { aio_context_t c = 0; NEED(syscall(SYS_io_setup, 4, &c)); return c; }
CALL(io_submit_context) { struct iocb b = {0}; word list[1] = {P("iocb", b, 8)}, c[4] = {0}; return SYS(SYS_io_submit, P("context", c, 8), 1, P("list", list, 8)); }
CALL(io_getevents) {
    struct io_event e[2];
    struct timespec t = {0, 1};
    struct iocb b = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = file(), .aio_buf = (word)room(16), .aio_nbytes = 16}, *list[1] = {&b};
    word context = aio();
    NEED(syscall(SYS_io_submit, context, 1, list));
    return SYS(SYS_io_getevents, context, 1, COUNT(2), P("events", e, 8), P("timeout", t, 8));
}
CALL(io_pgetevents) {
    struct io_event e[2];
    struct timespec t = {0, 1};
    struct { word set; size_t size; } mask = {P("set of sigmask", all_signals.__val[0], 8), SIZE(8)};
    return SYS(SYS_io_pgetevents, aio(), 0, 2, P("events", e, 8), P("timeout", t, 8), P("sigmask", mask, 8));
}
CALL(io_cancel) { struct iocb b = {0}; struct io_event e; return SYS(SYS_io_cancel, aio(), P("iocb", b, 8), P("result", e, 8)); }
CALL(io_destroy) { word c[4] = {0}; return SYS(SYS_io_destroy, P("context", c, 8)); }
CALL(io_uring_setup) { struct io_uring_params p = {0}; return OK(SYS(425, COUNT(4), P("params", p, 8))); }
CALL(io_uring_setup_flags) { struct io_uring_params p = {.flags = 1U << 31}; return OK(SYS(425, 4, P("params", p, 8))); }
static int ring(struct io_uring_params *p) { memset(p, 0, sizeof *p); return NEED(syscall(425, 4, p)); }
CALL(io_uring_buffers) { struct io_uring_params p; struct iovec v[1] = {{(void *)BYTES("base", 16), 16}}; return SYS(427, FD(ring(&p)), 0, P("vector", v, 8), COUNT(1)); }
CALL(io_uring_files) { struct io_uring_params p; int f[1] = {1}; return SYS(427, FD(ring(&p)), 2, P("files", f, 4), COUNT(1)); }
CALL(io_uring_eventfd) { struct io_uring_params p; int f = eventfd(0, 0); return SYS(427, FD(ring(&p)), 4, P("eventfd", f, 4), COUNT(1)); }
CALL(io_uring_probe) { struct io_uring_params p; char b[16 + 8 * 4] = {0}; return SYS(427, FD(ring(&p)), 8, P("probe", b, 8), COUNT(4)); }
CALL(io_uring_unknown) { struct io_uring_params p; char b[16] = {0}; return SYS(427, FD(ring(&p)), 99, P("argument", b, 8), COUNT(4)); }
static long submitted(struct io_uring_sqe sqe)
{
    struct io_uring_params p;
    int fd = ring(&p);
    char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqes = mmap(NULL, p.sq_entries * 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
    sqes[0] = sqe;
    ((unsigned *)(sq + p.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    long result = syscall(426, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
    if (result < 0)
        return -errno;
    return ((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res;
}
CALL(ring_read) { return submitted((struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = FD(file()), .addr = BYTES("buffer", 16), .len = COUNT(16)}); }
CALL(ring_write) { return submitted((struct io_uring_sqe){.opcode = IORING_OP_WRITE, .fd = FD(file()), .addr = BYTES("buffer", 16), .len = COUNT(16)}); }
CALL(ring_readv) { struct iovec v[1] = {{(void *)BYTES("base", 16), 16}}; return submitted((struct io_uring_sqe){.opcode = IORING_OP_READV, .fd = FD(file()), .addr = P("vector", v, 8), .len = COUNT(1)}); }
CALL(ring_openat) { return OK(submitted((struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = FD(directory()), .addr = TEXT("path", "."), .open_flags = O_RDONLY})); }
CALL(ring_openat2) { struct open_how how = {O_RDONLY}; return OK(submitted((struct io_uring_sqe){.opcode = IORING_OP_OPENAT2, .fd = FD(directory()), .addr = TEXT("path", "."), .addr2 = P("how", how, 8), .len = COUNT(sizeof how)})); }
CALL(ring_send) { return submitted((struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = FD(stream(0)), .addr = BYTES("buffer", 16), .len = COUNT(16)}); }
CALL(ring_recv) { return submitted((struct io_uring_sqe){.opcode = IORING_OP_RECV, .fd = FD(stream(1)), .addr = BYTES("buffer", 16), .len = 16}); }
CALL(ring_sendmsg) { struct msghdr m = message(0, 1, 24); return submitted((struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = FD(stream(0)), .addr = P("message", m, 8), .len = 1}); }
CALL(ring_timeout) { struct __kernel_timespec t = {0, 1}; return submitted((struct io_uring_sqe){.opcode = IORING_OP_TIMEOUT, .addr = P("timeout", t, 8), .len = 1}); }
CALL(ring_epoll_ctl) { struct epoll_event e = {EPOLLIN}; return submitted((struct io_uring_sqe){.opcode = IORING_OP_EPOLL_CTL, .fd = FD(epoll(0)), .off = readable(), .len = EPOLL_CTL_ADD, .addr = P("event", e, 1)}); }
CALL(userfaultfd_api) { struct uffdio_api a = {UFFD_API}; return SYS(SYS_ioctl, FD(NEED(syscall(SYS_userfaultfd, 0))), UFFDIO_API, P("argument", a, 8)); }

/* Ranges of memory. */
CALL(mincore) { return SYS(SYS_mincore, PAGES("address", 2), SIZE(2 * PAGE), BYTES("vector", 2)); }
CALL(mincore_long) { return SYS(SYS_mincore, PAGES("address", 2), 3 * PAGE, BYTES("vector", 3)); }
CALL(madvise_normal) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), 0); }
CALL(madvise_dontneed) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), MADV_DONTNEED); }
CALL(madvise_free) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), MADV_FREE); }
CALL(madvise_dontfork) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), MADV_DONTFORK); }
CALL(madvise_willneed) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), MADV_WILLNEED); }
CALL(madvise_remove) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), MADV_REMOVE); }
CALL(madvise_populate_read) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), 22); }
CALL(madvise_populate_write) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), 23); }
CALL(madvise_cold) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), 20); }
CALL(madvise_unknown) { return SYS(SYS_madvise, PAGES("address", 2), SIZE(2 * PAGE), 999); }
CALL(mprotect) { return SYS(SYS_mprotect, PAGES("address", 2), SIZE(2 * PAGE), FLAGS(PROT_READ)); }
CALL(mprotect_write) { return SYS(SYS_mprotect, PAGES("address", 2), SIZE(2 * PAGE), PROT_READ | PROT_WRITE); }
CALL(mprotect_grows) { return SYS(SYS_mprotect, PAGES("address", 2), SIZE(2 * PAGE), PROT_READ | PROT_GROWSDOWN); }
CALL(pkey_mprotect) { return SYS(SYS_pkey_mprotect, PAGES("address", 2), SIZE(2 * PAGE), PROT_READ, -1); }
CALL(munmap) { return SYS(SYS_munmap, PAGES("address", 2), SIZE(2 * PAGE)); }
CALL(msync) { return SYS(SYS_msync, PAGES("address", 2), SIZE(2 * PAGE), FLAGS(MS_SYNC)); }
CALL(msync_both) { return SYS(SYS_msync, PAGES("address", 2), SIZE(2 * PAGE), MS_SYNC | MS_ASYNC); }
CALL(mlock) { return SYS(SYS_mlock, PAGES("address", 2), SIZE(2 * PAGE)); }
CALL(mlock2) { return SYS(SYS_mlock2, PAGES("address", 2), SIZE(2 * PAGE), FLAGS(1)); }
CALL(munlock) { return SYS(SYS_munlock, PAGES("address", 2), SIZE(2 * PAGE)); }
CALL(mremap) { return OK(SYS(SYS_mremap, PAGES("address", 2), SIZE(2 * PAGE), PAGE, 0, 0)); }
CALL(mremap_larger) { return OK(SYS(SYS_mremap, PAGES("address", 2), SIZE(2 * PAGE), 8 * PAGE, MREMAP_MAYMOVE, 0)); }
CALL(mremap_fixed) { return OK(SYS(SYS_mremap, room(2 * PAGE), 2 * PAGE, 2 * PAGE, FLAGS(MREMAP_MAYMOVE | MREMAP_FIXED), PLACES("new", 2))); }
CALL(mmap_hint) { return OK(SYS(SYS_mmap, PLACES("address", 2), SIZE(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); }
CALL(mmap_fixed) { return OK(SYS(SYS_mmap, PLACES("address", 2), SIZE(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)); }
CALL(mmap_fixed_file) { return OK(SYS(SYS_mmap, PLACES("address", 2), SIZE(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_FIXED, FD(file()), 0)); }
CALL(mmap_noreplace) { return OK(SYS(SYS_mmap, PLACES("address", 2), SIZE(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)); }
CALL(mbind) { word n[2] = {1}; return SYS(SYS_mbind, PAGES("address", 2), SIZE(2 * PAGE), 2, pointer("nodes", n, 8, 8, DATA), 64, FLAGS(0)); }
CALL(mbind_default) { return SYS(SYS_mbind, PAGES("address", 2), SIZE(2 * PAGE), 0, 0, 0, FLAGS(0)); }
CALL(set_mempolicy) { word n[2] = {1}; return SYS(SYS_set_mempolicy, 2, pointer("nodes", n, 8, 8, DATA), COUNT(64)); }
CALL(get_mempolicy) { int m; word n[16]; return SYS(SYS_get_mempolicy, P("mode", m, 4), P("nodes", n, 8), SIZE(1024), 0, FLAGS(0)); }
CALL(get_mempolicy_address) { int m; return SYS(SYS_get_mempolicy, P("mode", m, 4), 0, 0, PAGES("address", 1), 2); }
CALL(migrate_pages) { word o[2] = {1}, n[2] = {1}; return SYS(SYS_migrate_pages, PID(0), 64, pointer("old", o, 8, 8, DATA), pointer("new", n, 8, 8, DATA)); }
CALL(move_pages) { word p[1] = {PAGES("page", 1)}; int s[1]; return SYS(SYS_move_pages, PID(0), 1, P("pages", p, 8), 0, P("status", s, 4), FLAGS(0)); }
CALL(move_pages_to) { word p[1] = {(word)room(PAGE)}; int n[1] = {0}, s[1]; return SYS(SYS_move_pages, PID(0), 1, P("pages", p, 8), P("nodes", n, 4), P("status", s, 4), FLAGS(2)); }
CALL(process_madvise) { struct iovec v[1] = {{(void *)pointer("base", (char[2 * PAGE]){0}, 2 * PAGE, PAGE, DATA), 2 * PAGE}}; return SYS(440, FD(NEED(syscall(434, getpid(), 0))), P("vector", v, 8), COUNT(1), 20, FLAGS(0)); }
CALL(mseal) { return SYS(SYS_mseal_, PAGES("address", 2), SIZE(2 * PAGE), FLAGS(0)); }
CALL(remap_file_pages) { return SYS(SYS_remap_file_pages, PLACES("address", 2), SIZE(2 * PAGE), 0, 0, FLAGS(0)); }
CALL(ptrace_peek) { word data; return OK(SYS(SYS_ptrace, 2, PID(getpid()), 0, P("data", data, 8))); }

int main(int argc, char **argv) { return try_rows(argc, argv); }
