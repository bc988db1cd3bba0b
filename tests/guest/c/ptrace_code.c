/* Code that a tracer writes, by each way, into programs that have run it: while they stand elsewhere, in it, in loops over it,
 * and in several threads; and memory that cannot be written otherwise. */
#include "ptrace.h"

/* int NAME(void): gives a constant. */
#ifdef __aarch64__
#define FUNCTION(name, value) \
    int name(void); \
    asm(".text\n .balign 64\n .globl " #name "\n .type " #name ", %function\n" #name ":\n mov w0, #" #value "\n ret\n .balign 64\n");
#define CONSTANT_AT 0
#define CODE_LEN 4
static uint32_t code_of(int value)
{
    return 0x52800000 | value << 5;
}
#else
#define FUNCTION(name, value) \
    int name(void); \
    asm(".text\n .balign 64\n .globl " #name "\n .type " #name ", %function\n" #name ":\n mov $" #value ", %eax\n ret\n .balign 64\n");
#define CONSTANT_AT 1
#define CODE_LEN 4
static uint32_t code_of(int value)
{
    return value;
}
#endif
FUNCTION(constant, 7)
FUNCTION(unused, 9)

enum way { POKE, VM_WRITEV, MEM, MEM_VECTOR };
static const char *const ways[] = {"PTRACE_POKETEXT", "process_vm_writev", "/proc/PID/mem", "/proc/PID/mem by pwritev"};

static const char *put(enum way way, pid_t pid, char *at, const void *bytes, size_t len)
{
    long word = 0, result = -1;
    char path[64];
    struct iovec local = {(void *)bytes, len}, remote = {at, len};
    switch (way) {
    case POKE:
        pt(PTRACE_PEEKTEXT, pid, (long)at, (long)&word);
        memcpy(&word, bytes, len);
        return answer(pt(PTRACE_POKETEXT, pid, (long)at, word));
    case VM_WRITEV:
        result = process_vm_writev(pid, &local, 1, &remote, 1, 0);
        break;
    case MEM:
    case MEM_VECTOR:
        snprintf(path, sizeof path, "/proc/%d/mem", pid);
        int fd = open(path, O_RDWR);
        result = way == MEM ? pwrite(fd, bytes, len, (off_t)(long)at) : pwritev(fd, &local, 1, (off_t)(long)at);
        int error = errno;
        close(fd);
        errno = error;
        break;
    }
    return result == (long)len ? "0" : answer(result);
}

static const char *put_constant(enum way way, pid_t pid, int (*function)(void), int value)
{
    uint32_t code = code_of(value);
    return put(way, pid, (char *)function + CONSTANT_AT, &code, CODE_LEN);
}

static int (*volatile called)(void) = constant;

/* Runs it often, stops, runs it again. */
static int hot(void)
{
    int sum = 0;
    for (int n = 0; n < 5000; n++)
        sum += called();
    raise(SIGSTOP);
    int after = called();
    for (int n = 0; n < 5000; n++)
        after += called();
    return sum == 35000 && after % 5001 == 0 ? after / 5001 : 99;
}

static int cold(void)
{
    raise(SIGSTOP);
    return unused();
}

static volatile int counts[16];
static volatile int ended;

static int spins(void)
{
    for (;;)
        counts[called() & 15]++;
}

static void *spins_too(void *arg)
{
    spins();
    return NULL;
}

static int threads_spin(void)
{
    pthread_t threads[3];
    for (int n = 0; n < 3; n++)
        pthread_create(&threads[n], NULL, spins_too, NULL);
    while (counts[7] < 1000)
        ;
    raise(SIGSTOP);
    counts[5] = 0;
    while (counts[5] < 1000)
        called();
    /* Each of them may have been within the old code, once. */
    int before = counts[7];
    usleep(20000);
    return counts[7] - before <= 3 ? 3 : 4;
}

static int page[1024] __attribute__((aligned(65536)));
static const long constant_data = 11;
static char *area;

static int maps(void)
{
    raise(SIGSTOP);
    return area[65536] + *(const volatile int *)&constant_data;
}

static void written(void)
{
    for (enum way way = POKE; way <= MEM_VECTOR; way++) {
        printf("# hot code: %s\n", ways[way]);
        pid_t pid = traced(hot);
        resume("stop", PTRACE_CONT, pid, 0);
        /* Text is not writable to the calling process's like. */
        printf("%s\n", put_constant(way, pid, constant, 8));
        resume("end", PTRACE_CONT, pid, 0);
        if (way == VM_WRITEV)
            continue;
        printf("# code that has not run: %s\n", ways[way]);
        pid = traced(cold);
        resume("stop", PTRACE_CONT, pid, 0);
        printf("%s\n", put_constant(way, pid, unused, 12));
        resume("end", PTRACE_CONT, pid, 0);
        printf("# before the first instruction: %s\n", ways[way]);
        pid = traced(cold);
        printf("%s\n", put_constant(way, pid, unused, 13));
        resume("stop", PTRACE_CONT, pid, 0);
        resume("end", PTRACE_CONT, pid, 0);
    }
}

static void while_it_spins(void)
{
    puts("# a loop over it, interrupted");
    pid_t pid = child(spins);
    usleep(30000);
    pt(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL);
    for (int value = 1; value < 6; value++) {
        pt(PTRACE_INTERRUPT, pid, 0, 0);
        next("interrupted", pid);
        put_constant(value & 1 ? POKE : MEM, pid, constant, value);
        pt(PTRACE_CONT, pid, 0, 0);
        usleep(20000);
    }
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("interrupted", pid);
    int seen[16];
    struct iovec to = {seen, sizeof seen}, from = {(void *)counts, sizeof seen};
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    printf("values:");
    for (int n = 0; n < 16; n++)
        if (seen[n])
            printf(" %d", n);
    puts("");
    kill_it(pid);

    puts("# written while it runs");
    pid = child(spins);
    usleep(30000);
    pt(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL);
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("interrupted", pid);
    pt(PTRACE_CONT, pid, 0, 0);
    put_constant(MEM, pid, constant, 3);
    usleep(20000);
    /* It is to be seen after the next stop at the latest. */
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("interrupted", pid);
    memset(seen, 0, sizeof seen);
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    int before = seen[3];
    pt(PTRACE_CONT, pid, 0, 0);
    usleep(20000);
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    next("interrupted", pid);
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    printf("%s\n", seen[3] > before ? "seen" : "not seen");
    kill_it(pid);

    puts("# other threads run it");
    pid = traced(threads_spin);
    resume("stop", PTRACE_CONT, pid, 0);
    put_constant(POKE, pid, constant, 5);
    resume("end", PTRACE_CONT, pid, 0);
}

static void in_it(void)
{
    puts("# the instruction that is next");
    pid_t pid = traced(cold);
    struct regs regs = get_regs(pid);
    PC(regs) = (long)unused;
    set_regs(pid, regs);
    pt(PTRACE_SINGLESTEP, pid, 0, 0);
    int status;
    waitpid(pid, &status, 0);
    printf("%d\n", (int)RESULT(get_regs(pid)));
    PC(regs) = (long)unused;
    set_regs(pid, regs);
    put_constant(POKE, pid, unused, 100);
    pt(PTRACE_SINGLESTEP, pid, 0, 0);
    waitpid(pid, &status, 0);
    printf("%d\n", (int)RESULT(get_regs(pid)));
    PC(regs) = (long)unused;
    set_regs(pid, regs);
    put_constant(MEM, pid, unused, 101);
    pt(PTRACE_SINGLESTEP, pid, 0, 0);
    waitpid(pid, &status, 0);
    printf("%d\n", (int)RESULT(get_regs(pid)));
    kill_it(pid);
}

static void protected(void)
{
    area = mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(area + 65536, 65536, PROT_READ);
    mprotect(area + 2 * 65536, 65536, PROT_NONE);
    struct { const char *what; char *at; } places[] = {
        {"writable", area}, {"read-only", area + 65536}, {"not accessible", area + 2 * 65536},
        {"constant data", (char *)&constant_data}, {"nothing", (char *)64}, {"across two", area + 65536 - 4},
    };
    for (enum way way = POKE; way <= MEM; way++) {
        printf("# memory: %s\n", ways[way]);
        pid_t pid = traced(maps);
        for (size_t n = 0; n < sizeof places / sizeof *places; n++) {
            long value = 0x0101010101010101, seen = 0;
            const char *done = put(way, pid, places[n].at, &value, sizeof value);
            printf("%s: %s", places[n].what, done);
            printf(", read: %s", answer(pt(PTRACE_PEEKDATA, pid, (long)places[n].at, (long)&seen)));
            printf(" %lx\n", seen);
        }
        resume("stop", PTRACE_CONT, pid, 0);
        /* 1 from the page that was read-only, and the constant. */
        resume("end", PTRACE_CONT, pid, 0);
    }
    printf("here still %d\n", area[65536]);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    written();
    in_it();
    while_it_spins();
    protected();
}
