// seccomp(2): a supervisor decides on calls (SECCOMP_RET_USER_NOTIF).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND 2
#endif
#define DATA(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(value) BPF_STMT(BPF_RET | BPF_K, value)

// A listener for getppid, getpgid and a number without a call.
static long listen_for(unsigned flags) {
    struct sock_filter insns[] = {
        DATA(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
        RET(SECCOMP_RET_USER_NOTIF),
        RET(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {6, insns};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
}

static void send_fd(int socket, int fd) {
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    sendmsg(socket, &message, 0);
}

static int receive_fd(int socket) {
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    recvmsg(socket, &message, 0);
    int fd;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void tell(const char *what, long result) { printf("%s: %ld %s\n", what, result, result == -1 ? strerrorname_np(errno) : ""); }

static int listener, target, said;

// Starts a supervised child that runs `body`.
static void supervise(void (*body)(void)) {
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    said = memfd_create("said", 0);
    target = fork();
    if (target == 0) {
        dup2(said, 1);
        close(said);
        int fd = listen_for(0);
        send_fd(ends[1], fd);
        close(fd);
        close(ends[0]), close(ends[1]);
        body();
        exit(0);
    }
    listener = receive_fd(ends[0]);
    close(ends[0]), close(ends[1]);
}

// What the child says is shown at its end, so that there is one order.
static int show_child(void) {
    int status;
    char text[1000] = "";
    waitpid(target, &status, 0);
    pread(said, text, sizeof text - 1, 0);
    printf("%s", text);
    close(said);
    return status;
}

static void join(void) {
    int status = show_child();
    struct pollfd hung = {listener, POLLIN, 0};
    poll(&hung, 1, 1000);
    printf("status %d, listener %s\n", status, hung.revents & POLLHUP ? "hung up" : "open");
    close(listener);
}

static struct seccomp_notif next(void) {
    struct seccomp_notif request = {0};
    struct pollfd ready = {listener, POLLIN, 0};
    poll(&ready, 1, 5000);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
        printf("receive: %s\n", strerrorname_np(errno));
    }
    printf("asked: getppid %d getpgid %d openat %d, arch %d, pid %d, flags %u\n", request.data.nr == SYS_getppid, request.data.nr == SYS_getpgid,
           request.data.nr == SYS_openat, request.data.arch == ARCH, request.pid == target, request.flags);
    return request;
}

static void tell_valid(struct seccomp_notif *request) {
    int result = ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request->id);
    printf("valid %d %s\n", result, result ? strerrorname_np(errno) : "");
}

static void answer(struct seccomp_notif *request, long value, int error, unsigned flags) {
    struct seccomp_notif_resp response = {request->id, value, error, flags};
    int result = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    printf("answered: %d %s\n", result, result ? strerrorname_np(errno) : "");
}


static int getppid_native(void) {
    char line[200];
    int parent = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "PPid: %d", &parent);
    }
    return parent;
}

static void asks(void) {
    usleep(1000);
    long first = syscall(SYS_getppid, 1, 2, 3, 4, 5, 0x123456789abcdef0);
    long second = syscall(SYS_getppid);
    int error = errno;
    long third = syscall(SYS_getppid) == getppid_native();
    printf("got %lx, %ld %s, %ld\n", first, second, strerrorname_np(error), third);
}

static void answers(void) {
    supervise(asks);
    struct seccomp_notif request = next();
    printf("arguments %d %d\n", request.data.args[0] == 1, request.data.args[5] == 0x123456789abcdef0);
    tell_valid(&request);
    struct seccomp_notif dirty = {.id = 5};
    tell("dirty", ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &dirty));
    answer(&request, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    answer(&request, 0, 0, 8);
    answer(&request, 0x1234567890, 0, 0);
    tell_valid(&request);
    request = next();
    answer(&request, 0, -EMFILE, 0);
    request = next();
    answer(&request, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    request = next();
    answer(&request, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    join();
}

static void group_asked(void) {
    int first = getpgid(0) == getpid();
    int second = getpgid(0) == 77;
    printf("group %d %d\n", first, second);
 }

static void values(void) {
    // The value of another call's result, and that of its own.
    supervise(group_asked);
    setpgid(target, target);
    struct seccomp_notif request = next();
    answer(&request, target, 0, 0);
    request = next();
    answer(&request, 77, 0, 0);
    join();
}

static void opens(void) {
    char line[100] = "";
    int fd = open("/nowhere/at/all", O_RDONLY);
    read(fd, line, sizeof line - 1);
    printf("reads %s, flags %d\n", line, fcntl(fd, F_GETFD));
    fd = open("/nowhere/else", O_RDONLY);
    printf("second %d\n", fd);
    memset(line, 0, sizeof line);
    pread(fd, line, sizeof line - 1, 0);
    printf("reads %s\n", line);
}

static void adds(void) {
    int file = memfd_create("file", 0);
    write(file, "contents", 8);
    lseek(file, 0, SEEK_SET);
    supervise(opens);
    struct seccomp_notif request = next();
    struct seccomp_notif_addfd add = {.id = request.id, .srcfd = file, .newfd_flags = O_CLOEXEC};
    int number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    answer(&request, number, 0, 0);
    request = next();
    struct seccomp_notif_addfd send = {.id = request.id, .srcfd = file, .newfd = 42, .flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND};
    printf("added and sent %d\n", ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &send));
    join();
    close(file);
}

static void asks_once(void) { tell("alone", syscall(SYS_getppid)); }

static void gone(void) {
    supervise(asks_once);
    next();
    close(listener);
    show_child();
}

static int alarms;
static void on_alarm(int signal) { alarms++; }

static void asks_with_alarm(void) {
    signal(SIGUSR1, on_alarm);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGUSR2, &action, NULL);
    tell("restarted", syscall(SYS_getppid));
    tell("not restarted", syscall(SYS_getppid));
    printf("alarms %d\n", alarms);
}

static void interrupted(void) {
    supervise(asks_with_alarm);
    struct seccomp_notif request = next();
    kill(target, SIGUSR1);
    usleep(100000);
    tell_valid(&request);
    request = next();
    answer(&request, 5, 0, 0);
    request = next();
    kill(target, SIGUSR2);
    join();
}

static void killed(void) {
    supervise(asks_once);
    struct seccomp_notif request = next();
    kill(target, SIGKILL);
    join();
}

static void second_listener(void) {
    int fd = listen_for(0);
    printf("first %d\n", fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    tell("second", listen_for(0));
    tell("tsync", listen_for(SECCOMP_FILTER_FLAG_TSYNC));
    close(fd);
    tell("closed", syscall(SYS_getppid));
}

static void executes(void) {
    char *argv[] = {"x", "asks", NULL};
    execv("/proc/self/exe", argv);
    perror("execv");
}

static void after_execve(void) {
    supervise(executes);
    struct seccomp_notif request;
    do {
        // A dynamic program opens its libraries.
        memset(&request, 0, sizeof request);
        ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request);
        struct seccomp_notif_resp response = {request.id, request.data.nr == SYS_getppid ? 99 : 0, 0, request.data.nr == SYS_getppid ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    } while (request.data.nr != SYS_getppid);
    join();
}

static struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name) {#name, name}
    CASE(answers), CASE(values), CASE(adds), CASE(gone), CASE(interrupted), CASE(killed), CASE(second_listener), CASE(after_execve),
};

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 1) {
        asks_once();
        return 0;
    }
    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        printf("-- %s\n", cases[i].name);
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20);
            cases[i].run();
            exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        if (status != 0) {
            printf("status %#x\n", status);
        }
    }
    return 0;
}
