/* perf_event_open(2): software events count, and attributes that nobody can mean are refused. What the CPU's own events are
 * differs by machine, and is not tried here. */
#define _GNU_SOURCE
#include "check.h"
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int event(struct perf_event_attr *attr)
{
    if (attr->size == 0)
        attr->size = sizeof *attr;
    attr->exclude_kernel = attr->exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int main(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS, .disabled = 1, .read_format = PERF_FORMAT_ID};
    int fd = event(&attr);
    CHECK(fd >= 0);
    uint64_t values[2] = {0}, id = 0;
    char *pages = mmap(NULL, 64 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(pages, 64 << 12, MADV_NOHUGEPAGE);
    CHECK(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0);
    for (int page = 0; page < 64; page++)
        pages[page << 12] = 1;
    CHECK(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) == 0);
    CHECK(read(fd, values, sizeof values) == sizeof values && values[0] >= 64);
    CHECK(ioctl(fd, PERF_EVENT_IOC_ID, &id) == 0 && id == values[1]);
    FAILS(ioctl(fd, PERF_EVENT_IOC_ID, (void *)8), EFAULT);
    FAILS(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, (void *)8), EFAULT);
    FAILS(ioctl(fd, PERF_EVENT_IOC_SET_BPF, -1), EBADF);
    CHECK(ioctl(fd, PERF_EVENT_IOC_RESET, 0) == 0 && read(fd, values, sizeof values) == sizeof values && values[0] == 0);
    close(fd);
    attr = (struct perf_event_attr){.type = 0x7ffffff0};
    FAILS(event(&attr), ENOENT);
    attr = (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE, .config = 999};
    FAILS(event(&attr), ENOENT);
    attr = (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE, .size = 8};
    FAILS(event(&attr), E2BIG);
    CHECK(attr.size >= 64);
    attr = (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .sample_type = PERF_SAMPLE_MAX};
    FAILS(event(&attr), EINVAL);
    FAILS(syscall(SYS_perf_event_open, 8, 0, -1, -1, 0), EFAULT);
    /* Samples without addresses of code. */
    attr = (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .sample_period = 1, .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME, .comm = 1, .task = 1};
    fd = event(&attr);
    CHECK(fd >= 0);
    struct perf_event_mmap_page *page = mmap(NULL, 2 << 12, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED && page->data_head == 0);
    close(fd);
    DONE();
}
