/* The register sets that are Arm's own: what is read, what a tracer changes is seen by the tracee, what cannot be set. */
#include "ptrace.h"
#include <sys/auxv.h>
#include <sys/prctl.h>

#define NT_TLS 0x401
#define NT_PAC_MASK 0x406
#define NT_PACA_KEYS 0x407
#define NT_PACG_KEYS 0x408
#define NT_TAGGED_ADDR_CTRL 0x409
#define NT_PAC_ENABLED_KEYS 0x40a

static long transfer(long request, pid_t pid, int set, void *data, size_t *len)
{
    struct iovec iov = {data, *len};
    long done = pt(request, pid, set, (long)&iov);
    *len = iov.iov_len;
    return done;
}

static void get(const char *what, pid_t pid, int set)
{
    char data[1024];
    size_t len = sizeof data;
    printf("%s: %s", what, answer(transfer(PTRACE_GETREGSET, pid, set, data, &len)));
    printf(", %zu bytes\n", len);
}

static const char *put(pid_t pid, int set, void *data, size_t len)
{
    return answer(transfer(PTRACE_SETREGSET, pid, set, data, &len));
}

static unsigned long thread_pointer(void)
{
    unsigned long value;
    asm volatile("mrs %0, tpidr_el0" : "=r"(value));
    return value;
}

static unsigned long sign(unsigned long value, unsigned long modifier)
{
    asm volatile(".arch_extension pauth\n pacia %0, %1" : "+r"(value) : "r"(modifier));
    return value;
}

static unsigned long sign_generic(unsigned long value, unsigned long modifier)
{
    unsigned long code;
    asm volatile(".arch_extension pauth\n pacga %0, %1, %2" : "=r"(code) : "r"(value), "r"(modifier));
    return code;
}

static unsigned long strip(unsigned long value)
{
    asm volatile(".arch_extension pauth\n xpaci %0" : "+r"(value));
    return value;
}

/* What the tracee finds out, and the tracer then reads. */
static volatile unsigned long found[8];

static int looks(void)
{
    raise(SIGSTOP);
    unsigned long pointer = thread_pointer();
    asm volatile("" : : : "memory");
    found[0] = pointer;
    found[1] = sign(0x1234560, 77);
    found[2] = sign_generic(0x1234560, 77);
    found[3] = strip(found[1]);
    syscall(SYS_getpid);
    return 3;
}

static unsigned long seen(pid_t pid, int n)
{
    unsigned long word = 0;
    pt(PTRACE_PEEKDATA, pid, (long)&found[n], (long)&word);
    return word;
}

static void sizes(void)
{
    puts("# sizes");
    pid_t pid = traced(looks);
    get("general", pid, NT_PRSTATUS);
    get("floating point", pid, NT_PRFPREG);
    get("thread pointer", pid, NT_TLS);
    get("call", pid, NT_SYSTEM_CALL);
    get("masks", pid, NT_PAC_MASK);
    get("address keys", pid, NT_PACA_KEYS);
    get("generic key", pid, NT_PACG_KEYS);
    get("tagged addresses", pid, NT_TAGGED_ADDR_CTRL);
    get("enabled keys", pid, NT_PAC_ENABLED_KEYS);
    get("none such", pid, 0x7ff);
    puts("# what cannot be set");
    struct regs regs = get_regs(pid);
    for (int bit = 0; bit < 32; bit++) {
        struct regs changed = regs;
        changed.pstate = 1ul << bit;
        const char *done = put(pid, NT_PRSTATUS, &changed, sizeof changed);
        if (strcmp(done, "0") != 0)
            printf("pstate %d: %s; ", bit, done);
    }
    puts("");
    set_regs(pid, regs);
    unsigned long word = 1ul << 40;
    printf("tagged addresses: %s\n", put(pid, NT_TAGGED_ADDR_CTRL, &word, 8));
    word = 16;
    printf("enabled keys: %s\n", put(pid, NT_PAC_ENABLED_KEYS, &word, 8));
    printf("masks: %s\n", put(pid, NT_PAC_MASK, &word, 8));
    printf("half a register: %s\n", put(pid, NT_PRSTATUS, &regs, 4));
    puts("# parts");
    unsigned long first[2] = {regs.x[0] + 1, regs.x[1] + 1};
    printf("%s", put(pid, NT_PRSTATUS, first, 16));
    struct regs now = get_regs(pid);
    printf(", %ld %ld %ld\n", (long)(now.x[0] - regs.x[0]), (long)(now.x[1] - regs.x[1]), (long)(now.x[2] - regs.x[2]));
    kill_it(pid);
}

static void changed(void)
{
    puts("# the thread pointer");
    pid_t pid = traced(looks);
    resume("stop", PTRACE_CONT, pid, 0);
    unsigned long pointer = 0, other;
    size_t len = 8;
    transfer(PTRACE_GETREGSET, pid, NT_TLS, &pointer, &len);
    printf("%s\n", pointer == thread_pointer() ? "the parent's" : "another");
    other = pointer ^ 0x100000;
    printf("%s\n", put(pid, NT_TLS, &other, 8));
    /* Up to the call behind it. */
    SYSGOOD(pid);
    for (int n = 0; n < 4000; n++) {
        int status;
        pt(PTRACE_SINGLESTEP, pid, 0, 0);
        waitpid(pid, &status, 0);
        if (!WIFSTOPPED(status) || seen(pid, 0))
            break;
    }
    printf("%s\n", seen(pid, 0) == other ? "seen" : seen(pid, 0) ? "not seen" : "not reached");
    put(pid, NT_TLS, &pointer, 8);
    until_call(pid, SYS_getpid);
    unsigned long signature = seen(pid, 1), generic = seen(pid, 2);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# keys");
    pid = traced(looks);
    resume("stop", PTRACE_CONT, pid, 0);
    unsigned long keys[16], generic_key[4];
    len = sizeof keys;
    transfer(PTRACE_GETREGSET, pid, NT_PACA_KEYS, keys, &len);
    len = sizeof generic_key;
    transfer(PTRACE_GETREGSET, pid, NT_PACG_KEYS, generic_key, &len);
    SYSGOOD(pid);
    until_call(pid, SYS_getpid);
    printf("the same as a sister's: %s, %s\n", seen(pid, 1) == signature ? "address" : "-", seen(pid, 2) == generic ? "generic" : "-");
    unsigned long masks[2];
    len = sizeof masks;
    transfer(PTRACE_GETREGSET, pid, NT_PAC_MASK, masks, &len);
    printf("code within the mask: %s\n", ((seen(pid, 1) ^ 0x1234560) & ~masks[1]) == 0 ? "yes" : "no");
    printf("stripped: %lx\n", seen(pid, 3));
    printf("mask has no address: %s\n", (masks[0] & 0x7fffffffffffl) == 0 && masks[0] ? "right" : "wrong");
    kill_it(pid);
    pid = traced(looks);
    resume("stop", PTRACE_CONT, pid, 0);
    keys[0] ^= 0x5555;
    generic_key[1] ^= 0x1111;
    printf("%s", put(pid, NT_PACA_KEYS, keys, sizeof keys));
    printf(" %s\n", put(pid, NT_PACG_KEYS, generic_key, sizeof generic_key));
    SYSGOOD(pid);
    until_call(pid, SYS_getpid);
    printf("with others: %s, %s\n", seen(pid, 1) == signature ? "the same" : "another", seen(pid, 2) == generic ? "the same" : "another");
    kill_it(pid);
    puts("# keys that are off");
    pid = traced(looks);
    resume("stop", PTRACE_CONT, pid, 0);
    unsigned long enabled = 0;
    len = 8;
    transfer(PTRACE_GETREGSET, pid, NT_PAC_ENABLED_KEYS, &enabled, &len);
    printf("%lx\n", enabled);
    enabled = 14;
    printf("%s\n", put(pid, NT_PAC_ENABLED_KEYS, &enabled, 8));
    SYSGOOD(pid);
    until_call(pid, SYS_getpid);
    printf("signed: %lx\n", seen(pid, 1));
    kill_it(pid);
}

static int tags(void)
{
    raise(SIGSTOP);
    return prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) + 10;
}

static void tagged(void)
{
    puts("# tagged addresses");
    pid_t pid = traced(tags);
    resume("stop", PTRACE_CONT, pid, 0);
    unsigned long word = 7;
    size_t len = 8;
    transfer(PTRACE_GETREGSET, pid, NT_TAGGED_ADDR_CTRL, &word, &len);
    printf("%lx\n", word);
    word = 1;
    printf("%s\n", put(pid, NT_TAGGED_ADDR_CTRL, &word, 8));
    resume("end", PTRACE_CONT, pid, 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    sizes();
    changed();
    tagged();
}
