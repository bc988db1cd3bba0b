// execve and execveat: what runs and what does not, by path and through descriptors of each kind. A program that
// runs prints its arguments behind argv[0] and its open descriptors above 2.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/memfd.h>

static char elf[1 << 22];
static size_t elf_size;

static int put(int fd, const void *bytes, size_t size) {
    while (size) {
        ssize_t done = write(fd, bytes, size);
        if (done <= 0)
            return perror("write"), 1;
        bytes = (const char *)bytes + done;
        size -= done;
    }
    return 0;
}

static void file(const char *name, const void *bytes, size_t size, mode_t mode) {
    unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0700);
    put(fd, bytes, size);
    fchmod(fd, mode);
    close(fd);
}

static void script(const char *name, const char *text) { file(name, text, strlen(text), 0755); }

static int inner(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        printf("%s%.60s", i > 1 ? " " : "", argv[i]);
    printf(" |");
    for (int fd = 3; fd < 1100; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);
    printf("\n");
    return 0;
}

static char *arguments[] = {"zero", "in", "x", NULL};

// Ways of naming the file `name`.
static int by_path(const char *name) { return execve(name, arguments, environ); }
static int by_directory(const char *name) {
    int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return execveat(dir, name, arguments, environ, 0);
}
static int by_open_directory(const char *name) {
    return execveat(open(".", O_RDONLY | O_DIRECTORY), name, arguments, environ, 0);
}
static int no_follow(const char *name) {
    return execveat(AT_FDCWD, name, arguments, environ, AT_SYMLINK_NOFOLLOW);
}
static int through(int fd) { return execveat(fd, "", arguments, environ, AT_EMPTY_PATH); }
static int opened(const char *name) { return through(open(name, O_RDONLY)); }
static int closed(const char *name) { return through(open(name, O_RDONLY | O_CLOEXEC)); }
static int path_only(const char *name) { return through(open(name, O_PATH)); }
static int path_only_closed(const char *name) { return through(open(name, O_PATH | O_CLOEXEC)); }
static int without_flag(const char *name) {
    return execveat(open(name, O_RDONLY), "", arguments, environ, 0);
}
static int by_link(const char *name) {
    char link[64];
    sprintf(link, "/proc/self/fd/%d", open(name, O_RDONLY));
    return execve(link, arguments, environ);
}
static int in_memory(const char *name, int flags) {
    static char bytes[1 << 22];
    int fd = memfd_create("m", flags), from = open(name, O_RDONLY | O_CLOEXEC);
    put(fd, bytes, read(from, bytes, sizeof bytes));
    close(from);
    return through(fd);
}
static int memory(const char *name) { return in_memory(name, 0); }
static int memory_closed(const char *name) { return in_memory(name, MFD_CLOEXEC); }
static int by_vfork(const char *name) {
    pid_t child = vfork();
    if (child == 0) {
        execveat(open(name, O_PATH | O_CLOEXEC), "", arguments, environ, AT_EMPTY_PATH);
        printf("%s\n", strerrorname_np(errno));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    exit(0);
}
static int long_argument(const char *name) {
    size_t size = 128 << 10;
    char *text = malloc(size + 1);
    memset(text, 'a', size);
    text[size] = 0;
    char *list[] = {"zero", text, NULL};
    return execve(name, list, environ);
}
static int many_arguments(const char *name) {
    enum { COUNT = 1 << 20 };
    char **list = malloc((COUNT + 1) * sizeof *list);
    for (int i = 0; i < COUNT; i++)
        list[i] = "0123456789";
    list[COUNT] = NULL;
    return execve(name, list, environ);
}
static int bad_arguments(const char *name) { return syscall(SYS_execve, name, (char **)8, environ); }
static int unknown_flag(const char *name) {
    return execveat(AT_FDCWD, name, arguments, environ, 0x40);
}

static const struct {
    const char *name;
    int (*run)(const char *);
} WAYS[] = {{"path", by_path},         {"directory", by_directory},   {"open directory", by_open_directory},
            {"no follow", no_follow},  {"descriptor", opened},        {"closed on exec", closed},
            {"O_PATH", path_only},     {"O_PATH closed on exec", path_only_closed},
            {"no AT_EMPTY_PATH", without_flag}, {"link", by_link},    {"memory", memory},
            {"memory closed on exec", memory_closed}, {"vfork", by_vfork}};

static const char *const RUNNABLE[] = {"elf", "script", "script2"};

static const struct {
    const char *what, *name;
    int (*run)(const char *);
} ODD[] = {{"five scripts", "script5", by_path},
           {"six scripts", "script6", by_path},
           {"empty", "empty", by_path},
           {"text", "text", by_path},
           {"directory", "dir", by_path},
           {"pipe", "pipe", by_path},
           {"missing", "missing", by_path},
           {"below a file", "elf/x", by_path},
           {"missing interpreter of a script", "lost", by_path},
           {"script named by itself", "self", by_path},
           {"directory as interpreter", "dirscript", by_path},
           {"no name", "", by_path},
           {"not executable", "plain", by_path},
           {"not executable, opened", "plain", opened},
           {"interpreter not executable", "plainscript", by_path},
           {"other machine", "other", by_path},
           {"object file", "object", by_path},
           {"symbolic link", "link", by_path},
           {"symbolic link, not followed", "link", no_follow},
           {"symbolic link to itself", "loop", by_path},
           {"argument of 128 KiB", "elf", long_argument},
           {"more arguments than fit", "elf", many_arguments},
           {"arguments nowhere", "elf", bad_arguments},
           {"unknown flag", "elf", unknown_flag},
           // The last two: where binfmt_misc is in use, its interpreter is started and complains.
           {"truncated", "short", by_path},
           {"missing ELF interpreter", "dynamic", by_path}};

static void try(const char *what, const char *name, int (*run)(const char *)) {
    printf("%s, %s: ", what, name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run(name);
        printf("%s\n", strerrorname_np(errno));
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status)
        printf("status %x\n", status);
}

static void prepare(void) {
    int self = open("/proc/self/exe", O_RDONLY);
    elf_size = read(self, elf, sizeof elf);
    file("elf", elf, elf_size, 0755);
    file("plain", elf, elf_size, 0644);
    file("short", elf, 63, 0755);
    file("empty", "", 0, 0755);
    script("text", "exit 0\n");
    script("lost", "#!./missing\n");
    script("self", "#!./self\n");
    script("dirscript", "#!./dir\n");
    script("plainscript", "#!./plain\n");
    script("script", "#!./elf in  a b \n");
    for (int level = 2; level <= 6; level++) {
        char name[16], text[64];
        sprintf(name, "script%d", level);
        sprintf(text, "#!./script");
        if (level > 2)
            sprintf(text + strlen(text), "%d", level - 1);
        strcat(text, "\n");
        script(name, text);
    }
    mkdir("dir", 0755);
    mkfifo("pipe", 0755);
    symlink("elf", "link");
    symlink("loop", "loop");
    static const struct {
        const char *name;
        int at;
        char value;
    } CHANGED[] = {{"other", 18, 8}, {"object", 16, 1}};
    for (int i = 0; i < 2; i++) {
        char before = elf[CHANGED[i].at];
        elf[CHANGED[i].at] = CHANGED[i].value;
        file(CHANGED[i].name, elf, elf_size, 0755);
        elf[CHANGED[i].at] = before;
    }
    // A program header becomes PT_INTERP.
    int at = 64 + 56;
    unsigned long where = elf_size, size = 10;
    memcpy(elf + at, "\3\0\0\0\4\0\0\0", 8);
    memcpy(elf + at + 8, &where, 8);
    memcpy(elf + at + 32, &size, 8);
    memcpy(elf + elf_size, "./missing", 10);
    file("dynamic", elf, elf_size + 10, 0755);
    close(self);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return inner(argc, argv);
    close_range(3, ~0U, 0);
    umask(022);
    prepare();
    for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++)
        for (int j = 0; j < 3; j++)
            try(WAYS[i].name, RUNNABLE[j], WAYS[i].run);
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++)
        try(ODD[i].what, ODD[i].name, ODD[i].run);
    return 0;
}
