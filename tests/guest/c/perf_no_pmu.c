/* perf_event_open(2) on a machine without a PMU: its events are not there, and what would sample code is refused. */
#define _GNU_SOURCE
#include "check.h"
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int event(struct perf_event_attr attr)
{
    attr.size = sizeof attr;
    attr.exclude_kernel = attr.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static volatile long watched;

int main(void)
{
    FAILS(event((struct perf_event_attr){.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES}), ENOENT);
    FAILS(event((struct perf_event_attr){.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_INSTRUCTIONS}), ENOENT);
    FAILS(event((struct perf_event_attr){.type = PERF_TYPE_HW_CACHE}), ENOENT);
    FAILS(event((struct perf_event_attr){.type = PERF_TYPE_RAW, .config = 0x11}), ENOENT);
    struct perf_event_attr clock = {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .sample_type = PERF_SAMPLE_IP};
    int fd = event(clock);
    CHECK(fd >= 0);
    close(fd);
    clock.sample_period = 100000;
    FAILS(event(clock), EOPNOTSUPP);
    clock.sample_type = PERF_SAMPLE_CALLCHAIN;
    FAILS(event(clock), EOPNOTSUPP);
    clock.sample_type = PERF_SAMPLE_REGS_USER;
    clock.sample_regs_user = 1;
    FAILS(event(clock), ENOSYS);
    FAILS(event((struct perf_event_attr){.type = PERF_TYPE_BREAKPOINT, .bp_type = HW_BREAKPOINT_X, .bp_addr = (uintptr_t)main, .bp_len = sizeof(long)}), ENOSPC);
    /* A watchpoint counts, where the machine has registers for it. */
    fd = event((struct perf_event_attr){.type = PERF_TYPE_BREAKPOINT, .bp_type = HW_BREAKPOINT_W, .bp_addr = (uintptr_t)&watched, .bp_len = sizeof watched});
    if (fd >= 0) {
        uint64_t count = 0;
        for (int i = 0; i < 10; i++)
            watched = i;
        CHECK(read(fd, &count, sizeof count) == sizeof count && count == 10);
        close(fd);
    }
    DONE();
}
