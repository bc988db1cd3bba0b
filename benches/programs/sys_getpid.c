/* The cheapest system call in a loop. */
#include "bench.h"
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    uint64_t same = 0;
    long pid = getpid();
    for (int i = 0; i < 2000000; i++)
        same += syscall(SYS_getpid) == pid;
    return bench_report("sys_getpid", same);
}
