/* prctl(2) PR_SET_MM: where a program's parts lie, as /proc shows it to the program and to others. */
#define _GNU_SOURCE
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SET_MM(...) prctl(PR_SET_MM, __VA_ARGS__)

/* The kernel shows anonymous memory alone. */
static char *strings;
static const char first[] = "a title\0and more\0NAME=value\0OTHER=2";
#define ARGUMENTS 17
#define TITLE 6
static char text[8192];

static int contents(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    int len = fd < 0 ? -1 : (int)read(fd, text, sizeof text - 1);
    text[len > 0 ? len : 0] = 0;
    close(fd);
    return len;
}

/* A field of stat, as proc(5) numbers it. */
static unsigned long field(int number)
{
    contents("/proc/self/stat");
    char *at = strrchr(text, ')') + 2;
    for (int i = 3; i < number; i++)
        at = strchr(at, ' ') + 1;
    return strtoul(at, NULL, 10);
}

static struct prctl_mm_map now(void)
{
    return (struct prctl_mm_map){
        .start_code = field(26), .end_code = field(27), .start_stack = field(28), .start_data = field(45), .end_data = field(46),
        .start_brk = field(47), .brk = (uintptr_t)sbrk(0), .arg_start = field(48), .arg_end = field(49), .env_start = field(50),
        .env_end = field(51), .exe_fd = -1,
    };
}

static void refusals(void)
{
    unsigned size = 0;
    struct prctl_mm_map map = now();
    CHECK(SET_MM(PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0 && size == sizeof map);
    FAILS(SET_MM(PR_SET_MM_MAP_SIZE, 8, 0, 0), EFAULT);
    FAILS(SET_MM(PR_SET_MM_MAP_SIZE, &size, 0, 1), EINVAL);
    FAILS(SET_MM(PR_SET_MM_MAP, &map, sizeof map - 8, 0), EINVAL);
    FAILS(SET_MM(PR_SET_MM_MAP, 8, sizeof map, 0), EFAULT);
    FAILS(SET_MM(PR_SET_MM_ARG_START, map.arg_start, 1, 0), EINVAL);
    struct prctl_mm_map bad = map;
    bad.arg_end = bad.arg_start - 1;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EINVAL);
    bad = map;
    bad.start_code = bad.end_code;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EINVAL);
    bad = map;
    bad.env_end = ~0UL;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EINVAL);
    bad = map;
    bad.start_brk = 8;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EINVAL);
    bad = map;
    bad.auxv_size = 16;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EINVAL);
    bad.auxv = (void *)8;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EFAULT);
    bad.auxv_size = 4096;
    FAILS(SET_MM(PR_SET_MM_MAP, &bad, sizeof bad, 0), EINVAL);
}

/* Seen by another process. */
static void others_see(const char *name, const char *wanted, int len)
{
    char file[64];
    snprintf(file, sizeof file, "/proc/%d/%s", getpid(), name);
    pid_t child = fork();
    if (child == 0)
        _exit(contents(file) == len && memcmp(text, wanted, len) == 0 ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
}

static void whole_map(void)
{
    struct prctl_mm_map map = now(), before = map;
    uint64_t vector[] = {AT_PAGESZ, 4096, AT_UID, 77, AT_NULL, 0};
    map.arg_start = (uintptr_t)strings;
    map.arg_end = map.env_start = (uintptr_t)strings + ARGUMENTS;
    map.env_end = (uintptr_t)strings + sizeof first;
    map.start_stack -= 64;
    map.auxv = (void *)vector;
    map.auxv_size = sizeof vector;
    CHECK(SET_MM(PR_SET_MM_MAP, &map, sizeof map, 0) == 0);
    CHECK(contents("/proc/self/cmdline") == ARGUMENTS && memcmp(text, strings, ARGUMENTS) == 0);
    others_see("cmdline", strings, ARGUMENTS);
    CHECK(contents("/proc/self/environ") == (int)sizeof first - ARGUMENTS && strcmp(text, "NAME=value") == 0);
    others_see("environ", strings + ARGUMENTS, sizeof first - ARGUMENTS);
    CHECK(contents("/proc/self/auxv") >= 48 && memcmp(text, vector, sizeof vector - 16) == 0);
    CHECK(field(28) == before.start_stack - 64 && field(48) == map.arg_start && field(51) == map.env_end);
    CHECK(field(26) == before.start_code && field(47) == before.start_brk);
    strcpy(strings, "other");
    CHECK(contents("/proc/self/cmdline") == ARGUMENTS && strcmp(text, "other") == 0);
    /* The heap goes on from where it is said to be. */
    map.auxv_size = 0;
    map.brk += 4096;
    CHECK(SET_MM(PR_SET_MM_MAP, &map, sizeof map, 0) == 0);
    map.brk -= 4096;
    CHECK(SET_MM(PR_SET_MM_MAP, &map, sizeof map, 0) == 0);
    CHECK((uintptr_t)sbrk(0) == before.brk);
}

static void one_by_one(void)
{
    char *title = strings + 1024;
    strcpy(title, "title");
    struct prctl_mm_map map = now();
    int fd = open("/proc/self/exe", O_RDONLY), ends[2];
    CHECK(pipe(ends) == 0);
    if (SET_MM(PR_SET_MM_ARG_START, map.arg_start, 0, 0) < 0) {
        CHECK(errno == EPERM); /* CAP_SYS_RESOURCE */
        FAILS(SET_MM(PR_SET_MM_EXE_FILE, fd, 0, 0), EPERM);
        FAILS(SET_MM(PR_SET_MM_AUXV, map.arg_start, 16, 0), EPERM);
        return;
    }
    if ((uintptr_t)title < map.arg_end) {
        CHECK(SET_MM(PR_SET_MM_ARG_START, title, 0, 0) == 0 && SET_MM(PR_SET_MM_ARG_END, title + TITLE, 0, 0) == 0);
    } else {
        CHECK(SET_MM(PR_SET_MM_ARG_END, title + TITLE, 0, 0) == 0 && SET_MM(PR_SET_MM_ARG_START, title, 0, 0) == 0);
    }
    CHECK(contents("/proc/self/cmdline") == TITLE && strcmp(text, "title") == 0);
    FAILS(SET_MM(PR_SET_MM_ARG_START, title + TITLE + 1, 0, 0), EINVAL);
    FAILS(SET_MM(PR_SET_MM_ENV_END, 8, 0, 0), EINVAL);
    FAILS(SET_MM(PR_SET_MM_ENV_END, ~0UL, 0, 0), EINVAL);
    FAILS(SET_MM(99, title, 0, 0), EINVAL);
    uint64_t entry[] = {AT_PAGESZ, 16384};
    CHECK(SET_MM(PR_SET_MM_AUXV, entry, sizeof entry, 0) == 0);
    CHECK(contents("/proc/self/auxv") >= 32 && memcmp(text, entry, sizeof entry) == 0 && ((uint64_t *)text)[2] == AT_UID);
    FAILS(SET_MM(PR_SET_MM_AUXV, entry, 65536, 0), EINVAL);
    FAILS(SET_MM(PR_SET_MM_AUXV, 8, 16, 0), EFAULT);
    FAILS(SET_MM(PR_SET_MM_EXE_FILE, fd, 0, 0), EBUSY);
    FAILS(SET_MM(PR_SET_MM_EXE_FILE, ends[0], 0, 0), EACCES);
    FAILS(SET_MM(PR_SET_MM_EXE_FILE, -1, 0, 0), EBADF);
}

int main(void)
{
    strings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(strings, first, sizeof first);
    refusals();
    whole_map();
    one_by_one();
    DONE();
}
