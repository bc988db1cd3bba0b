/* ioctl(2): arguments that are numbers, flags of open, structures, and structures with addresses. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define BAD ((void *)8)
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static void terminals(void)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), number = 0, word = 0, packet = 1;
    CHECK(master >= 0);
    CHECK(ioctl(master, TIOCSPTLCK, &number) == 0);
    CHECK(ioctl(master, TIOCGPTN, &number) == 0);
    FAILS(ioctl(master, TIOCGPTN, BAD), EFAULT);
    int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    CHECK(peer >= 0 && (fcntl(peer, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDWR | O_NONBLOCK));
    CHECK(fcntl(peer, F_GETFD) == FD_CLOEXEC);
    /* Flags with other values by architecture: the device cannot do without buffers, and is no link. */
    FAILS(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_DIRECT), EINVAL);
    int kept = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NOFOLLOW);
    CHECK(kept >= 0 && fcntl(kept, F_GETFL) & O_NOFOLLOW);
    close(kept);
    struct winsize size = {24, 80, 0, 0}, got = {0};
    CHECK(ioctl(peer, TIOCSWINSZ, &size) == 0 && ioctl(master, TIOCGWINSZ, &got) == 0);
    CHECK(got.ws_row == 24 && got.ws_col == 80);
    FAILS(ioctl(peer, TIOCGWINSZ, BAD), EFAULT);
    struct termios mode;
    CHECK(tcgetattr(peer, &mode) == 0 && mode.c_lflag & ICANON);
    mode.c_lflag &= ~ICANON;
    CHECK(tcsetattr(peer, TCSANOW, &mode) == 0 && tcgetattr(peer, &mode) == 0 && !(mode.c_lflag & ICANON));
    CHECK(ioctl(master, TIOCPKT, &packet) == 0 && ioctl(peer, TCFLSH, TCIOFLUSH) == 0 && ioctl(peer, TCSBRK, 1) == 0);
    FAILS(ioctl(peer, TCFLSH, 77), EINVAL);
    FAILS(ioctl(peer, TIOCGSID, &word), ENOTTY);
    FAILS(ioctl(peer, TIOCLINUX, BAD), ENOTTY);
    close(peer), close(master);
}

static void networks(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq buffer[8], request = {.ifr_ifindex = 1};
    struct ifconf list = {.ifc_len = sizeof buffer, .ifc_req = buffer};
    CHECK(ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len % (int)sizeof *buffer == 0 && list.ifc_req == buffer);
    list = (struct ifconf){.ifc_len = 0, .ifc_req = NULL};
    CHECK(ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len > 0);
    FAILS(ioctl(fd, SIOCGIFCONF, BAD), EFAULT);
    CHECK(ioctl(fd, SIOCGIFNAME, &request) == 0 && strcmp(request.ifr_name, "lo") == 0);
    strcpy(request.ifr_name, "lo");
    CHECK(ioctl(fd, SIOCGIFINDEX, &request) == 0 && request.ifr_ifindex == 1);
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK, .data = 77};
    request.ifr_data = (void *)&link;
    CHECK(ioctl(fd, SIOCETHTOOL, &request) == 0 && link.data <= 1);
    request.ifr_data = BAD;
    FAILS(ioctl(fd, SIOCETHTOOL, &request), EFAULT);
    strcpy(request.ifr_name, "none77");
    FAILS(ioctl(fd, SIOCGIFINDEX, &request), ENODEV);
    close(fd);
}

static void files(void)
{
    int ends[2], count = 0, on = 1;
    CHECK(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3);
    CHECK(ioctl(ends[0], FIONREAD, &count) == 0 && count == 3);
    CHECK(ioctl(ends[0], FIOCLEX) == 0 && fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
    CHECK(ioctl(ends[0], FIONCLEX) == 0 && fcntl(ends[0], F_GETFD) == 0);
    CHECK(ioctl(ends[0], FIONBIO, &on) == 0 && fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    FAILS(ioctl(ends[0], FIONBIO, BAD), EFAULT);
    FAILS(ioctl(ends[0], 0x12345678, BAD), ENOTTY);
    FAILS(ioctl(ends[0], _IOWR('x', 0x77, char[64]), BAD), ENOTTY);
    FAILS(ioctl(-1, FIONREAD, &count), EBADF);
    FAILS(ioctl(ends[0], FICLONE, -1), EBADF);
    struct file_clone_range range = {.src_fd = -1};
    FAILS(ioctl(ends[0], FICLONERANGE, &range), EBADF);
    FAILS(ioctl(ends[0], FICLONERANGE, BAD), EFAULT);
    close(ends[0]), close(ends[1]);
    int random = open("/dev/urandom", O_RDONLY);
    CHECK(ioctl(random, RNDGETENTCNT, &count) == 0 && count > 0);
    close(random);
}

/* The request is an int: what stands above is ignored. */
static void upper_halves(void)
{
    int ends[2], count = 0;
    CHECK(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3);
    CHECK(ioctl(ends[0], 0xffffffff00000000UL | FIONREAD, &count) == 0 && count == 3);
    close(ends[0]), close(ends[1]);
}

int main(void)
{
    terminals();
    networks();
    files();
    upper_halves();
    DONE();
}
