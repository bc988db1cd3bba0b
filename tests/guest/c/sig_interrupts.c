/* What becomes of each call that can sleep when a signal comes: a line for each call (ROWS) and kind of signal
 * (COLUMNS), with the call's result, how often handlers had run by then, and what ended it.
 * Each case has a process that makes the call, and one that watches it: it sends the signal once the caller sleeps
 * in the call, and once the caller sleeps again or has returned, does what lets the call end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a call with a timeout sleeps at first, and at most, in milliseconds: where a loaded machine lets the signal
 * come too late, the case is tried again with twice the time. */
enum { FIRST_MS = 40, LAST_MS = 5000, GIVE_UP_MS = 20000 };

/* What caller and watcher share. */
struct shared {
    volatile int entered;  /* the call is next */
    volatile int in_call;  /* it has not returned */
    volatile int done;     /* result and error are there */
    volatile int handlers; /* how many have run by then */
    volatile int late;     /* the signal came when the call, or its time, was over */
    volatile int sent;     /* the watcher has sent the signal */
    volatile int event;    /* the watcher let the call end */
    volatile int hangs;
    volatile long result, error, start_us, elapsed_us;
    volatile uint32_t word;
    int ms;    /* how long a call with a timeout sleeps */
    int timed; /* this is one */
};
static struct shared *at;

static long now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void judge_time(void) {
    if (!at->in_call || (at->timed && now_us() - at->start_us > at->ms * 1000L - 2000))
        at->late = 1;
}

static void handler(int sig) {
    (void)sig;
    at->handlers++;
    judge_time();
}

enum when { NEVER, PENDING, DURING, AFTER_STOP };
static const struct column {
    const char *name;
    int signal;
    void (*action)(int);
    int flags;
    enum when when;
    int blocked;
} COLUMNS[] = {
    {"none", SIGUSR1, handler, 0, NEVER, 0},
    {"pending", SIGUSR1, handler, 0, PENDING, 1},
    {"blocked", SIGUSR1, handler, 0, DURING, 1},
    {"handler", SIGUSR1, handler, 0, DURING, 0},
    {"restart", SIGUSR1, handler, SA_RESTART, DURING, 0},
    {"ignored", SIGUSR1, SIG_IGN, 0, DURING, 0},
    {"default", SIGURG, SIG_DFL, 0, DURING, 0},
    {"stop", SIGCONT, SIG_DFL, 0, AFTER_STOP, 0},
    {"stop_handler", SIGCONT, handler, 0, AFTER_STOP, 0},
    {"stop_restart", SIGCONT, handler, SA_RESTART, AFTER_STOP, 0},
    /* Those that faults raise as well. */
    {"segv_pending", SIGSEGV, handler, 0, PENDING, 1},
    {"segv_blocked", SIGSEGV, handler, 0, DURING, 1},
    {"segv_handler", SIGSEGV, handler, 0, DURING, 0},
    {"segv_restart", SIGSEGV, handler, SA_RESTART, DURING, 0},
    {"segv_ignored", SIGSEGV, SIG_IGN, 0, DURING, 0},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

/* Of one case, in its watcher and its caller. */
static int fds[2] = {-1, -1}, other = -1, sem = -1, queue = -1;
static pid_t caller;
static mqd_t mq = -1;
static const struct column *column;
static char directory[64], path[80];
static char buffer[1 << 17];

static struct timespec span(void) {
    return (struct timespec){at->ms / 1000, at->ms % 1000 * 1000000L};
}

static struct timespec until(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    long nanoseconds = now.tv_nsec + at->ms % 1000 * 1000000L;
    return (struct timespec){now.tv_sec + at->ms / 1000 + nanoseconds / 1000000000, nanoseconds % 1000000000};
}

static void fill(int fd, size_t size) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (; size > 0; size /= 2)
        while (write(fd, buffer, size) > 0)
            ;
    fcntl(fd, F_SETFL, 0);
}

static void drain(int fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (read(fd, buffer, sizeof buffer) > 0)
        ;
}

static void block(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Watcher, before the caller exists. */
static void a_pipe(void) { pipe(fds); }
static void full_pipe(void) { a_pipe(), fill(fds[1], 4096); }
static void two_pipes(void) {
    int to[2];
    a_pipe(), pipe(to);
    other = to[1];
}
static void a_pair(void) { socketpair(AF_UNIX, SOCK_STREAM, 0, fds); }
static void packets(void) { socketpair(AF_UNIX, SOCK_DGRAM, 0, fds); }
static void full_pair(void) { a_pair(), fill(fds[1], 4096); }
static void full_packets(void) { packets(), fill(fds[1], 1); }
static void timed_pair(void) {
    a_pair();
    struct timeval tv = {at->ms / 1000, at->ms % 1000 * 1000};
    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
}
static void timed_full_pair(void) {
    full_pair();
    struct timeval tv = {at->ms / 1000, at->ms % 1000 * 1000};
    setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}
static void a_directory(void) {
    strcpy(directory, "/tmp/sig_interrupts.XXXXXX");
    mkdtemp(directory);
    snprintf(path, sizeof path, "%s/x", directory);
}
static struct sockaddr_un address(void) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, sizeof path);
    return un;
}
static int connection(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un = address();
    return connect(fd, (struct sockaddr *)&un, sizeof un) == 0 ? fd : -1;
}
static void a_listener(void) {
    a_directory();
    fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un = address();
    bind(fds[0], (struct sockaddr *)&un, sizeof un);
    listen(fds[0], 0);
}
static void full_listener(void) { a_listener(), connection(); }
static void a_fifo(void) { a_directory(), mkfifo(path, 0600); }
static void a_watch(void) {
    a_directory();
    fds[0] = inotify_init();
    inotify_add_watch(fds[0], directory, IN_CREATE);
}
static void a_file(void) {
    a_directory();
    fds[1] = open(path, O_RDWR | O_CREAT, 0600);
}
static void flocked(void) { a_file(), flock(fds[1], LOCK_EX); }
static const struct flock WHOLE = {.l_type = F_WRLCK}, NOTHING = {.l_type = F_UNLCK};
static void posix_locked(void) { a_file(), fcntl(fds[1], F_SETLK, &WHOLE); }
static void ofd_locked(void) { a_file(), fcntl(fds[1], F_OFD_SETLK, &WHOLE); }
static void an_epoll(void) {
    a_pipe();
    other = epoll_create1(0);
    epoll_ctl(other, EPOLL_CTL_ADD, fds[0], &(struct epoll_event){.events = EPOLLIN});
}
static void a_semaphore(void) { sem = semget(IPC_PRIVATE, 1, 0600); }
struct message { long type; char text[1024]; };
static void a_queue(void) { queue = msgget(IPC_PRIVATE, 0600); }
static void full_queue(void) {
    a_queue();
    struct message message = {.type = 1};
    while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0)
        ;
}
static void a_mq(void) {
    char name[40];
    snprintf(name, sizeof name, "/sig_interrupts.%d", getpid());
    mq = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 8});
    mq_unlink(name);
}
static void full_mq(void) { a_mq(), mq_send(mq, "x", 1, 0); }
static void an_eventfd(void) { fds[0] = eventfd(0, 0); }
static void full_eventfd(void) { fds[0] = eventfd(UINT32_MAX - 1, 0); uint64_t rest = UINT64_MAX - UINT32_MAX; write(fds[0], &rest, 8); }
static void my_pi_lock(void) { at->word = gettid(); }

/* Caller, before the call. */
static void opened(void) { fds[0] = open(path, O_RDWR); }
static void a_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[1]);
        read(fds[0], buffer, 1);
        _exit(3);
    }
}
static void block_it(void) { block(column->signal); }
static void a_signalfd(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    block(SIGUSR2);
    fds[0] = signalfd(-1, &set, 0);
}
static void a_timer(void) {
    fds[0] = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(fds[0], 0, &(struct itimerspec){.it_value = span()}, NULL);
}
static void block_usr2(void) { block(SIGUSR2); }
static unsigned long aio;
static void an_aio(void) { syscall(SYS_io_setup, 1, &aio); }

/* The calls. */
static long c_read(void) { return read(fds[0], buffer, 512); }
static long c_readv(void) { return readv(fds[0], &(struct iovec){buffer, 10}, 1); }
static long c_write(void) { return write(fds[1], buffer, 1); }
static long c_writev(void) { return writev(fds[1], &(struct iovec){buffer, 10}, 1); }
static long c_vmsplice(void) { return vmsplice(fds[1], &(struct iovec){buffer, 10}, 1, 0); }
static long c_splice(void) { return splice(fds[0], NULL, other, NULL, 100, 0); }
static long c_tee(void) { return tee(fds[0], other, 100, 0); }
static long c_sendfile(void) { ftruncate(other = memfd_create("x", 0), 5); return sendfile(fds[1], other, NULL, 5); }
static long opens_one(int fd) { return fd < 0 ? -1 : 1; }
static long c_accept(void) { return opens_one(accept(fds[0], NULL, NULL)); }
static long c_accept4(void) { return opens_one(accept4(fds[0], NULL, NULL, SOCK_CLOEXEC)); }
static long c_connect(void) {
    struct sockaddr_un un = address();
    return connect(other = socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&un, sizeof un);
}
static long c_recvfrom(void) { return recv(fds[0], buffer, 10, 0); }
static long c_waitall(void) { return recv(fds[0], buffer, 10, MSG_WAITALL); }
static struct iovec ten = {buffer, 10};
static struct msghdr header = {.msg_iov = &ten, .msg_iovlen = 1};
static long c_recvmsg(void) { return recvmsg(fds[0], &header, 0); }
static long c_sendto(void) { return send(fds[1], buffer, 10, 0); }
static long c_sendmsg(void) { return sendmsg(fds[1], &header, 0); }
static struct mmsghdr headers[2] = {{{.msg_iov = &ten, .msg_iovlen = 1}, 0}, {{.msg_iov = &ten, .msg_iovlen = 1}, 0}};
static long c_recvmmsg(void) { return recvmmsg(fds[0], headers, 2, MSG_WAITFORONE, NULL); }
static long c_recvmmsg_second(void) { write(fds[1], "x", 1); return recvmmsg(fds[0], headers, 2, 0, NULL); }
static long c_sendmmsg(void) { return sendmmsg(fds[1], headers, 2, 0); }
static long futex(int op, const struct timespec *time) { return syscall(SYS_futex, &at->word, op, 0, time, NULL, -1); }
static long c_futex(void) { return futex(FUTEX_WAIT, NULL); }
static long c_futex_timed(void) { struct timespec t = span(); return futex(FUTEX_WAIT, &t); }
static long c_futex_until(void) { struct timespec t = until(CLOCK_MONOTONIC); return futex(FUTEX_WAIT_BITSET, &t); }
static long c_futex_pi(void) { return futex(FUTEX_LOCK_PI, NULL); }
static struct { uint64_t val, uaddr; uint32_t flags, reserved; } waitv;
static long c_futex_waitv(void) {
    waitv.uaddr = (uintptr_t)&at->word;
    waitv.flags = 2 /* FUTEX_32 */;
    struct timespec t = until(CLOCK_MONOTONIC);
    return syscall(449, &waitv, 1, 0, &t, CLOCK_MONOTONIC);
}
static long c_nanosleep(void) { struct timespec t = span(); return syscall(SYS_nanosleep, &t, NULL); }
static long fails(int error) { errno = error; return error == 0 ? 0 : -1; }
static long c_clock(void) { struct timespec t = span(); return fails(clock_nanosleep(CLOCK_BOOTTIME, 0, &t, NULL)); }
static long c_clock_until(void) {
    struct timespec t = until(CLOCK_REALTIME);
    return fails(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
}
static long c_poll(void) { return poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, -1); }
static long c_poll_timed(void) { return poll(NULL, 0, at->ms); }
static sigset_t admit_all;
static long c_ppoll(void) { return ppoll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, NULL, NULL); }
static long c_ppoll_mask(void) { return ppoll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, NULL, &admit_all); }
static long c_ppoll_timed(void) { struct timespec t = span(); return ppoll(NULL, 0, &t, NULL); }
static fd_set *readers(void) {
    static fd_set set;
    FD_SET(fds[0], &set);
    return &set;
}
static long c_select(void) { return select(fds[0] + 1, readers(), NULL, NULL, NULL); }
static long c_select_timed(void) {
    struct timeval tv = {at->ms / 1000, at->ms % 1000 * 1000};
    return select(0, NULL, NULL, NULL, &tv);
}
static long c_pselect(void) { return pselect(fds[0] + 1, readers(), NULL, NULL, NULL, NULL); }
static long c_pselect_mask(void) { return pselect(fds[0] + 1, readers(), NULL, NULL, NULL, &admit_all); }
static struct epoll_event events[1];
static long c_epoll(void) { return epoll_wait(other, events, 1, -1); }
static long c_epoll_timed(void) { return epoll_wait(other, events, 1, at->ms); }
static long c_epoll_mask(void) { return epoll_pwait(other, events, 1, -1, &admit_all); }
static long c_epoll2_mask(void) { return syscall(SYS_epoll_pwait2, other, events, 1, NULL, &admit_all, 8); }
static int status;
static long c_wait4(void) { return wait4(-1, &status, 0, NULL) < 0 ? -1 : WEXITSTATUS(status); }
static siginfo_t info;
static long c_waitid(void) { return waitid(P_ALL, 0, &info, WEXITED) < 0 ? -1 : info.si_status; }
static sigset_t *only(int sig) {
    static sigset_t set;
    sigaddset(&set, sig);
    return &set;
}
static long is(int sig, long result) { return result < 0 ? -1 : sig == result; }
static long c_sigtimedwait(void) { struct timespec t = span(); return sigtimedwait(only(SIGUSR2), NULL, &t); }
static long c_sigwaitinfo(void) { return is(SIGUSR2, sigwaitinfo(only(SIGUSR2), NULL)); }
static long c_sigwait_it(void) { sigaddset(only(SIGUSR2), column->signal); return is(column->signal, sigwaitinfo(only(SIGUSR2), NULL)); }
static long c_sigsuspend(void) { return sigsuspend(&admit_all); }
static long c_pause(void) { return pause(); }
static struct sembuf down = {.sem_op = -1};
static long c_semop(void) { return semop(sem, &down, 1); }
static long c_semtimedop(void) { struct timespec t = span(); return semtimedop(sem, &down, 1, &t); }
static struct message received, sent = {.type = 1};
static long c_msgrcv(void) { return msgrcv(queue, &received, sizeof received.text, 0, 0); }
static long c_msgsnd(void) { return msgsnd(queue, &sent, sizeof sent.text, 0); }
static long c_flock(void) { return flock(fds[0], LOCK_EX); }
static long c_setlkw(void) { struct flock lock = WHOLE; return fcntl(fds[0], F_SETLKW, &lock); }
static long c_ofd_setlkw(void) { struct flock lock = WHOLE; return fcntl(fds[0], F_OFD_SETLKW, &lock); }
static long c_open(void) { return opens_one(open(path, O_RDONLY)); }
static long c_open_write(void) { return opens_one(open(path, O_WRONLY)); }
static char aio_events[32];
static long c_io_getevents(void) { struct timespec t = span(); return syscall(SYS_io_getevents, aio, 1, 1, aio_events, &t); }
static long c_io_pgetevents(void) {
    struct timespec t = span();
    struct { const sigset_t *mask; size_t size; } mask = {&admit_all, 8};
    return syscall(SYS_io_pgetevents, aio, 1, 1, aio_events, &t, &mask);
}
static long c_mq_receive(void) { return mq_receive(mq, buffer, sizeof buffer, NULL); }
static long c_mq_timedreceive(void) {
    struct timespec t = until(CLOCK_REALTIME);
    return mq_timedreceive(mq, buffer, sizeof buffer, NULL, &t);
}
static long c_mq_send(void) { return mq_send(mq, "y", 1, 0); }
static long c_eventfd_write(void) { return write(fds[0], &(uint64_t){1000}, 8); }
static long c_getrandom(void) { return getrandom(buffer, 256, 0); }

/* Watcher: lets the call end. */
static void put(void) { write(fds[1], "12345678", 8); }
static void put_ten(void) { write(fds[1], "1234567890", 10); }
static void take(void) { drain(fds[0]); }
static void connects(void) { other = connection(); }
static void accepts(void) { other = accept(fds[0], NULL, NULL); }
static void wakes(void) { at->word = 1; syscall(SYS_futex, &at->word, FUTEX_WAKE, 1); }
static void unlocks_pi(void) { syscall(SYS_futex, &at->word, FUTEX_UNLOCK_PI); }
static void sends_usr2(void) { kill(caller, SIGUSR2); }
static void raises(void) { semop(sem, &(struct sembuf){.sem_op = 1}, 1); }
static void sends(void) { msgsnd(queue, &sent, 7, 0); }
static void receives(void) { msgrcv(queue, &received, sizeof received.text, 0, 0); }
static void unflocks(void) { flock(fds[1], LOCK_UN); }
static void unlocks(void) { struct flock lock = NOTHING; fcntl(fds[1], F_SETLK, &lock); }
static void ofd_unlocks(void) { struct flock lock = NOTHING; fcntl(fds[1], F_OFD_SETLK, &lock); }
static void opens(void) { other = open(path, O_RDWR); }
static void creates(void) { close(open(path, O_CREAT | O_WRONLY, 0600)); }
static void mq_puts(void) { mq_send(mq, "x", 1, 0); }
static void mq_takes(void) { mq_receive(mq, buffer, sizeof buffer, NULL); }
static void counts(void) { write(fds[0], &(uint64_t){1}, 8); }
static void discounts(void) { uint64_t count; read(fds[0], &count, 8); }

/* No signal can come during a SLEEPLESS call. One that is PARTIAL ends with what it has done, so it is left out where the
 * emulator interrupts a call for a signal that the guest blocks or ignores (docs/signals.md, Limits). */
static const struct row {
    const char *name;
    void (*setup)(void);   /* in the watcher */
    void (*prepare)(void); /* in the caller */
    long (*call)(void);
    void (*complete)(void); /* NULL: it ends when its time is over */
    enum { ANY, SLEEPLESS, PARTIAL } kind;
} ROWS[] = {
    {"read_pipe", a_pipe, NULL, c_read, put, ANY},
    {"readv_pipe", a_pipe, NULL, c_readv, put, ANY},
    {"write_pipe", full_pipe, NULL, c_write, take, ANY},
    {"writev_pipe", full_pipe, NULL, c_writev, take, ANY},
    {"read_socket", a_pair, NULL, c_read, put, ANY},
    {"read_socket_timed", timed_pair, NULL, c_read, NULL, ANY},
    {"write_socket", full_pair, NULL, c_write, take, ANY},
    {"write_socket_timed", timed_full_pair, NULL, c_write, NULL, ANY},
    {"accept", a_listener, NULL, c_accept, connects, ANY},
    {"accept4", a_listener, NULL, c_accept4, connects, ANY},
    {"connect", full_listener, NULL, c_connect, accepts, ANY},
    {"recvfrom", a_pair, NULL, c_recvfrom, put, ANY},
    {"recvfrom_timed", timed_pair, NULL, c_recvfrom, NULL, ANY},
    {"recvfrom_waitall", a_pair, NULL, c_waitall, put_ten, ANY},
    {"recvmsg", packets, NULL, c_recvmsg, put, ANY},
    {"recvmsg_timed", timed_pair, NULL, c_recvmsg, NULL, ANY},
    {"sendto", full_pair, NULL, c_sendto, take, ANY},
    {"sendmsg", full_packets, NULL, c_sendmsg, take, ANY},
    {"recvmmsg", packets, NULL, c_recvmmsg, put, ANY},
    {"recvmmsg_second", packets, NULL, c_recvmmsg_second, put, PARTIAL},
    {"recvmmsg_timed", timed_pair, NULL, c_recvmmsg, NULL, ANY},
    {"sendmmsg", full_packets, NULL, c_sendmmsg, take, ANY},
    {"futex", NULL, NULL, c_futex, wakes, ANY},
    {"futex_timed", NULL, NULL, c_futex_timed, NULL, ANY},
    {"futex_until", NULL, NULL, c_futex_until, NULL, ANY},
    {"futex_pi", my_pi_lock, NULL, c_futex_pi, unlocks_pi, ANY},
    {"futex_waitv", NULL, NULL, c_futex_waitv, NULL, ANY},
    {"nanosleep", NULL, NULL, c_nanosleep, NULL, ANY},
    {"clock_nanosleep", NULL, NULL, c_clock, NULL, ANY},
    {"clock_nanosleep_until", NULL, NULL, c_clock_until, NULL, ANY},
    {"poll", a_pipe, NULL, c_poll, put, ANY},
    {"poll_timed", NULL, NULL, c_poll_timed, NULL, ANY},
    {"ppoll", a_pipe, NULL, c_ppoll, put, ANY},
    {"ppoll_mask", a_pipe, NULL, c_ppoll_mask, put, ANY},
    {"ppoll_timed", NULL, NULL, c_ppoll_timed, NULL, ANY},
    {"select", a_pipe, NULL, c_select, put, ANY},
    {"select_timed", NULL, NULL, c_select_timed, NULL, ANY},
    {"pselect6", a_pipe, NULL, c_pselect, put, ANY},
    {"pselect6_mask", a_pipe, NULL, c_pselect_mask, put, ANY},
    {"epoll_wait", an_epoll, NULL, c_epoll, put, ANY},
    {"epoll_wait_timed", an_epoll, NULL, c_epoll_timed, NULL, ANY},
    {"epoll_pwait_mask", an_epoll, NULL, c_epoll_mask, put, ANY},
    {"epoll_pwait2_mask", an_epoll, NULL, c_epoll2_mask, put, ANY},
    {"wait4", a_pipe, a_child, c_wait4, put, ANY},
    {"waitid", a_pipe, a_child, c_waitid, put, ANY},
    {"sigtimedwait", NULL, block_usr2, c_sigtimedwait, NULL, ANY},
    {"sigwaitinfo", NULL, block_usr2, c_sigwaitinfo, sends_usr2, ANY},
    {"sigwaitinfo_it", NULL, block_it, c_sigwait_it, sends_usr2, ANY},
    {"sigsuspend", NULL, NULL, c_sigsuspend, sends_usr2, ANY},
    {"pause", NULL, NULL, c_pause, sends_usr2, ANY},
    {"semop", a_semaphore, NULL, c_semop, raises, ANY},
    {"semtimedop", a_semaphore, NULL, c_semtimedop, NULL, ANY},
    {"msgrcv", a_queue, NULL, c_msgrcv, sends, ANY},
    {"msgsnd", full_queue, NULL, c_msgsnd, receives, ANY},
    {"flock", flocked, opened, c_flock, unflocks, ANY},
    {"fcntl_setlkw", posix_locked, opened, c_setlkw, unlocks, ANY},
    {"fcntl_ofd_setlkw", ofd_locked, opened, c_ofd_setlkw, ofd_unlocks, ANY},
    {"open_fifo", a_fifo, NULL, c_open, opens, ANY},
    {"open_fifo_write", a_fifo, NULL, c_open_write, opens, ANY},
    {"io_getevents", NULL, an_aio, c_io_getevents, NULL, ANY},
    {"io_pgetevents_mask", NULL, an_aio, c_io_pgetevents, NULL, ANY},
    {"mq_receive", a_mq, NULL, c_mq_receive, mq_puts, ANY},
    {"mq_timedreceive", a_mq, NULL, c_mq_timedreceive, NULL, ANY},
    {"mq_send", full_mq, NULL, c_mq_send, mq_takes, ANY},
    {"inotify_read", a_watch, NULL, c_read, creates, ANY},
    {"eventfd_read", an_eventfd, NULL, c_read, counts, ANY},
    {"eventfd_write", full_eventfd, NULL, c_eventfd_write, discounts, ANY},
    {"signalfd_read", NULL, a_signalfd, c_read, sends_usr2, ANY},
    {"timerfd_read", NULL, a_timer, c_read, NULL, ANY},
    {"splice", two_pipes, NULL, c_splice, put, ANY},
    {"tee", two_pipes, NULL, c_tee, put, ANY},
    {"vmsplice", full_pipe, NULL, c_vmsplice, take, ANY},
    {"sendfile", full_pair, NULL, c_sendfile, take, ANY},
    {"getrandom", NULL, NULL, c_getrandom, NULL, SLEEPLESS},
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

static void on(int sig, void (*action)(int), int flags) {
    sigaction(sig, &(struct sigaction){.sa_handler = action, .sa_flags = flags}, NULL);
}

static void call(const struct row *row) {
    on(SIGUSR2, handler, 0);
    on(column->signal, column->action, column->flags);
    if (row->prepare)
        row->prepare();
    if (column->blocked)
        block(column->signal);
    if (column->when == PENDING)
        kill(getpid(), column->signal);
    at->start_us = now_us();
    at->in_call = 1;
    at->entered = 1;
    long result = row->call();
    int error = errno;
    at->in_call = 0;
    at->elapsed_us = now_us() - at->start_us;
    at->result = result;
    at->error = result < 0 ? error : 0;
    at->done = 1 + at->handlers;
    _exit(0);
}

/* The state of the caller as /proc says. */
static char state(void) {
    char name[40], text[512];
    snprintf(name, sizeof name, "/proc/%d/stat", caller);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    char *end = strrchr(text, ')');
    return end ? end[2] : 'Z';
}

/* Waits until the caller sleeps, 4 times in a row, or has returned. */
static void settle(void) {
    for (int seen = 0; seen < 4 && !at->done && !at->hangs; usleep(1000))
        seen = at->entered && state() == 'S' ? seen + 1 : 0;
}

static void interrupt(void) {
    if (column->when == AFTER_STOP) {
        kill(caller, SIGSTOP);
        for (char now = state(); now != 'T' && now != 'Z'; now = state())
            usleep(1000);
        judge_time();
    }
    kill(caller, column->signal);
    /* Where the signal can be waited for or admitted by the call, nobody knows that it will be handled. */
    if (column->action == handler && !column->blocked)
        for (int waited = 0; waited < 20 && !at->handlers && !at->done && !at->hangs; waited++)
            usleep(1000);
    else
        usleep(2000);
}

static void hangs(int sig) {
    (void)sig;
    at->hangs = 1;
    kill(caller, SIGKILL);
}

/* The watcher of one case; `at` is its own. */
static void watch(const struct row *row) {
    at->timed = row->complete == NULL;
    if (row->setup)
        row->setup();
    caller = fork();
    if (caller == 0)
        call(row);
    on(SIGALRM, hangs, SA_RESTART);
    alarm(GIVE_UP_MS / 1000);
    if (row->kind != SLEEPLESS) {
        settle();
        if (column->when >= DURING) {
            at->sent = !at->done;
            interrupt();
            settle();
        }
    }
    if (row->complete && !at->done) {
        at->event = 1;
        row->complete();
    }
    waitpid(caller, NULL, 0);
    if (sem >= 0)
        semctl(sem, 0, IPC_RMID);
    if (queue >= 0)
        msgctl(queue, IPC_RMID, NULL);
    if (*directory) {
        unlink(path);
        rmdir(directory);
    }
    /* A child of the caller that is left ends with the pipe. */
    _exit(0);
}

static struct shared *cells;

static pid_t start(int row, int of, int ms) {
    struct shared *cell = &cells[row * COLUMN_COUNT + of];
    *cell = (struct shared){.ms = ms};
    pid_t pid = fork();
    if (pid == 0) {
        at = cell;
        column = &COLUMNS[of];
        watch(&ROWS[row]);
    }
    return pid;
}

static int left_out(int row, int of) {
    const struct column *at = &COLUMNS[of];
    return ROWS[row].kind == PARTIAL && at->signal == SIGSEGV && at->when == DURING && (at->blocked || at->action == SIG_IGN);
}

static int too_late(int row, int of) {
    struct shared *cell = &cells[row * COLUMN_COUNT + of];
    return ROWS[row].kind != SLEEPLESS && COLUMNS[of].when >= DURING && !cell->hangs && (!cell->sent || cell->late);
}

static void print(const struct row *row, const char *of, const struct shared *cell) {
    char result[24];
    snprintf(result, sizeof result, "%ld", cell->result);
    const char *why = cell->event ? "event" : row->complete || cell->error == EINTR ? "signal" : "time";
    if (!row->complete && row->kind != SLEEPLESS && cell->error != EINTR && cell->elapsed_us < cell->ms * 500L)
        why = "too early";
    printf("%-22s %-13s %-10s handlers=%d %s\n", row->name, of,
           cell->hangs ? "HANGS" : cell->error ? strerrorname_np(cell->error) : result, cell->done - 1, why);
}

/* All columns of this many rows run at once. */
enum { ROWS_AT_ONCE = 2 };

int main(void) {
    size_t size = sizeof *cells * ROW_COUNT * COLUMN_COUNT;
    cells = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&admit_all);
    for (int first = 0; first < ROW_COUNT; first += ROWS_AT_ONCE) {
        int end = first + ROWS_AT_ONCE < ROW_COUNT ? first + ROWS_AT_ONCE : ROW_COUNT;
        for (int row = first; row < end; row++)
            for (int of = 0; of < COLUMN_COUNT; of++)
                if (!left_out(row, of))
                    start(row, of, FIRST_MS);
        while (wait(NULL) > 0)
            ;
        for (int row = first; row < end; row++)
            for (int of = 0; of < COLUMN_COUNT; of++) {
                if (left_out(row, of))
                    continue;
                for (int ms = FIRST_MS * 2; ms <= LAST_MS && too_late(row, of); ms *= 2)
                    waitpid(start(row, of, ms), NULL, 0);
                print(&ROWS[row], COLUMNS[of].name, &cells[row * COLUMN_COUNT + of]);
            }
        fflush(stdout);
    }
    return 0;
}
