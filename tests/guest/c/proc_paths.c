// Every call that follows a path finds the program behind /proc/self/exe and behind another guest's link, and none
// follows it that does not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char directory[] = "/tmp/proc_pathsXXXXXX", copy[64];

static void check(const char *what, int good) {
    printf("%-36s %s\n", what, good ? "ok" : "WRONG");
}

static char *in(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int same(int fd, const char *path) {
    struct stat of_fd, of_path;
    int good = fd >= 0 && !fstat(fd, &of_fd) && !stat(path, &of_path) && of_fd.st_dev == of_path.st_dev &&
               of_fd.st_ino == of_path.st_ino;
    if (fd >= 0)
        close(fd);
    return good;
}

static void write_file(const char *name, const char *text) {
    int fd = open(name, O_WRONLY);
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        perror(name);
    close(fd);
}

// The calls that need no privileges, by an absolute path and by a directory's descriptor.
static void files(int dir, const char *name, const char *path) {
    struct stat before, after, link;
    char value[16] = "";
    stat(copy, &before);
    check("linkat follows", !linkat(dir, name, AT_FDCWD, in("hard"), AT_SYMLINK_FOLLOW) && same(open(in("hard"), O_PATH), copy));
    unlink(in("hard"));
    check("linkat keeps", linkat(dir, name, AT_FDCWD, in("soft"), 0) < 0);
    check("fchmodat", !fchmodat(dir, name, 0751, 0) && !stat(copy, &after) && (after.st_mode & 07777) == 0751);
    check("fchownat", !fchownat(dir, name, getuid(), getgid(), 0));
    struct timespec times[2] = {{1000000, 5}, {2000000, 7}};
    check("utimensat", !utimensat(dir, name, times, 0) && !stat(copy, &after) && after.st_mtim.tv_sec == 2000000);
    utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
    fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW);
    check("the link itself", S_ISLNK(link.st_mode));
    setxattr(copy, "user.name", "guest", 5, 0);
    if (getxattr(copy, "user.name", value, sizeof value) == 5) {
        memset(value, 0, sizeof value);
        check("getxattr", getxattr(path, "user.name", value, sizeof value) == 5 && !strcmp(value, "guest"));
        check("setxattr", !setxattr(path, "user.name", "other", 5, 0) && getxattr(copy, "user.name", value, sizeof value) == 5 &&
                              !strcmp(value, "other"));
        check("listxattr", listxattr(path, NULL, 0) == listxattr(copy, NULL, 0));
        check("removexattr", !removexattr(path, "user.name") && getxattr(copy, "user.name", value, sizeof value) < 0);
    } else {
        // A file system without them refuses them all.
        check("getxattr", getxattr(path, "user.name", value, sizeof value) < 0);
        check("setxattr", setxattr(path, "user.name", "other", 5, 0) < 0);
        check("listxattr", listxattr(path, NULL, 0) == listxattr(copy, NULL, 0));
        check("removexattr", removexattr(path, "user.name") < 0);
    }
    struct {
        struct file_handle head;
        char bytes[128];
    } by_link = {.head.handle_bytes = 128}, by_name = {.head.handle_bytes = 128};
    int id[2];
    int linked = name_to_handle_at(dir, name, &by_link.head, &id[0], AT_SYMLINK_FOLLOW);
    int named = name_to_handle_at(AT_FDCWD, copy, &by_name.head, &id[1], 0);
    check("name_to_handle_at", linked == named && (named || !memcmp(by_link.bytes, by_name.bytes, by_name.head.handle_bytes)));
    struct statfs by, is;
    check("statfs", !statfs(path, &by) && !statfs(copy, &is) && by.f_type == is.f_type && by.f_blocks == is.f_blocks);
    int watch = inotify_init1(IN_NONBLOCK);
    struct inotify_event event;
    check("inotify_add_watch", inotify_add_watch(watch, path, IN_ATTRIB) > 0 && !chmod(copy, 0755) &&
                                   read(watch, &event, sizeof event) == sizeof event && event.mask == IN_ATTRIB);
    close(watch);
    check("truncate", truncate(path, 1) < 0 && errno == ETXTBSY);
    check("chdir", chdir(path) < 0 && errno == ENOTDIR);
}

// In a user and a mount namespace of its own, by a program that was executed there: others' mounts are refused.
static void namespaces(void) {
    char map[32];
    unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) {
        // Not every system gives them to everybody.
        check("mount", 1);
        check("open_tree, move_mount", 1);
        check("mount over", 1);
        return;
    }
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
    execl(copy, copy, directory, "mounts", NULL);
}

static void mounts(void) {
    close(open(in("target"), O_CREAT | O_WRONLY, 0600));
    check("mount", !mount("/proc/self/exe", in("target"), "", MS_BIND, NULL) && same(open(in("target"), O_PATH), copy));
    umount2(in("target"), MNT_DETACH);
    int tree = syscall(428, AT_FDCWD, "/proc/self/exe", 1);
    int good = tree < 0 && errno == ENOSYS;
    if (tree >= 0) {
        struct stat of_tree, of_copy;
        good = !fstat(tree, &of_tree) && !stat(copy, &of_copy) && of_tree.st_ino == of_copy.st_ino &&
               !syscall(429, tree, "", AT_FDCWD, in("target"), 4) && same(open(in("target"), O_PATH), copy);
    }
    umount2(in("target"), MNT_DETACH);
    check("open_tree, move_mount", good);
    close(open(in("over"), O_CREAT | O_WRONLY, 0600));
    char over[128];
    strcpy(over, in("over"));
    check("mount over", !mount(over, "/proc/self/exe", "", MS_BIND, NULL) && same(open(copy, O_PATH), over));
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "sleep")) {
        pause();
        return 0;
    }
    if (argc > 1) {
        strcpy(directory, argv[1]);
        strcpy(copy, argv[0]);
        if (argc > 2) {
            mounts();
            return 0;
        }
        puts("own, absolute");
        files(AT_FDCWD, "/proc/self/exe", "/proc/self/exe");
        puts("own, by a directory");
        files(open("/proc/self", O_RDONLY), "exe", "/proc/thread-self/exe");
        // Another guest, which runs already when its link leads to its own program.
        char name[64], sleeper[128];
        pid_t pid = fork();
        if (!pid)
            execl(copy, copy, "sleep", NULL);
        snprintf(name, sizeof name, "/proc/%d/cmdline", pid);
        for (int tries = 0; tries < 2000; tries++) {
            int fd = open(name, O_RDONLY);
            ssize_t n = read(fd, sleeper, sizeof sleeper);
            close(fd);
            if (n > 6 && !memcmp(sleeper + n - 6, "sleep", 6))
                break;
            usleep(5000);
        }
        snprintf(name, sizeof name, "/proc/%d/exe", pid);
        puts("another's");
        files(AT_FDCWD, name, name);
        kill(pid, SIGKILL);
        wait(NULL);
        puts("mounts");
        fflush(stdout);
        if (!(pid = fork()))
            namespaces();
        waitpid(pid, NULL, 0);
        return 0;
    }
    // A copy, so that what is changed is nobody else's.
    if (!mkdtemp(directory))
        return 1;
    snprintf(copy, sizeof copy, "%s/copy", directory);
    int from = open("/proc/self/exe", O_RDONLY), to = open(copy, O_CREAT | O_WRONLY, 0755);
    static char buf[1 << 16];
    for (ssize_t n; (n = read(from, buf, sizeof buf)) > 0;)
        if (write(to, buf, n) != n)
            return 1;
    close(from);
    close(to);
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        execl(copy, copy, directory, NULL);
        _exit(127);
    }
    int status;
    waitpid(pid, &status, 0);
    for (const char *const *name = (const char *const[]){"copy", "target", "over", "hard", "soft", NULL}; *name; name++)
        unlink(in(*name));
    check("cleaned up", !rmdir(directory) && !status);
    return 0;
}
