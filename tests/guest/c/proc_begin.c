/* What /proc shows of a program while it begins: from its execve on it is that program, whoever loads it. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (;;)
            pause();
    }
    char own[256] = "", link[256], name[64], arguments[256];
    CHECK(readlink("/proc/self/exe", own, sizeof own - 1) > 0);
    for (int round = 0; round < 100; round++) {
        pid_t pid = fork();
        if (!pid) {
            execl(own, "begun", "and", "sleeps", NULL);
            _exit(1);
        }
        for (int begun = 0, looks = 0; !begun && looks < 100000; looks++) {
            memset(link, 0, sizeof link);
            memset(arguments, 0, sizeof arguments);
            snprintf(name, sizeof name, "/proc/%d/exe", pid);
            CHECK(readlink(name, link, sizeof link - 1) > 0);
            CHECK(strcmp(link, own) == 0);
            snprintf(name, sizeof name, "/proc/%d/cmdline", pid);
            int fd = open(name, O_RDONLY);
            ssize_t count = read(fd, arguments, sizeof arguments - 1);
            close(fd);
            begun = count == 17 && !memcmp(arguments, "begun\0and\0sleeps", 17);
            /* Of the child before, or none yet. */
            CHECK(begun || count == 0 || strcmp(arguments, argv[0]) == 0);
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    DONE();
}
