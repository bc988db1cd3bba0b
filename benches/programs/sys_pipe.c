/* Small writes and reads through a pipe in one process. */
#include "bench.h"
#include <unistd.h>

int main(void)
{
    int fd[2];
    char buffer[64] = {0};
    uint64_t sum = 0;
    if (pipe(fd))
        return 1;
    for (int i = 0; i < 500000; i++) {
        buffer[i & 63]++;
        if (write(fd[1], buffer, sizeof buffer) != sizeof buffer || read(fd[0], buffer, sizeof buffer) != sizeof buffer)
            return 1;
        sum = bench_mix(sum, (uint8_t)buffer[(i * 7) & 63]);
    }
    return bench_report("sys_pipe", sum);
}
