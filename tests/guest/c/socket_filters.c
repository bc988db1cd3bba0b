/* setsockopt(2) SO_ATTACH_FILTER and its like: classic BPF is the same program on all architectures. */
#define _GNU_SOURCE
#include "check.h"
#include <linux/filter.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif
#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define ATTACH(fd, code) \
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &(struct sock_fprog){LENGTH(code), code}, sizeof(struct sock_fprog))

/* How much of a message comes through; -1 if none does. */
static int through(const int *pair, const void *bytes, int len)
{
    char got[64];
    CHECK(send(pair[1], bytes, len, 0) == len);
    return recv(pair[0], got, sizeof got, MSG_DONTWAIT);
}

static void loads(const int *pair)
{
    /* Words and halves are in the network's order; each message's byte 0 says what is loaded. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'w', 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 1),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x01020304, 0, 12),
        BPF_STMT(BPF_RET | BPF_K, 5),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'h', 0, 4),
        BPF_STMT(BPF_LDX | BPF_IMM, 2),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 1),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0304, 0, 7),
        BPF_STMT(BPF_RET | BPF_K, 3),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'm', 0, 5),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 1),
        BPF_STMT(BPF_STX, 15),
        BPF_STMT(BPF_LD | BPF_MEM, 15),
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 5),
        BPF_STMT(BPF_RET | BPF_A, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    CHECK(ATTACH(pair[0], code) == 0);
    CHECK(through(pair, "w\1\2\3\4" "567", 8) == 5);
    CHECK(through(pair, "w\4\3\2\1" "567", 8) == -1);
    CHECK(through(pair, "h\1\2\3\4" "567", 8) == 3);
    CHECK(through(pair, "h\1\2\4\3" "567", 8) == -1);
    /* (5 & 15) * 4 / 5 */
    CHECK(through(pair, "m\x45\2\3\4" "567", 8) == 4);
    CHECK(through(pair, "?\1\2\3\4" "567", 8) == -1);
    struct sock_filter got[32];
    socklen_t count = LENGTH(got);
    CHECK(getsockopt(pair[0], SOL_SOCKET, SO_GET_FILTER, got, &count) == 0 && count == LENGTH(code));
    CHECK(memcmp(got, code, sizeof code) == 0);
}

static void ancillary(const int *pair)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PAY_OFFSET),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 2),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    CHECK(ATTACH(pair[0], code) == 0);
    CHECK(through(pair, "12345678", 8) == 6);
    CHECK(through(pair, "123", 3) == 1);
}

static void refused(const int *pair)
{
    struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_IMM, 0)}, division[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 1)};
    struct sock_filter memory[] = {BPF_STMT(BPF_LD | BPF_MEM, 3), BPF_STMT(BPF_RET | BPF_A, 0)}, fine[] = {BPF_STMT(BPF_RET | BPF_K, 2)};
    FAILS(ATTACH(pair[0], endless), EINVAL);
    FAILS(ATTACH(pair[0], division), EINVAL);
    FAILS(ATTACH(pair[0], memory), EINVAL);
    struct sock_fprog bad = {1, (void *)8}, none = {0, fine}, whole = {1, fine};
    FAILS(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &bad, sizeof bad), EFAULT);
    FAILS(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof none), EINVAL);
    FAILS(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &whole, 4), EINVAL);
    FAILS(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, (void *)8, sizeof whole), EFAULT);
    CHECK(ATTACH(pair[0], fine) == 0);
    int on = 1, off = 0;
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) == 0);
    FAILS(ATTACH(pair[0], fine), EPERM);
    FAILS(setsockopt(pair[0], SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off), EPERM);
    FAILS(setsockopt(pair[1], SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off), ENOENT);
    FAILS(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_BPF, &(int){-1}, sizeof(int)), EBADF);
    CHECK(through(pair, "1234", 4) == 2);
}

/* The program says which of the sockets of one port gets a packet: by its first byte. */
static void of_one_port(void)
{
    int fds[2], on = 1;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof place;
    for (int i = 0; i < 2; i++) {
        fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
        CHECK(bind(fds[i], (void *)&place, sizeof place) == 0);
        CHECK(getsockname(fds[i], (void *)&place, &len) == 0);
    }
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 'a'),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {LENGTH(code), code};
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0);
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    char got[8];
    for (int round = 0; round < 8; round++) {
        int wanted = round * 5 / 3 & 1;
        CHECK(sendto(sender, &"ab"[wanted], 1, 0, (void *)&place, sizeof place) == 1);
        CHECK(recv(fds[wanted], got, sizeof got, 0) == 1 && got[0] == "ab"[wanted]);
        CHECK(recv(fds[!wanted], got, sizeof got, MSG_DONTWAIT) == -1);
    }
    program.filter = (void *)8;
    FAILS(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program), EFAULT);
    close(fds[0]), close(fds[1]), close(sender);
}

int main(void)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    loads(pair);
    ancillary(pair);
    refused(pair);
    of_one_port();
    DONE();
}
