/* Checkpoint tools move the vDSO: handlers return through it all the same. Where they do not (x86-64 has a restorer of
 * the C library's) the program shows only that moving it does no harm. */
#define _GNU_SOURCE
#include "check.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int handled;

static void on_signal(int signal)
{
    (void)signal;
    handled++;
}

int main(void)
{
    unsigned long vdso = getauxval(AT_SYSINFO_EHDR), start, end, data = 0, data_end = 0, code = 0, code_end = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) {
        sscanf(line, "%lx-%lx", &start, &end);
        if (strstr(line, "[vdso]")) {
            code = start;
            code_end = end;
        } else if (strstr(line, "[vvar")) {
            data = data ? data : start;
            data_end = end;
        }
    }
    CHECK(code == vdso);
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    CHECK(handled == 1);
    /* The data before it, so that the distance stays. */
    unsigned long first = data ? data : code;
    unsigned long to = (unsigned long)mmap(NULL, code_end - first, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int twice = 0; twice < 2; twice++) {
        int move = MREMAP_MAYMOVE | MREMAP_FIXED;
        if (data)
            CHECK(mremap((void *)data, data_end - data, data_end - data, move, (void *)to) == (void *)to || data == to);
        unsigned long at = to + (code - first);
        CHECK(mremap((void *)code, code_end - code, code_end - code, move, (void *)at) == (void *)at);
        raise(SIGUSR1);
        CHECK(handled == 2 + 2 * twice);
        pid_t child = fork();
        if (child == 0) {
            raise(SIGUSR1);
            _exit(handled != 3 + 2 * twice);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK(status == 0);
        handled++;
        if (data)
            break;
        code_end = at + (code_end - code);
        first = code = at;
        to += 1 << 20;
    }
    DONE();
}
