/* Open flags, descriptors' flags, the stat family, links and directories. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

static void open_flags(void)
{
    int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(dir >= 0);
    CHECK((fcntl(dir, F_GETFL) & O_DIRECTORY) != 0);
    CHECK(fcntl(dir, F_GETFD) == FD_CLOEXEC);
    int file = openat(dir, "file", O_RDWR | O_CREAT | O_TRUNC, 0640);
    CHECK(file >= 0);
    CHECK((fcntl(file, F_GETFL) & (O_ACCMODE | O_DIRECTORY | O_NOFOLLOW | O_DIRECT)) == O_RDWR);
    FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK(symlink("file", "link") == 0);
    FAILS(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    int path = open("link", O_PATH | O_NOFOLLOW);
    CHECK(path >= 0 && (fcntl(path, F_GETFL) & O_PATH));
    FAILS(open("absent", O_RDONLY), ENOENT);
    FAILS(open("file", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK(fcntl(file, F_SETFL, O_APPEND | O_NONBLOCK) == 0);
    CHECK((fcntl(file, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
    int tmp = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK(tmp >= 0 || errno == EOPNOTSUPP);
    struct stat st;
    if (tmp >= 0)
        CHECK(fstat(tmp, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0);
    struct open_how how = { .flags = O_RDONLY | O_DIRECTORY, .resolve = RESOLVE_BENEATH };
    int beneath = syscall(SYS_openat2, dir, ".", &how, sizeof how);
    if (beneath >= 0 || errno != ENOSYS) {
        CHECK(beneath >= 0);
        FAILS(syscall(SYS_openat2, dir, "..", &how, sizeof how), EXDEV);
        how.flags = O_RDONLY | O_NOFOLLOW;
        FAILS(syscall(SYS_openat2, dir, "link", &how, sizeof how), ELOOP);
        FAILS(syscall(SYS_openat2, dir, "file", &how, 8L), EINVAL);
    }
    int pipes[2];
    CHECK(pipe2(pipes, O_DIRECT | O_NONBLOCK) == 0);
    CHECK((fcntl(pipes[1], F_GETFL) & (O_DIRECT | O_NONBLOCK)) == (O_DIRECT | O_NONBLOCK));
    CHECK(write(pipes[1], "one", 3) == 3 && write(pipes[1], "two", 3) == 3);
    char packet[16];
    CHECK(read(pipes[0], packet, sizeof packet) == 3); /* packet mode */
}

static void stats(void)
{
    struct stat by_name, by_fd, link;
    int fd = open("file", O_RDWR);
    CHECK(write(fd, "hello", 5) == 5);
    CHECK(fchmod(fd, 0604) == 0);
    CHECK(fstat(fd, &by_fd) == 0 && stat("file", &by_name) == 0);
    CHECK(by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev);
    CHECK(by_name.st_size == 5 && by_name.st_mode == (S_IFREG | 0604) && by_name.st_nlink == 1);
    CHECK(by_name.st_uid == geteuid() && by_name.st_blksize >= 512 && by_name.st_rdev == 0);
    CHECK(lstat("link", &link) == 0 && S_ISLNK(link.st_mode) && link.st_size == 4);
    CHECK(stat("/dev/null", &by_name) == 0 && S_ISCHR(by_name.st_mode) && by_name.st_rdev == makedev(1, 3));
    struct timespec times[2] = { { 1000000000, 123456789 }, { 1234567890, 987654321 } };
    CHECK(futimens(fd, times) == 0 && fstat(fd, &by_fd) == 0);
    CHECK(by_fd.st_atim.tv_sec == 1000000000 && by_fd.st_atim.tv_nsec == 123456789);
    CHECK(by_fd.st_mtim.tv_sec == 1234567890 && by_fd.st_mtim.tv_nsec == 987654321);
    struct statx x;
    CHECK(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &x) == 0);
    CHECK(x.stx_size == 5 && x.stx_ino == by_fd.st_ino && x.stx_mtime.tv_nsec == 987654321);
    CHECK(fstatat(fd, "", &by_name, AT_EMPTY_PATH) == 0 && by_name.st_ino == by_fd.st_ino);
    struct statfs fs;
    CHECK(statfs("/proc/self", &fs) != 0 || fs.f_type != 0);
    CHECK(fstatfs(fd, &fs) == 0 && fs.f_namelen >= 200);
    FAILS(stat("file", (struct stat *)8), EFAULT);
    FAILS(stat((char *)8, &by_name), EFAULT);
    FAILS(fstat(-1, &by_name), EBADF);
    FAILS(stat("file/x", &by_name), ENOTDIR);
    close(fd);
}

static void links_and_directories(void)
{
    char target[16];
    memset(target, '#', sizeof target);
    CHECK(readlink("link", target, sizeof target) == 4 && memcmp(target, "file#", 5) == 0);
    CHECK(readlink("link", target, 2) == 2);
    FAILS(readlink("file", target, sizeof target), EINVAL);
    FAILS(readlink("link", target, 0), EINVAL);
    CHECK(access("file", R_OK) == 0 && access("link", F_OK) == 0);
    FAILS(access("absent", F_OK), ENOENT);
    CHECK(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(mkdir("sub", 0700) == 0 && rename("file", "sub/moved") == 0);
    DIR *dir = opendir("sub");
    int entries = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        entries += strcmp(entry->d_name, "moved") == 0;
    closedir(dir);
    CHECK(entries == 1);
    FAILS(rmdir("sub"), ENOTEMPTY);
    CHECK(unlink("sub/moved") == 0 && rmdir("sub") == 0 && unlink("link") == 0);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 4 };
    int fd = open("locked", O_RDWR | O_CREAT, 0600);
    CHECK(fcntl(fd, F_SETLK, &lock) == 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
    CHECK(unlink("locked") == 0);
}

int main(void)
{
    char dir[] = "/tmp/raemu-files-XXXXXX";
    CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
    open_flags();
    stats();
    links_and_directories();
    CHECK(rmdir(dir) == 0);
    struct utsname names;
    CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0);
#ifdef __aarch64__
    CHECK(strcmp(names.machine, "aarch64") == 0);
#endif
    DONE();
}
