// Files of /proc are the guest's however they are reached, for itself and for others, and their descriptors look like
// the kernel's.
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char exe[4096];
static char *const *arguments;

static char *slurp(int fd) {
    static char text[1 << 20];
    size_t n = 0;
    for (ssize_t r; fd >= 0 && n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0;)
        n += r;
    if (fd >= 0)
        close(fd);
    text[n] = 0;
    // Lists of strings become lines.
    for (size_t i = 0; i + 1 < n; i++)
        if (!text[i])
            text[i] = '\n';
    return text;
}

static void check(const char *what, int good) {
    printf("%-44s %s\n", what, good ? "ok" : "WRONG");
}

// What each file of a process must hold; opened as `file` seen from a directory.
static void files(const char *how, int dir, const char *prefix) {
    char name[128], label[64], link[4096], expected[4200];
    snprintf(label, sizeof label, "%s maps", how);
    snprintf(name, sizeof name, "%smaps", prefix);
    char *text = slurp(openat(dir, name, O_RDONLY));
    check(label, strstr(text, exe) && strstr(text, "[stack]") && !strstr(text, "raemu"));
    // The program's code, and that of the function here, by whichever mapping it is in.
    unsigned long start, end, here = (unsigned long)(void *)files;
    char permissions[8] = "";
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%lx-%lx %7s", &start, &end, permissions) == 3 && start <= here && here < end)
            break;
        permissions[0] = 0;
    }
    snprintf(label, sizeof label, "%s code", how);
    check(label, !strcmp(permissions, "r-xp"));
    snprintf(label, sizeof label, "%s smaps", how);
    snprintf(name, sizeof name, "%ssmaps", prefix);
    text = slurp(openat(dir, name, O_RDONLY));
    check(label, strstr(text, exe) && strstr(text, "Rss:") && !strstr(text, "raemu"));
    snprintf(label, sizeof label, "%s cmdline", how);
    snprintf(name, sizeof name, "%scmdline", prefix);
    snprintf(expected, sizeof expected, "%s\n%s", arguments[0], "shown");
    check(label, !strcmp(slurp(openat(dir, name, O_RDONLY)), expected));
    snprintf(label, sizeof label, "%s environ", how);
    snprintf(name, sizeof name, "%senviron", prefix);
    check(label, !strcmp(slurp(openat(dir, name, O_RDONLY)), "ONE=1\nTWO=2"));
    snprintf(label, sizeof label, "%s exe", how);
    snprintf(name, sizeof name, "%sexe", prefix);
    ssize_t n = readlinkat(dir, name, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    struct stat by_link, by_name, by_fd;
    int fd = openat(dir, name, O_RDONLY);
    check(label, !strcmp(link, exe) && !fstatat(dir, name, &by_link, 0) && !stat(exe, &by_name) && !fstat(fd, &by_fd) &&
                     by_link.st_ino == by_name.st_ino && by_fd.st_ino == by_name.st_ino && by_link.st_dev == by_name.st_dev);
    close(fd);
    snprintf(label, sizeof label, "%s auxv", how);
    snprintf(name, sizeof name, "%sauxv", prefix);
    fd = openat(dir, name, O_RDONLY);
    unsigned long entry[2], platform = 0, unknown = 0;
    while (read(fd, entry, 16) == 16 && entry[0]) {
        platform |= entry[0] == 15;
        unknown |= entry[0] > 100;
    }
    close(fd);
    check(label, platform && !unknown);
    snprintf(label, sizeof label, "%s statm, stat, status agree", how);
    snprintf(name, sizeof name, "%sstatm", prefix);
    unsigned long pages = 0, size = 0, kilobytes = 0;
    sscanf(slurp(openat(dir, name, O_RDONLY)), "%lu", &pages);
    snprintf(name, sizeof name, "%sstat", prefix);
    text = strrchr(slurp(openat(dir, name, O_RDONLY)), ')');
    if (text)
        sscanf(text, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %lu", &size);
    snprintf(name, sizeof name, "%sstatus", prefix);
    text = strstr(slurp(openat(dir, name, O_RDONLY)), "VmSize:");
    if (text)
        sscanf(text, "VmSize: %lu", &kilobytes);
    check(label, pages && pages * 4096 == size && kilobytes * 1024 == size && size < 1UL << 29);
}

static void own(void) {
    char name[128];
    files("absolute", AT_FDCWD, "/proc/self/");
    int dir = open("/proc/self", O_RDONLY | O_DIRECTORY), path = open("/proc", O_PATH | O_DIRECTORY);
    files("by a directory", dir, "");
    snprintf(name, sizeof name, "%d/", getpid());
    files("by O_PATH and number", path, name);
    snprintf(name, sizeof name, "/proc/self/task/%ld/", syscall(SYS_gettid));
    files("of a thread", AT_FDCWD, name);
    files("with dots", AT_FDCWD, "/proc/../proc/./self//");
    char link[] = "/tmp/proc_reachedXXXXXX";
    close(mkstemp(link));
    unlink(link);
    if (symlink("/proc/self", link))
        perror("symlink");
    snprintf(name, sizeof name, "%s/", link);
    files("through a link", AT_FDCWD, name);
    unlink(link);
    if (chdir("/proc/self"))
        perror("chdir");
    files("relative", AT_FDCWD, "");
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS};
    snprintf(name, sizeof name, "%d/maps", getpid());
    check("openat2 without links", strstr(slurp(syscall(SYS_openat2, path, name, &how, sizeof how)), exe) != 0);
    how.resolve = RESOLVE_BENEATH;
    check("openat2 beneath", strstr(slurp(syscall(SYS_openat2, dir, "maps", &how, sizeof how)), exe) != 0);
    how.resolve = RESOLVE_NO_MAGICLINKS;
    check("openat2 refuses the magic link",
          syscall(SYS_openat2, dir, "exe", &how, sizeof how) == -1 && errno == ELOOP);
    int held = open("/proc/self/maps", O_PATH);
    snprintf(name, sizeof name, "/proc/self/fd/%d", held);
    check("reopened from O_PATH", strstr(slurp(open(name, O_RDONLY)), exe) != 0);
}

static void descriptors(void) {
    char name[64], link[4096], expected[64];
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), plain = open("/proc/version", O_RDONLY);
    struct stat it, kernels;
    struct statfs system;
    check("size, mode, device", !fstat(fd, &it) && !fstat(plain, &kernels) && !it.st_size && !it.st_blocks &&
                                    it.st_mode == (S_IFREG | 0444) && it.st_dev == kernels.st_dev);
    struct statx extended;
    check("statx", !statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended) && !extended.stx_size &&
                       extended.stx_mode == (S_IFREG | 0444));
    check("file system", !fstatfs(fd, &system) && system.f_type == 0x9fa0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    snprintf(expected, sizeof expected, "/proc/%d/maps", getpid());
    check("name", !strcmp(link, expected));
    check("name, cut", readlink(name, link, 7) == 7 && !strncmp(link, "/proc/", 6));
    check("stat by its link", !stat(name, &it) && !it.st_size && it.st_dev == kernels.st_dev);
    check("flags", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    check("no writing", write(fd, "x", 1) == -1 && errno == EBADF);
    char *text = slurp(dup(fd));
    check("not there before", !strstr(text, "2000000000-2000001000 "));
    mmap((void *)0x2000000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    lseek(fd, 0, SEEK_SET);
    check("fresh after lseek", strstr(slurp(dup(fd)), "2000000000-2000001000 r--p") != 0);
    munmap((void *)0x2000000000, 4096);
    static char start[1 << 16];
    n = pread(fd, start, sizeof start - 1, 0);
    start[n > 0 ? n : 0] = 0;
    check("fresh by pread", n > 0 && !strstr(start, "2000000000-2000001000 "));
    int status = open("/proc/self/auxv", O_RDONLY);
    check("mode of auxv", !fstat(status, &it) && it.st_mode == (S_IFREG | 0400));
    close(status);
    // A child and the next program read what they are given.
    lseek(fd, 0, SEEK_SET);
    int pipes[2];
    if (pipe(pipes))
        perror("pipe");
    if (!fork()) {
        dup2(fd, 0);
        dup2(pipes[1], 1);
        execl("/proc/self/exe", "again", "copy", (char *)0);
        _exit(127);
    }
    close(pipes[1]);
    check("read by the next program", strstr(slurp(pipes[0]), exe) != 0);
    wait(0);
}

static void flags(void) {
    int directory = open("/tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", directory);
    char *line = strstr(slurp(open(name, O_RDONLY)), "flags:\t");
    long shown = line ? strtol(line + 7, 0, 8) : -1;
    check("flags in fdinfo", shown == (fcntl(directory, F_GETFL) | O_CLOEXEC) && shown & O_DIRECTORY && shown & O_NOFOLLOW);
}

static void others(void) {
    int pipes[2], back[2];
    if (pipe(pipes) || pipe(back))
        perror("pipe");
    pid_t child = fork();
    if (!child) {
        // The stack's strings follow each other: a title over the first arguments, no longer than those.
        char byte;
        prctl(PR_SET_NAME, "other");
        if (write(back[1], "x", 1) != 1 || read(pipes[0], &byte, 1) != 1)
            _exit(1);
        size_t len = strlen(arguments[0]) + 1 + strlen("shown") + 1;
        memset(arguments[0], 'T', len);
        if (write(back[1], "x", 1) != 1 || read(pipes[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    char byte, prefix[64], name[80];
    if (read(back[0], &byte, 1) != 1)
        perror("read");
    snprintf(prefix, sizeof prefix, "/proc/%d/", child);
    files("of a child", AT_FDCWD, prefix);
    snprintf(prefix, sizeof prefix, "/proc/%d/task/%d/", child, child);
    files("of a child's thread", AT_FDCWD, prefix);
    snprintf(name, sizeof name, "/proc/%d/comm", child);
    check("comm of a child", !strcmp(slurp(open(name, O_RDONLY)), "other\n"));
    if (write(pipes[1], "x", 1) != 1 || read(back[0], &byte, 1) != 1)
        perror("pipe");
    snprintf(name, sizeof name, "/proc/%d/cmdline", child);
    char *text = slurp(open(name, O_RDONLY));
    size_t titled = strspn(text, "T");
    check("title of a child", titled == strlen(arguments[0]) + 1 + strlen("shown") + 1 && !strncmp(text + titled, "ONE=1", 5));
    if (write(pipes[1], "x", 1) != 1)
        perror("pipe");
    wait(0);
}

int main(int argc, char **argv) {
    arguments = argv;
    if (argc > 1 && !strcmp(argv[1], "copy")) {
        char buffer[4096];
        for (ssize_t n; (n = read(0, buffer, sizeof buffer)) > 0;)
            if (write(1, buffer, n) != n)
                return 1;
        return 0;
    }
    if (argc == 1) {
        // Known arguments and environment.
        char *const args[] = {"proc_reached", "shown", 0}, *const env[] = {"ONE=1", "TWO=2", 0};
        execve("/proc/self/exe", args, env);
        return 127;
    }
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    check("the program's name", strstr(exe, "proc_reached") != 0);
    own();
    descriptors();
    flags();
    others();
    return 0;
}
