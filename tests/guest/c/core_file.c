/* Core files: when one is left and the flag that says so, for each signal and each way to die of it; and what is in it. The
 * program looks into the file itself, so that the kernel's own can vouch for what is asked here. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL

static void limit(unsigned long bytes)
{
    CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){bytes, RLIM_INFINITY}) == 0);
}

/* The one file in the working directory, removed with its name given; NULL if there is none. */
static char *take_file(char name[256], int remove_it)
{
    DIR *here = opendir(".");
    struct dirent *entry;
    int found = 0;
    while ((entry = readdir(here)))
        if (entry->d_name[0] != '.') {
            snprintf(name, 256, "%s", entry->d_name);
            found++;
            if (remove_it)
                unlink(entry->d_name);
        }
    closedir(here);
    CHECK(found < 2);
    return found ? name : NULL;
}

static void fault(int signal)
{
    switch (signal) {
    case SIGSEGV:
        *(volatile int *)16 = 1;
        break;
#ifdef __aarch64__
    case SIGTRAP:
        __asm__ volatile("brk #1000");
        break;
    case SIGILL:
        __asm__ volatile("udf #0");
        break;
#else
    case SIGTRAP:
        __asm__ volatile("int3");
        break;
    case SIGILL:
        __asm__ volatile("ud2");
        break;
#endif
    case SIGABRT:
        abort();
    }
    raise(signal);
}

static const struct {
    int signal, dumps;
} signals[] = {
    {SIGABRT, 1}, {SIGSEGV, 1}, {SIGBUS, 1},  {SIGILL, 1},  {SIGFPE, 1},  {SIGTRAP, 1}, {SIGQUIT, 1}, {SIGSYS, 1},
    {SIGXCPU, 1}, {SIGXFSZ, 1}, {SIGTERM, 0}, {SIGKILL, 0}, {SIGUSR1, 0}, {SIGALRM, 0}, {SIGPIPE, 0},
};

static void flags(void)
{
    static const unsigned long limits[] = {0, 4095, 4096, RLIM_INFINITY};
    char name[256];
    for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++)
        for (unsigned l = 0; l < 4; l++)
            for (int way = 0; way < 2; way++) {
                fflush(stdout);
                pid_t child = fork();
                if (child == 0) {
                    close(2);
                    limit(limits[l]);
                    way ? fault(signals[n].signal) : (void)kill(getpid(), signals[n].signal);
                    for (;;)
                        pause();
                }
                siginfo_t info;
                int status, dumps = signals[n].dumps && limits[l] >= PAGE;
                CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
                CHECK(waitpid(child, &status, 0) == child);
                int right = WIFSIGNALED(status) && WTERMSIG(status) == signals[n].signal &&
                            !!WCOREDUMP(status) == dumps && info.si_status == signals[n].signal &&
                            info.si_code == (dumps ? CLD_DUMPED : CLD_KILLED);
                CHECK(right);
                CHECK(!!take_file(name, 1) == dumps);
                if (!right)
                    printf("  signal %d, limit %lu, way %d: status %x\n", signals[n].signal, limits[l], way, status);
            }
}

static volatile int ready;
static char *kept, *left_out, *shared;
static pid_t numbers[3];

static void *waiting(void *unused)
{
    (void)unused;
    numbers[1] = gettid();
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        pause();
}

static void *busy(void *unused)
{
    (void)unused;
    numbers[2] = gettid();
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        ready = 2;
}

/* What memory holds at an address, by the file. */
static const char *at(const char *core, const void *address, unsigned long len)
{
    const Elf64_Ehdr *head = (const void *)core;
    const Elf64_Phdr *segment = (const void *)(core + head->e_phoff);
    for (int n = 0; n < head->e_phnum; n++)
        if (segment[n].p_type == PT_LOAD && segment[n].p_vaddr <= (uintptr_t)address &&
            (uintptr_t)address + len <= segment[n].p_vaddr + segment[n].p_filesz)
            return core + segment[n].p_offset + ((uintptr_t)address - segment[n].p_vaddr);
    return NULL;
}

struct status {
    int signo, code, error;
    short cursig;
    unsigned long pending, held;
    pid_t pid, parent, group, session;
};

static void contents(void)
{
    char name[256];
    size_t area = 8 * PAGE;
    struct shared {
        pid_t numbers[3];
    } *told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    kept = mmap(NULL, area, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    left_out = mmap(NULL, area, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, area, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(kept + 5 * PAGE, "what is kept");
    strcpy(left_out, "what is left out");
    strcpy(shared + PAGE, "what is shared");
    CHECK(mprotect(kept, area, PROT_READ) == 0 && madvise(left_out, area, MADV_DONTDUMP) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        limit(RLIM_INFINITY);
        pthread_t thread;
        pthread_create(&thread, NULL, waiting, NULL);
        while (ready != 1)
            ;
        pthread_create(&thread, NULL, busy, NULL);
        while (ready != 2)
            ;
        numbers[0] = gettid();
        memcpy(told->numbers, numbers, sizeof numbers);
        fault(SIGSEGV);
    }
    int status;
    waitpid(child, &status, 0);
    CHECK(WCOREDUMP(status) && take_file(name, 0));
    int file = open(name, O_RDONLY);
    struct stat about;
    CHECK(fstat(file, &about) == 0 && (about.st_mode & 0777) == 0600);
    char *core = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    const Elf64_Ehdr *head = (const void *)core;
    CHECK(memcmp(head->e_ident, ELFMAG, 4) == 0 && head->e_type == ET_CORE);
    CHECK(at(core, kept + 5 * PAGE, 13) && strcmp(at(core, kept + 5 * PAGE, 13), "what is kept") == 0);
    CHECK(at(core, shared + PAGE, 15) && strcmp(at(core, shared + PAGE, 15), "what is shared") == 0);
    CHECK(at(core, left_out, 1) == NULL);
    CHECK(at(core, &told, sizeof told) != NULL);
    /* The notes: the process once, registers of each thread, that which died first. */
    int counts[5] = {0}, threads = 0, found = 0;
    const Elf64_Phdr *segment = (const void *)(core + head->e_phoff);
    CHECK(segment->p_type == PT_NOTE);
    const char *note = core + segment->p_offset, *end = note + segment->p_filesz;
    while (note < end) {
        const Elf64_Nhdr *header = (const void *)note;
        const char *body = note + sizeof *header + ((header->n_namesz + 3) & ~3U);
        counts[0] += header->n_type == NT_PRPSINFO;
        counts[1] += header->n_type == NT_AUXV;
        counts[2] += header->n_type == NT_FILE;
        counts[3] += header->n_type == NT_FPREGSET;
        if (header->n_type == NT_SIGINFO) {
            const siginfo_t *info = (const void *)body;
            counts[4] += info->si_signo == SIGSEGV && info->si_addr == (void *)16;
        }
        if (header->n_type == NT_PRSTATUS) {
            const struct status *of = (const void *)body;
            CHECK(of->cursig == SIGSEGV && of->parent == getpid());
            if (threads++ == 0)
                CHECK(of->pid == told->numbers[0]);
            for (int n = 0; n < 3; n++)
                found |= (of->pid == told->numbers[n]) << n;
        }
        note = body + ((header->n_descsz + 3) & ~3U);
    }
    CHECK(threads == 3 && found == 7);
    CHECK(counts[0] == 1 && counts[1] == 1 && counts[2] == 1 && counts[3] == 3 && counts[4] == 1);
    munmap(core, about.st_size);
    close(file);
    take_file(name, 1);
}

static int dies(void (*before)(void))
{
    char name[256];
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        limit(RLIM_INFINITY);
        before();
        fault(SIGSEGV);
    }
    int status;
    waitpid(child, &status, 0);
    CHECK(WTERMSIG(status) == SIGSEGV && !!take_file(name, 1) == !!WCOREDUMP(status));
    return !!WCOREDUMP(status);
}

static void undumpable(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}

static void elsewhere(void)
{
    CHECK(mkdir(".locked", 0500) == 0 && chdir(".locked") == 0);
    if (getuid() == 0 && (setgid(1234) || setuid(1234)))
        _exit(1);
    prctl(PR_SET_DUMPABLE, 1);
}

static void in_vfork_child(void)
{
    if (vfork() == 0)
        _exit(0);
}

static void limited(void)
{
    limit(64 << 10);
}

int main(void)
{
    char pattern[128] = "", directory[] = "/tmp/core_fileXXXXXX";
    /* A shell's background job inherits it ignored. */
    signal(SIGQUIT, SIG_DFL);
    int file = open("/proc/sys/kernel/core_pattern", O_RDONLY);
    if (read(file, pattern, sizeof pattern - 1) < 0 || pattern[0] == '|' || pattern[0] == '/') {
        puts("ok"); /* the kernel's go elsewhere: nothing to look at */
        return 0;
    }
    CHECK(mkdtemp(directory) && chdir(directory) == 0);
    flags();
    contents();
    CHECK(dies(undumpable) == 0);
    CHECK(dies(elsewhere) == 0);
    CHECK(dies(in_vfork_child) == 1);
    rmdir(".locked");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        limited();
        fault(SIGSEGV);
    }
    int status;
    char name[256];
    struct stat about;
    waitpid(child, &status, 0);
    CHECK(WCOREDUMP(status) && take_file(name, 0) && stat(name, &about) == 0);
    CHECK(about.st_size > 0 && about.st_blocks * 512 <= 68 << 10);
    take_file(name, 1);
    CHECK(rmdir(directory) == 0);
    DONE();
}
