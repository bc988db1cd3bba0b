/* Hardware watchpoints: which accesses hit, with which bytes selected, what has happened by then, and whose they are. */
#include "ptrace_debug.h"

static struct { char before[64], bytes[128], behind[64]; } memory __attribute__((aligned(128)));
#define AREA memory.bytes

/* A function of one access: its instruction is at NAME_at, the address in X0. */
#define ACCESS(name, ahead, access, behind) \
    void name(char *); \
    extern char name##_at[]; \
    asm(".arch armv8.3-a\n .text\n .balign 4\n .globl " #name ", " #name "_at\n .type " #name ", %function\n" #name ":\n" ahead "\n" \
        #name "_at: " access "\n" behind "\n ret\n");

ACCESS(a_ldrb, "", "ldrb w1, [x0]", "")
ACCESS(a_ldrh, "", "ldrh w1, [x0]", "")
ACCESS(a_ldrsw, "", "ldrsw x1, [x0]", "")
ACCESS(a_ldr, "", "ldr x1, [x0]", "")
ACCESS(a_ldur, "add x0, x0, 8", "ldur x1, [x0, -8]", "")
ACCESS(a_ldr_register, "mov x2, 1", "ldr x1, [x0, x2, lsl 3]", "")
ACCESS(a_ldr_post, "", "ldr x1, [x0], 32", "")
ACCESS(a_ldr_pre, "", "ldr x1, [x0, 16]!", "")
ACCESS(a_strb, "mov w1, 1", "strb w1, [x0]", "")
ACCESS(a_strh, "mov w1, 1", "strh w1, [x0]", "")
ACCESS(a_str_w, "mov w1, 1", "str w1, [x0]", "")
ACCESS(a_str, "mov w1, 1", "str x1, [x0]", "")
ACCESS(a_str_pre, "mov w1, 1", "str x1, [x0, 16]!", "")
ACCESS(a_ldp, "", "ldp x1, x2, [x0]", "")
ACCESS(a_ldp_w, "", "ldp w1, w2, [x0]", "")
ACCESS(a_stp, "mov w1, 1", "stp x1, x1, [x0]", "")
ACCESS(a_stp_w, "mov w1, 1", "stp w1, w1, [x0]", "")
ACCESS(a_stnp, "mov w1, 1", "stnp x1, x1, [x0]", "")
ACCESS(a_ldr_q, "", "ldr q0, [x0]", "")
ACCESS(a_ldr_d, "", "ldr d0, [x0]", "")
ACCESS(a_str_q, "movi v0.16b, 1", "str q0, [x0]", "")
ACCESS(a_str_s, "movi v0.16b, 1", "str s0, [x0]", "")
ACCESS(a_stp_q, "movi v0.16b, 1", "stp q0, q0, [x0]", "")
ACCESS(a_ld1, "", "ld1 {v0.16b-v3.16b}, [x0]", "")
ACCESS(a_st1, "movi v0.16b, 1\n movi v1.16b, 1\n movi v2.16b, 1\n movi v3.16b, 1", "st1 {v0.16b-v3.16b}, [x0]", "")
ACCESS(a_ld4, "", "ld4 {v0.4s-v3.4s}, [x0]", "")
ACCESS(a_st2_lane, "movi v0.16b, 1\n movi v1.16b, 1", "st2 {v0.h, v1.h}[3], [x0]", "")
ACCESS(a_ld1r, "", "ld1r {v0.4s}, [x0]", "")
ACCESS(a_ldar, "", "ldar x1, [x0]", "")
ACCESS(a_ldapr, "", "ldapr x1, [x0]", "")
ACCESS(a_stlr, "mov w1, 1", "stlr x1, [x0]", "")
ACCESS(a_ldxr, "", "ldxr x1, [x0]", "clrex")
ACCESS(a_ldxp, "", "ldxp x1, x2, [x0]", "clrex")
ACCESS(a_stxr, "mov w1, 1\n 1: ldxr x3, [x0]", "stxr w2, x1, [x0]", "cbnz w2, 1b")
ACCESS(a_stlxp, "mov w1, 1\n 1: ldaxp x3, x4, [x0]", "stlxp w2, x1, x1, [x0]", "cbnz w2, 1b")
ACCESS(a_ldadd, "mov w1, 1", "ldadd x1, x2, [x0]", "")
ACCESS(a_stset, "mov w1, 1", "stset w1, [x0]", "")
ACCESS(a_swpb, "mov w1, 1", "swpb w1, w2, [x0]", "")
ACCESS(a_cas, "mov x2, 0\n mov w1, 1", "cas x2, x1, [x0]", "")
ACCESS(a_casp, "mov x2, 0\n mov x3, 0\n mov w4, 1\n mov w5, 1", "casp x2, x3, x4, x5, [x0]", "")
ACCESS(a_zva, "", "dc zva, x0", "")
ACCESS(a_prfm, "", "prfm pldl1keep, [x0]", "")
ACCESS(a_clean, "", "dc cvac, x0", "")
ACCESS(a_nop, "", "nop", "")
ACCESS(a_tagged, "mov w1, 1\n orr x0, x0, 0x3f << 56", "str x1, [x0]", "")

static void (*access_made)(char *);
static long access_offset;

static int body(void)
{
    access_made(AREA + access_offset);
    return 7;
}

struct one {
    const char *name;
    void (*made)(char *);
    char *at;
    int offset, size; /* of the access */
    int watched, bytes; /* the offset of eight bytes, and which of them */
};

#define ONE(name, offset, size, watched, bytes) {#name, a_##name, a_##name##_at, offset, size, watched, bytes}

static int lowest(int bits)
{
    return __builtin_ctz(bits);
}

/* Watches for accesses of this type, and shows what the access comes to. */
static void try(const struct one *one, int type)
{
    access_made = one->made;
    access_offset = one->offset;
    pid_t pid = traced(body);
    const char *armed = arm(pid, HW_WATCH, 0, (long)AREA + one->watched, CONTROL(one->bytes, type, 1));
    printf("%s %d+%d, %s of %d/%02x: ", one->name, one->offset, one->size,
           type == LOADS ? "loads" : type == STORES ? "stores" : "both", one->watched, one->bytes);
    if (strcmp(armed, "0") != 0)
        printf("%s ", armed);
    int status = go(PTRACE_CONT, pid, 0);
    unsigned long hit;
    if (!is_hit(pid, status, &hit)) {
        show_status("not hit", status);
        if (WIFSTOPPED(status))
            kill_it(pid);
        return;
    }
    long start = (long)AREA + one->offset;
    long last = (long)AREA + one->watched + 31 - __builtin_clz(one->bytes);
    struct regs regs = get_regs(pid);
    long words[8], now[8];
    struct iovec from = {AREA, sizeof words}, to = {words, sizeof words};
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    int altered = memcmp(words, AREA, sizeof words) != 0;
    printf("hit%s%s%s", PC(regs) == (unsigned long)one->at ? "" : ", pc elsewhere",
           (long)hit >= start && (long)hit <= last ? "" : ", address beyond", altered ? ", already done" : "");
    /* It stays at the instruction as long as it is watched. */
    status = go(PTRACE_SINGLESTEP, pid, 0);
    if (!is_hit(pid, status, &hit) || PC(get_regs(pid)) != (unsigned long)one->at)
        printf(", not again");
    arm(pid, HW_WATCH, 0, (long)AREA + one->watched, 0);
    status = go(PTRACE_SINGLESTEP, pid, 0);
    to.iov_base = now;
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    printf(", %s, then %s; ", PC(get_regs(pid)) == (unsigned long)one->at + 4 ? "stepped" : "not stepped",
           memcmp(words, now, sizeof words) ? "altered" : "the same");
    show_status("end", go(PTRACE_CONT, pid, 0));
}

static void kinds(void)
{
    static const struct one all[] = {
        ONE(ldrb, 3, 1, 0, 0x08), ONE(ldrh, 2, 2, 0, 0x08), ONE(ldrsw, 0, 4, 0, 0x0f), ONE(ldr, 0, 8, 0, 0xff),
        ONE(ldur, 0, 8, 0, 0x80), ONE(ldr_register, 0, 8, 8, 0xff), ONE(ldr_post, 0, 8, 0, 0xff),
        ONE(ldr_pre, 0, 24, 16, 0x01), ONE(ldp, 0, 16, 8, 0xff), ONE(ldp_w, 0, 8, 0, 0xf0), ONE(ldr_q, 0, 16, 8, 0x80),
        ONE(ldr_d, 0, 8, 0, 0x10), ONE(ld1, 0, 64, 56, 0xff), ONE(ld4, 0, 64, 40, 0x0c), ONE(ld1r, 4, 4, 0, 0x40),
        ONE(ldar, 0, 8, 0, 0xff), ONE(ldapr, 0, 8, 0, 0xff), ONE(ldxr, 0, 8, 0, 0xff), ONE(ldxp, 0, 16, 8, 0xff),
        ONE(strb, 3, 1, 0, 0x08), ONE(strh, 2, 2, 0, 0x08), ONE(str_w, 0, 4, 0, 0x0f), ONE(str, 0, 8, 0, 0xff),
        ONE(str_pre, 0, 24, 16, 0x01), ONE(stp, 0, 16, 8, 0xff), ONE(stp_w, 0, 8, 0, 0xf0), ONE(stnp, 0, 16, 8, 0xff),
        ONE(str_q, 0, 16, 8, 0x80), ONE(str_s, 0, 4, 0, 0x02), ONE(stp_q, 0, 32, 24, 0xff), ONE(st1, 0, 64, 56, 0xff),
        ONE(st2_lane, 0, 4, 0, 0x08), ONE(stlr, 0, 8, 0, 0xff), ONE(stxr, 0, 8, 0, 0xff), ONE(stlxp, 0, 16, 8, 0xff),
        ONE(tagged, 0, 8, 0, 0xff),
    };
    puts("# kinds of access, for stores");
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        try(&all[n], STORES);
    puts("# for loads");
    for (size_t n = 0; n < 19; n++)
        try(&all[n], LOADS);
    try(&all[22], LOADS);
    puts("# atomics load and store");
    static const struct one atomics[] = {
        ONE(ldadd, 0, 8, 0, 0xff), ONE(stset, 4, 4, 0, 0xf0), ONE(swpb, 1, 1, 0, 0x02), ONE(cas, 0, 8, 0, 0xff),
        ONE(casp, 0, 16, 8, 0xff),
    };
    for (size_t n = 0; n < sizeof atomics / sizeof *atomics; n++)
        for (int type = LOADS; type <= (LOADS | STORES); type++)
            try(&atomics[n], type);
    puts("# the cache");
    static const struct one caches[] = {
        ONE(zva, 4, 60, 40, 0xff), ONE(prfm, 0, 8, 0, 0xff), ONE(clean, 0, 8, 0, 0xff), ONE(nop, 0, 8, 0, 0xff),
    };
    for (size_t n = 0; n < sizeof caches / sizeof *caches; n++)
        try(&caches[n], LOADS | STORES);
}

static void bytes(void)
{
    puts("# which bytes are selected");
    for (int first = 0; first < 8; first += 3)
        for (int length = 1; first + length <= 8; length += 2)
            for (int at = 0; at < 8; at += 2) {
                struct one one = {"strb", a_strb, a_strb_at, at, 1, 0, ((1 << length) - 1) << first};
                try(&one, STORES);
            }
    puts("# accesses that reach into them");
    for (int at = 0; at <= 16; at++) {
        struct one one = {"str", a_str, a_str_at, at, 8, 8, 0x0c};
        try(&one, STORES | LOADS);
    }
    puts("# an address within the eight");
    for (int at = 0; at < 8; at += 4) {
        struct one one = {"str_w", a_str_w, a_str_w_at, at, 4, 4, 0x0f};
        try(&one, STORES);
    }
}

static int copies(void)
{
    static char from[192];
    memset(AREA - 40, 1, 150);
    memcpy(AREA - 30, from, 150);
    return AREA[100] + 9;
}

/* Goes on from hit to hit of a watchpoint; how many there were. */
static int hits(pid_t pid, unsigned long at, unsigned int control, int *status)
{
    int count = 0;
    unsigned long hit;
    for (;;) {
        arm(pid, HW_WATCH, 0, at, control);
        *status = go(PTRACE_CONT, pid, 0);
        if (!is_hit(pid, *status, &hit))
            return count;
        count += hit >= at - 64 && hit < at + 8;
        arm(pid, HW_WATCH, 0, at, 0);
        go(PTRACE_SINGLESTEP, pid, 0);
    }
}

static void in_a_library(void)
{
    puts("# functions of the C library");
    pid_t pid = traced(copies);
    int status;
    int count = hits(pid, (long)AREA + 32, CONTROL(0xff, STORES, 1), &status);
    printf("%s\n", count >= 2 && count <= 16 ? "hit by both" : "not hit");
    show_status("end", status);
    pid = traced(copies);
    count = hits(pid, (long)AREA + 32, CONTROL(0xff, LOADS, 1), &status);
    printf("%d for loads\n", count);
    show_status("end", status);
}

static int reads(void)
{
    int ends[2];
    pipe(ends);
    if (write(ends[1], AREA, 64) != 64 || read(ends[0], AREA, 64) != 64)
        return 1;
    struct timespec *now = (struct timespec *)AREA;
    return syscall(SYS_clock_getres, CLOCK_REALTIME, now) == 0 ? 8 : 2;
}

static int forks(void)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        *(volatile int *)AREA = 1;
        _exit(3);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void *stores_once(void *arg)
{
    *(volatile int *)AREA = 1;
    return NULL;
}

static int threads(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, stores_once, NULL);
    pthread_join(thread, NULL);
    return 4;
}

static pid_t of_thread;
static volatile int ready, go_on;

static void *waits(void *arg)
{
    of_thread = gettid();
    ready = 1;
    while (!go_on)
        usleep(1000);
    *(volatile int *)(AREA + 8) = 1;
    return NULL;
}

static int attached(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, waits, NULL);
    while (!ready)
        usleep(1000);
    raise(SIGSTOP);
    *(volatile int *)(AREA + 8) = 2;
    go_on = 1;
    pthread_join(thread, NULL);
    return 5;
}

static void of_one_thread(void)
{
    puts("# one thread of two");
    pid_t pid = traced(attached);
    resume("ready", PTRACE_CONT, pid, 0);
    struct iovec to = {&of_thread, sizeof of_thread}, from = to;
    process_vm_readv(pid, &to, 1, &from, 1, 0);
    printf("seized: %s\n", answer(pt(PTRACE_SEIZE, of_thread, 0, 0)));
    pt(PTRACE_INTERRUPT, of_thread, 0, 0);
    next("thread", of_thread);
    printf("armed: %s\n", arm(of_thread, HW_WATCH, 1, (long)AREA + 8, CONTROL(0xff, STORES, 1)));
    pt(PTRACE_CONT, of_thread, 0, 0);
    pt(PTRACE_CONT, pid, 0, 0);
    unsigned long hit;
    int status = 0;
    waitpid(of_thread, &status, __WALL);
    printf("thread: %s\n", is_hit(of_thread, status, &hit) && hit == (long)AREA + 8 ? "hit" : "not hit");
    long value = 0;
    pt(PTRACE_PEEKDATA, of_thread, (long)AREA + 8, (long)&value);
    printf("written by the other: %ld\n", value);
    arm(of_thread, HW_WATCH, 1, 0, 0);
    /* It ends by itself, or with its process. */
    go(PTRACE_CONT, of_thread, 0);
    next("process", pid);
}

static int itself(void)
{
    raise(SIGSTOP);
    *(volatile int *)AREA = 1;
    char *args[] = {"self", "executed", NULL};
    execv("/proc/self/exe", args);
    return 1;
}

static volatile sig_atomic_t handled;

static void skip(int signal, siginfo_t *info, void *context)
{
#ifdef __aarch64__
    ((ucontext_t *)context)->uc_mcontext.pc += 4;
#endif
    handled = info->si_code == TRAP_HWBKPT && info->si_addr == AREA ? 1 : 2;
}

static int handles(void)
{
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    raise(SIGSTOP);
    a_str(AREA);
    return 10 * handled + (AREA[0] == 0);
}

static void set_off(const char *what, int (*body)(void), unsigned long at)
{
    printf("# %s\n", what);
    pid_t pid = traced(body);
    printf("armed: %s\n", arm(pid, HW_WATCH, 0, at, CONTROL(0xff, STORES, 1)));
    resume("end", PTRACE_CONT, pid, 0);
}

static void whose(void)
{
    set_off("calls of the kernel", reads, (long)AREA);
    set_off("a child has none", forks, (long)AREA);
    set_off("a thread has none", threads, (long)AREA);
    of_one_thread();

    puts("# a new program has none");
    pid_t pid = traced(itself);
    pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    resume("stop", PTRACE_CONT, pid, 0);
    arm(pid, HW_WATCH, 0, (long)AREA + 64, CONTROL(0xff, STORES, 1));
    arm(pid, HW_BREAK, 0, (long)a_str_at, CONTROL(0xf, 0, 1));
    resume("exec", PTRACE_CONT, pid, 0);
    struct debug_state state = get_debug(pid, HW_WATCH, NULL);
    printf("watch %lx %x\n", state.regs[0].addr, state.regs[0].ctrl);
    state = get_debug(pid, HW_BREAK, NULL);
    printf("break %lx %x\n", state.regs[0].addr, state.regs[0].ctrl);
    resume("end", PTRACE_CONT, pid, 0);

    puts("# the signal is delivered");
    pid = traced(handles);
    resume("ready", PTRACE_CONT, pid, 0);
    arm(pid, HW_WATCH, 0, (long)AREA, CONTROL(0xff, STORES, 1));
    resume("hit", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGTRAP);

    puts("# it kills");
    access_made = a_str;
    access_offset = 0;
    pid = traced(body);
    arm(pid, HW_WATCH, 0, (long)AREA, CONTROL(0xff, STORES, 1));
    resume("hit", PTRACE_CONT, pid, 0);
    resume("end", PTRACE_CONT, pid, SIGTRAP);

    puts("# it stays when the tracer goes");
    pid = traced(handles);
    resume("ready", PTRACE_CONT, pid, 0);
    arm(pid, HW_WATCH, 0, (long)AREA, CONTROL(0xff, STORES, 1));
    printf("detached: %s\n", answer(pt(PTRACE_DETACH, pid, 0, 0)));
    next("end", pid);
}

static void registers(void)
{
    puts("# the registers");
    pid_t pid = traced(forks);
    for (int set = HW_BREAK; set <= HW_WATCH; set++) {
        size_t len;
        struct debug_state state = get_debug(pid, set, &len);
        int slots = state.info & 0xff;
        printf("%s: %zu bytes, %s registers, architecture %s\n", set == HW_BREAK ? "break" : "watch", len,
               slots >= 2 && slots <= 16 ? "some" : "no", (state.info >> 8 & 0xff) >= 6 ? "known" : "unknown");
        int unset = 1;
        for (int n = 0; n < 16; n++)
            unset &= state.regs[n].addr == 0 && state.regs[n].ctrl == 0;
        printf("%s\n", unset ? "all clear" : "not clear");
        int type = set == HW_BREAK ? 0 : STORES;
        unsigned long at = (long)AREA;
        printf("set: %s", arm(pid, set, 0, at + 4, CONTROL(0xf, type, 1)));
        state = get_debug(pid, set, NULL);
        printf(", %ld %x\n", (long)(state.regs[0].addr - at), state.regs[0].ctrl);
        printf("without privilege: %s", arm(pid, set, 0, at, 0xf << 5 | type << 3 | 1));
        state = get_debug(pid, set, NULL);
        printf(", %ld %x\n", (long)(state.regs[0].addr - at), state.regs[0].ctrl);
        printf("off: %s", arm(pid, set, 0, at, 0));
        state = get_debug(pid, set, NULL);
        printf(", %ld %x\n", (long)(state.regs[0].addr - at), state.regs[0].ctrl);
        printf("no bytes: %s\n", arm(pid, set, 0, at, CONTROL(0, type, 1)));
        printf("bytes apart: %s\n", arm(pid, set, 0, at, CONTROL(0x81, type, 1)));
        printf("other type: %s\n", arm(pid, set, 0, at, CONTROL(0xf, set == HW_BREAK ? STORES : 0, 1)));
        printf("no bytes, off: %s\n", arm(pid, set, 0, at, CONTROL(0, type, 0)));
        printf("the kernel's: %s\n", arm(pid, set, 0, 0xffffffff80000000ul, CONTROL(0xf, type, 1)));
        printf("the last: %s\n", arm(pid, set, slots - 1, at, CONTROL(0xf, type, 1)));
        if (slots < 16) {
            printf("one more: %s\n", arm(pid, set, slots, at, CONTROL(0xf, type, 1)));
            struct iovec iov = {&state, sizeof state};
            printf("all: %s\n", answer(pt(PTRACE_SETREGSET, pid, set, (long)&iov)));
        }
        struct iovec iov = {&state, 12};
        printf("half an address: %s\n", answer(pt(PTRACE_SETREGSET, pid, set, (long)&iov)));
        iov.iov_len = 16;
        state.regs[0].addr = at + 8;
        printf("an address: %s", answer(pt(PTRACE_SETREGSET, pid, set, (long)&iov)));
        state = get_debug(pid, set, NULL);
        printf(", %ld\n", (long)(state.regs[0].addr - at));
        iov.iov_len = 8;
        printf("nothing: %s\n", answer(pt(PTRACE_SETREGSET, pid, set, (long)&iov)));
        iov.iov_len = 7;
        printf("half a word: %s\n", answer(pt(PTRACE_SETREGSET, pid, set, (long)&iov)));
        iov.iov_len = 24;
        printf("got in part: %s", answer(pt(PTRACE_GETREGSET, pid, set, (long)&iov)));
        printf(", %zu\n", iov.iov_len);
    }
    kill_it(pid);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        AREA[64] = 1;
        a_str(AREA + 64);
        return 6;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    registers();
    kinds();
    bytes();
    in_a_library();
    whose();
}
