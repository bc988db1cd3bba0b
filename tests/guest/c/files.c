/* Files and directories: what differs in layout or number between arm64 and x86-64. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    struct stat st, at;
    int fd = open("file", O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0640);
    struct iovec parts[2] = {{"hello ", 6}, {"world\n", 6}};
    // One call a statement: the order in which arguments are evaluated is the compiler's.
    ssize_t n = writev(fd, parts, 2);
    printf("writev %zd, ", n);
    printf("pwrite %zd\n", pwrite(fd, "W", 1, 6));
    int result = fstat(fd, &st);
    printf("fstat %d: size %lld, mode %o, links %u\n", result, (long long)st.st_size, st.st_mode & 0777,
           (unsigned)st.st_nlink);
    printf("lseek %lld, ", (long long)lseek(fd, -6, SEEK_END));
    printf("ftruncate %d\n", ftruncate(fd, 8));
    char text[32] = {0};
    n = read(fd, text, sizeof text);
    printf("read %zd '%s'\n", n, text);
    printf("flags %o\n", fcntl(fd, F_GETFL) & O_ACCMODE);
    printf("descriptor flags %d\n", fcntl(fd, F_GETFD));
    close(fd);
    result = open("file", O_DIRECTORY);
    printf("directory as file: %d %s\n", result, strerror(errno));
    result = open("file", O_CREAT | O_EXCL, 0600);
    printf("exclusive: %d %s\n", result, strerror(errno));
    printf("symlink %d, ", symlink("file", "link"));
    result = open("link", O_NOFOLLOW);
    printf("nofollow: %d %s\n", result, strerror(errno));
    result = fstatat(AT_FDCWD, "link", &at, 0);
    printf("fstatat: %d, same inode %d\n", result, at.st_ino == st.st_ino);
    n = readlink("link", text, sizeof text);
    printf("readlink %zd %.4s\n", n, text);
    struct timespec times[2] = {{1000000000, 5}, {1234567890, 123456789}};
    printf("utimensat %d\n", utimensat(AT_FDCWD, "file", times, 0));
    stat("file", &st);
    printf("mtime %lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    printf("mkdir %d, ", mkdir("dir", 0755));
    printf("rename %d\n", rename("file", "dir/renamed"));
    DIR *dir = opendir("dir");
    int entries = 0;
    for (struct dirent *e; (e = readdir(dir));)
        entries += strcmp(e->d_name, "renamed") == 0 ? 100 : 1;
    printf("entries %d\n", entries);
    closedir(dir);
    struct statfs fs;
    result = statfs(".", &fs);
    printf("statfs %d, block size set %d\n", result, fs.f_bsize > 0);
    struct statx x;
    result = statx(AT_FDCWD, "dir/renamed", 0, STATX_BASIC_STATS, &x);
    printf("statx %d, size %llu\n", result, (unsigned long long)x.stx_size);
    int temporary = open("dir", O_TMPFILE | O_RDWR, 0600);
    printf("O_TMPFILE %d\n", temporary >= 0 || errno == EOPNOTSUPP);
    result = rmdir("dir");
    printf("rmdir %d %s\n", result, strerror(errno));
    printf("unlink %d", unlink("dir/renamed"));
    printf(" %d", unlink("link"));
    printf(" %d\n", rmdir("dir"));
    return 0;
}
