// What identifies the CPU agrees wherever it is read: MRS, /proc/cpuinfo, and the files below /sys.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define CPU0 "/sys/devices/system/cpu/cpu0"

static char text[1 << 16];

static int slurp(int fd) {
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    return fd;
}

static unsigned long field(const char *name) {
    char *line = strstr(text, name);
    line = line ? strchr(line, ':') : 0;
    return line ? strtoul(line + 1, 0, 0) : -1;
}

static void check(const char *what, int good) {
    printf("%-36s %s\n", what, good ? "ok" : "WRONG");
}

int main(void) {
    unsigned long midr, revidr;
    char expected[32];
    struct stat it;
    struct statfs system;
    asm("mrs %0, midr_el1" : "=r"(midr));
    asm("mrs %0, revidr_el1" : "=r"(revidr));
    close(slurp(open("/proc/cpuinfo", O_RDONLY)));
    check("cpuinfo", field("CPU implementer") == (midr >> 24 & 0xff) && field("CPU part") == (midr >> 4 & 0xfff) &&
                         field("CPU variant") == (midr >> 20 & 15) && field("CPU revision") == (midr & 15));
    snprintf(expected, sizeof expected, "0x%016lx\n", midr);
    int fd = slurp(open(CPU0 "/regs/identification/midr_el1", O_RDONLY));
    check("midr_el1", !strcmp(text, expected));
    check("descriptor of midr_el1", !fstat(fd, &it) && it.st_mode == (S_IFREG | 0444) && it.st_size == 4096);
    check("its file system", !fstatfs(fd, &system) && system.f_type == 0x62656572);
    close(fd);
    check("stat and access",
          !stat(CPU0 "/regs/identification/midr_el1", &it) && it.st_mode == (S_IFREG | 0444) && !access(CPU0 "/regs/identification/midr_el1", R_OK));
    int cpus = open("/sys/devices/system/cpu", O_PATH | O_DIRECTORY);
    close(slurp(openat(cpus, "cpu0/regs/identification/midr_el1", O_RDONLY)));
    check("by a directory", !strcmp(text, expected));
    close(slurp(open("/sys/bus/cpu/devices/cpu0/regs/identification/midr_el1", O_RDONLY)));
    check("through a link", !strcmp(text, expected));
    snprintf(expected, sizeof expected, "0x%016lx\n", revidr);
    close(slurp(open(CPU0 "/regs/identification/revidr_el1", O_RDONLY)));
    check("revidr_el1", !strcmp(text, expected));
    check("a CPU that is not there", open("/sys/devices/system/cpu/cpu99999/regs/identification/midr_el1", O_RDONLY) == -1 && errno == ENOENT);
    check("elsewhere", open("/tmp/regs/identification/midr_el1", O_RDONLY) == -1 && errno == ENOENT);
    // Libraries choose their routines by the names that they know.
    check("a maker that is known", midr >> 24 == 0x41);
    return 0;
}
