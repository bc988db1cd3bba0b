/* stat, open and close of files that exist and that do not: paths read, structures converted. */
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    uint64_t sum = 0;
    struct stat st;
    for (int i = 0; i < 100000; i++) {
        if (stat("/", &st))
            return 1;
        sum = bench_mix(sum, S_ISDIR(st.st_mode));
        sum = bench_mix(sum, stat("/nowhere/at/all", &st) == -1 && errno == ENOENT);
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) || close(fd))
            return 1;
        sum = bench_mix(sum, S_ISCHR(st.st_mode));
    }
    return bench_report("sys_stat", sum);
}
