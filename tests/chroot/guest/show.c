/* Prints what the variable SHOW asks for, one line each; words of a vector end in NUL. With OUT to that descriptor. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void words(char **vector)
{
    for (; *vector; vector++)
        fwrite(*vector, 1, strlen(*vector) + 1, stdout);
    putchar('\n');
}

static void file(const char *name)
{
    char text[4096];
    int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0)
        printf("%s: %s", name, strerror(errno));
    else
        fwrite(text, 1, n, stdout);
    if (n < 1 || text[n - 1] != '\n')
        putchar('\n');
    if (fd >= 0)
        close(fd);
}

/* What the host's own programs see of this process. */
static void host(const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/%s", getpid(), what);
    fflush(stdout);
    if (fork() == 0) {
        execl("/bin/cat", "cat", name, NULL);
        _exit(127);
    }
    wait(NULL);
    if (strcmp(what, "comm") != 0)
        putchar('\n');
    fflush(stdout);
}

enum { DESCRIPTORS = 4096 };

/* The open descriptors, by fstat(2), by poll(2), and by the names in /proc/self/fd. */
static void descriptors(void)
{
    struct stat status;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (fstat(fd, &status) == 0)
            printf("%d ", fd);
    printf("|");
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        struct pollfd one = {fd, 0, 0};
        if (poll(&one, 1, 0) < 0)
            printf(" %s", strerror(errno));
        else if (!(one.revents & POLLNVAL))
            printf(" %d", fd);
    }
    printf(" |");
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
            printf(" %s", entry->d_name);
    if (dir)
        closedir(dir);
    putchar('\n');
}

/* A filter that refuses uname(2). */
static int refuse_uname(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog whole = {sizeof program / sizeof *program, program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole);
}

static void show(const char *what, char **argv)
{
    char text[4096];
    if (strcmp(what, "argv") == 0)
        words(argv);
    else if (strcmp(what, "env") == 0)
        words(environ);
    else if (strcmp(what, "cmdline") == 0)
        file("/proc/self/cmdline");
    else if (strcmp(what, "host-cmdline") == 0)
        host("cmdline");
    else if (strcmp(what, "host-comm") == 0)
        host("comm");
    else if (strcmp(what, "comm") == 0)
        printf("%s\n", prctl(PR_GET_NAME, text) ? strerror(errno) : text);
    else if (strcmp(what, "exe") == 0) {
        ssize_t n = readlink("/proc/self/exe", text, sizeof text);
        printf("%.*s\n", n < 0 ? 0 : (int)n, text);
    } else if (strcmp(what, "execfn") == 0)
        printf("%s\n", (char *)getauxval(AT_EXECFN));
    else if (strcmp(what, "flags") == 0)
        printf("%lu\n", getauxval(AT_FLAGS));
    else if (strcmp(what, "secure") == 0)
        printf("%lu\n", getauxval(AT_SECURE));
    else if (strcmp(what, "euid") == 0)
        printf("%d %lu\n", geteuid(), getauxval(AT_EUID));
    else if (strcmp(what, "drop") == 0)
        printf("%d\n", seteuid(1000));
    else if (strcmp(what, "fd") == 0)
        printf("%d\n", open("/", O_RDONLY));
    else if (strcmp(what, "descriptors") == 0)
        descriptors();
    else if (strcmp(what, "uname") == 0) {
        struct utsname name;
        if (uname(&name))
            printf("%s\n", strerror(errno));
        else
            printf("%s %s\n", name.machine, name.release);
    } else if (strcmp(what, "filter") == 0) {
        printf("%d\n", refuse_uname());
    } else if (strcmp(what, "no-new-privs") == 0) {
        printf("%d\n", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    } else if (strncmp(what, "root=", 5) == 0) {
        printf("%d\n", chroot(what + 5) || chdir("/"));
    } else if (strcmp(what, "exec") == 0 || strcmp(what, "exec-closed") == 0) {
        /* NEXT: what the child shows; PROGRAM: another program than /show. By a descriptor that is closed on exec? */
        char *child[] = {"child", "b", NULL};
        const char *next = getenv("NEXT");
        fflush(stdout);
        setenv("SHOW", next ? next : "argv", 1);
        unsetenv("NEXT");
        const char *program = getenv("PROGRAM");
        if (strcmp(what, "exec-closed") == 0)
            fexecve(open(program, O_RDONLY | O_CLOEXEC), child, environ);
        else
            execv(program ? program : "/show", child);
        printf("%s\n", strerror(errno));
    } else
        printf("no such thing as %s\n", what);
}

int main(int argc, char **argv)
{
    const char *asked = getenv("SHOW");
    char *list = strdup(asked ? asked : "argv");
    const char *out = getenv("OUT");
    (void)argc;
    if (out && !(stdout = fdopen(atoi(out), "w")))
        return 3;
    for (char *what = strtok(list, ","); what; what = strtok(NULL, ","))
        show(what, argv);
    return 0;
}
