/* A program in a sealed memory file, as container runtimes execute one: what /proc/self/exe leads to, and for whom. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char exe[] = "/proc/self/exe";

static void check(const char *what, int right)
{
    printf("%-32s %s\n", what, right ? "ok" : "FAIL");
    fflush(stdout);
}

static long sum(int fd)
{
    unsigned char bytes[4096];
    long sum = 0, count;
    while ((count = read(fd, bytes, sizeof bytes)) > 0)
        for (long at = 0; at < count; at++)
            sum = sum * 31 + bytes[at];
    return sum;
}

static void look(long expected)
{
    char link[64] = "";
    check("readlink", readlink(exe, link, sizeof link - 1) > 0 && !strcmp(link, "/memfd:copy (deleted)"));
    int fd = open(exe, O_RDONLY | O_CLOEXEC);
    check("open", fd == 3);
    check("close-on-exec", fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
    check("contents", sum(fd) == expected);
    check("seals", fcntl(fd, F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    memset(link, 0, sizeof link);
    check("its name", readlink(name, link, sizeof link - 1) > 0 && !strcmp(link, "/memfd:copy (deleted)"));
    close(fd);
    check("the same by O_PATH", (fd = open(exe, O_PATH)) == 3 && read(fd, link, 1) == -1 && errno == EBADF);
    close(fd);
    check("a link is none for O_NOFOLLOW", open(exe, O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        close_range(3, ~0U, 0);
        int from = open(exe, O_RDONLY), to = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct stat is;
        char text[32];
        fstat(from, &is);
        while (sendfile(to, from, NULL, is.st_size) > 0)
            ;
        lseek(from, 0, SEEK_SET);
        snprintf(text, sizeof text, "%ld", sum(from));
        close(from);
        fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        fexecve(to, (char *[]){argv[0], text, NULL}, (char *[]){NULL});
        return 1;
    }
    if (!strcmp(argv[1], "again")) {
        puts("executed again");
        look(atol(argv[2]));
        return 0;
    }
    long expected = atol(argv[1]);
    int open_files = 0;
    for (int fd = 3; fd < 2000; fd++)
        open_files += fcntl(fd, F_GETFD) != -1;
    check("no other descriptors", open_files == 0);
    check("writing", open(exe, O_WRONLY) == -1 && (errno == ETXTBSY || errno == EPERM));
    look(expected);
    puts("another user");
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        if (getuid() == 0 && setresuid(65534, 65534, 65534))
            _exit(1);
        look(expected);
        execve(exe, (char *[]){argv[0], "again", argv[1], NULL}, (char *[]){NULL});
        check("executed", 0);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("%d\n", status);
    return 0;
}
