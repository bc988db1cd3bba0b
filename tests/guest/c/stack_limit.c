/* The stack follows RLIMIT_STACK as it is at the moment: raised, lowered, unlimited, before and after execve; and what is
 * done to memory that it, or another area that grows down, has grown into. */
#define _GNU_SOURCE
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)

static long __attribute__((noinline)) recurse(long bytes)
{
    volatile char frame[2000];
    frame[0] = (char)bytes;
    return bytes > 0 ? recurse(bytes - 2048) + frame[0] : 0;
}

static void limit(unsigned long soft)
{
    struct rlimit now;
    CHECK(getrlimit(RLIMIT_STACK, &now) == 0);
    now.rlim_cur = soft;
    CHECK(setrlimit(RLIMIT_STACK, &now) == 0);
}

static const struct {
    const char *what;
    unsigned long limit;
    int exec, signal;
    unsigned long depth;
} cases[] = {
    {"as it is", 8 * MIB, 0, 0, 6 * MIB},
    {"too deep", 8 * MIB, 0, SIGSEGV, 12 * MIB},
    {"raised", 64 * MIB, 0, 0, 40 * MIB},
    {"unlimited", RLIM_INFINITY, 0, 0, 100 * MIB},
    {"lowered", MIB, 0, SIGSEGV, 6 * MIB},
    {"unlimited before execve", RLIM_INFINITY, 1, 0, 200 * MIB},
    {"256 MiB before execve", 256 * MIB, 1, 0, 200 * MIB},
    {"lowered before execve", MIB, 1, SIGSEGV, 6 * MIB},
    {"lowered before execve, but enough", 2 * MIB, 1, 0, MIB},
};

static void end_of(unsigned n, char **argv)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* No message of a core, whoever writes it. */
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL);
        fclose(stderr);
        close(2);
        limit(cases[n].limit);
        if (cases[n].exec) {
            char depth[32];
            snprintf(depth, sizeof depth, "%lu", cases[n].depth);
            execl("/proc/self/exe", argv[0], depth, NULL);
            _exit(9);
        }
        recurse((long)cases[n].depth);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s: signal %d\n", cases[n].what, WTERMSIG(status));
    else
        printf("%s: status %d\n", cases[n].what, WEXITSTATUS(status));
    CHECK(cases[n].signal == (WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

static sigjmp_buf faulted;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(faulted, 1);
}

static int can_write(char *at)
{
    if (sigsetjmp(faulted, 1))
        return 0;
    *(volatile char *)at = 1;
    return 1;
}

/* The area of /proc/self/maps that contains the address. */
static int area(char *at, unsigned long *start, unsigned long *end)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int found = 0;
    while (!found && fgets(line, sizeof line, maps))
        found = sscanf(line, "%lx-%lx", start, end) == 2 && *start <= (uintptr_t)at && (uintptr_t)at < *end;
    fclose(maps);
    return found;
}

static void growing_area(void)
{
    /* Room below, then the area at its top. */
    char *room = mmap(NULL, 16 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(munmap(room, 16 * MIB) == 0);
    char *top = room + 16 * MIB;
    char *at = mmap(top - 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(at == top - 4 * PAGE);
    unsigned long start, end;
    for (char *page = at; page > top - 100 * PAGE; page -= PAGE)
        CHECK(can_write(page - 8));
    CHECK(area(at, &start, &end) && start == (uintptr_t)top - 100 * PAGE && end == (uintptr_t)top);
    CHECK(area((char *)start, &start, &end));
    /* A hole in what has grown, with nothing left in it. */
    CHECK(munmap(top - 60 * PAGE, 10 * PAGE) == 0);
    CHECK(!area(top - 55 * PAGE, &start, &end));
    char *mapped = mmap(top - 60 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(mapped == top - 60 * PAGE && !can_write(mapped));
    CHECK(munmap(mapped, PAGE) == 0);
    /* Protection and advice reach it; so does moving. */
    CHECK(mprotect(top - 100 * PAGE, 10 * PAGE, PROT_READ) == 0);
    CHECK(!can_write(top - 95 * PAGE) && can_write(top - 85 * PAGE));
    CHECK(madvise(top - 80 * PAGE, 10 * PAGE, MADV_DONTNEED) == 0 && top[-71L * (long)PAGE] == 0);
    FAILS(madvise(top - 120 * PAGE, 40 * PAGE, MADV_NORMAL), ENOMEM);
    CHECK(munmap(top - 16 * MIB + PAGE, 16 * MIB - PAGE) == 0);
    CHECK(!area(top - PAGE, &start, &end));
}

/* Code on the stack, far down: it needs a trampoline. */
static int __attribute__((noinline)) apply(int (*function)(int), int value)
{
    return function(value);
}

static int __attribute__((noinline)) deep_code(int depth, int value)
{
    volatile char frame[4000];
    frame[depth & 1] = 1;
    int add(int more) { return value + more + frame[depth & 1]; }
    return depth ? deep_code(depth - 1, value) + frame[0] - frame[0] : apply(add, 1);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        recurse(atol(argv[1]));
        return 0;
    }
    limit(8 * MIB);
    for (unsigned n = 0; n < sizeof cases / sizeof *cases; n++)
        end_of(n, argv);
    static char alternate[65536];
    sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
    sigaction(SIGSEGV, &(struct sigaction){.sa_handler = on_fault, .sa_flags = SA_ONSTACK}, NULL);
    growing_area();
    CHECK(deep_code(500, 40) == 42);
    unsigned long start, end;
    char here;
    CHECK(area(&here, &start, &end) && end - start >= 500 * 4000);
    DONE();
}
