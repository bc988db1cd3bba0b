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
    printf("writev %zd, pwrite %zd\n", writev(fd, parts, 2), pwrite(fd, "W", 1, 6));
    printf("fstat %d: size %lld, mode %o, links %u\n", fstat(fd, &st), (long long)st.st_size, st.st_mode & 0777,
           (unsigned)st.st_nlink);
    printf("lseek %lld, ftruncate %d\n", (long long)lseek(fd, -6, SEEK_END), ftruncate(fd, 8));
    char text[32] = {0};
    printf("read %zd '%s'\n", read(fd, text, sizeof text), text);
    printf("flags %o\n", fcntl(fd, F_GETFL) & O_ACCMODE);
    printf("descriptor flags %d\n", fcntl(fd, F_GETFD));
    close(fd);
    printf("directory as file: %d %s\n", open("file", O_DIRECTORY), strerror(errno));
    printf("exclusive: %d %s\n", open("file", O_CREAT | O_EXCL, 0600), strerror(errno));
    printf("symlink %d, nofollow: %d %s\n", symlink("file", "link"), open("link", O_NOFOLLOW), strerror(errno));
    printf("fstatat: %d, same inode %d\n", fstatat(AT_FDCWD, "link", &at, 0), at.st_ino == st.st_ino);
    printf("readlink %zd %.4s\n", readlink("link", text, sizeof text), text);
    struct timespec times[2] = {{1000000000, 5}, {1234567890, 123456789}};
    printf("utimensat %d\n", utimensat(AT_FDCWD, "file", times, 0));
    stat("file", &st);
    printf("mtime %lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    printf("mkdir %d, rename %d\n", mkdir("dir", 0755), rename("file", "dir/renamed"));
    DIR *dir = opendir("dir");
    int entries = 0;
    for (struct dirent *e; (e = readdir(dir));)
        entries += strcmp(e->d_name, "renamed") == 0 ? 100 : 1;
    printf("entries %d\n", entries);
    closedir(dir);
    struct statfs fs;
    printf("statfs %d, block size set %d\n", statfs(".", &fs), fs.f_bsize > 0);
    struct statx x;
    printf("statx %d, size %llu\n", statx(AT_FDCWD, "dir/renamed", 0, STATX_BASIC_STATS, &x),
           (unsigned long long)x.stx_size);
    int temporary = open("dir", O_TMPFILE | O_RDWR, 0600);
    printf("O_TMPFILE %d\n", temporary >= 0 || errno == EOPNOTSUPP);
    printf("rmdir %d %s\n", rmdir("dir"), strerror(errno));
    printf("unlink %d %d %d\n", unlink("dir/renamed"), unlink("link"), rmdir("dir"));
    return 0;
}
