/* Faults as signals: siginfo, the context, going on behind the fault, alternate stacks. */
#define _GNU_SOURCE
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static siginfo_t last;
static int count;
static sigjmp_buf env;

#ifdef __aarch64__
static void skip(int sig, siginfo_t *info, void *context) {
    (void)sig;
    ucontext_t *uc = context;
    last = *info;
    count++;
    uc->uc_mcontext.regs[0] = 0x5a5a;
    uc->uc_mcontext.pc += 4;
}

static uint64_t load(uint64_t addr) {
    register uint64_t x0 __asm__("x0") = addr;
    __asm__ volatile("ldr x0, [x0]" : "+r"(x0) : : "memory");
    return x0;
}

static void store(uint64_t addr) {
    __asm__ volatile("str xzr, [%0]" : : "r"(addr) : "memory", "x0");
}

/* Reads esr_context out of the frame's records. */
static uint64_t esr;
static void with_esr(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    unsigned char *record = (unsigned char *)uc->uc_mcontext.__reserved;
    int fpsimd = 0;
    for (;;) {
        uint32_t magic = ((uint32_t *)record)[0], size = ((uint32_t *)record)[1];
        if (magic == 0)
            break;
        if (magic == 0x46508001)
            fpsimd++;
        if (magic == 0x45535201)
            esr = *(uint64_t *)(record + 8);
        record += size;
    }
    CHECK(fpsimd == 1);
    CHECK(uc->uc_mcontext.fault_address == (uintptr_t)info->si_addr);
    skip(sig, info, context);
}

static void vectors(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)info, (void)context;
    __asm__ volatile("movi v8.16b, #1\n movi v31.16b, #2\n msr fpcr, xzr" : : : "v8", "v31");
}
#endif

static void jump(int sig, siginfo_t *info, void *context) {
    (void)context;
    last = *info;
    siglongjmp(env, sig);
}

static void on(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

static int overflow(int n) {
    volatile char page[2048];
    page[0] = (char)n;
    return overflow(n + 1) + page[0];
}

static char alt[64 << 10] __attribute__((aligned(16)));
static void on_alt(int sig, siginfo_t *info, void *context) {
    char here;
    stack_t now;
    CHECK(&here > alt && &here < alt + sizeof alt);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
    FAILS(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL), EPERM);
    jump(sig, info, context);
}

/* Runs `body` in a child and returns how it ended. */
static int child(void (*body)(void)) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(2);
        body();
        _exit(99);
    }
    int status;
    waitpid(pid, &status, 0);
    return status;
}

static void die_by_fault(void) { *(volatile int *)16 = 1; }
static void die_blocked(void) {
    sigset_t all;
    on(SIGSEGV, jump, 0);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    die_by_fault();
}
static void die_ignored(void) {
    signal(SIGSEGV, SIG_IGN);
    die_by_fault();
}
static void die_no_stack(void) {
    /* A handler without an alternate stack cannot run when the stack is full. */
    on(SIGSEGV, jump, 0);
    _exit(overflow(0));
}

int main(void) {
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);

    on(SIGSEGV, jump, 0);
    for (int i = 0; i < 2; i++) {
        if (sigsetjmp(env, 1) == 0)
            *(volatile char *)(page + 4096 + i) = 1;
        CHECK(last.si_signo == SIGSEGV && last.si_code == SEGV_MAPERR && last.si_addr == page + 4096 + i);
        if (sigsetjmp(env, 1) == 0)
            *(volatile char *)(page + i) = 1;
        CHECK(last.si_code == SEGV_ACCERR && last.si_addr == page + i);
    }
    void (*code)(void) = (void (*)(void))page;
    if (sigsetjmp(env, 1) == 0)
        code();
    CHECK(last.si_code == SEGV_ACCERR && last.si_addr == page);

    /* Beyond the end of a mapped file. */
    FILE *file = tmpfile();
    ftruncate(fileno(file), 100);
    char *mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fileno(file), 0);
    on(SIGBUS, jump, 0);
    if (sigsetjmp(env, 1) == 0)
        (void)*(volatile char *)(mapped + 4096);
    CHECK(last.si_signo == SIGBUS && last.si_code == BUS_ADRERR && last.si_addr == mapped + 4096);

    /* An alternate stack catches overflow, again and again. */
    stack_t stack = {.ss_sp = alt, .ss_size = sizeof alt}, old;
    CHECK(sigaltstack(&stack, &old) == 0 && old.ss_flags == SS_DISABLE);
    on(SIGSEGV, on_alt, SA_ONSTACK);
    for (int i = 0; i < 3; i++)
        if (sigsetjmp(env, 1) == 0)
            overflow(0);
    CHECK(last.si_signo == SIGSEGV);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == 0 && old.ss_sp == alt);
    FAILS(sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = 1024}, NULL), ENOMEM);
    FAILS(sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = sizeof alt, .ss_flags = 8}, NULL), EINVAL);
    signal(SIGSEGV, SIG_DFL);

    CHECK(WTERMSIG(child(die_by_fault)) == SIGSEGV);
    CHECK(WTERMSIG(child(die_blocked)) == SIGSEGV);
    CHECK(WTERMSIG(child(die_ignored)) == SIGSEGV);
    CHECK(WTERMSIG(child(die_no_stack)) == SIGSEGV);
    CHECK(WTERMSIG(child(abort)) == SIGABRT);

#ifdef __aarch64__
    on(SIGSEGV, skip, 0);
    CHECK(load(0x10) == 0x5a5a && count == 1 && last.si_addr == (void *)0x10);
    on(SIGILL, skip, 0);
    __asm__ volatile("mov x0, #1\n .inst 0\n mov %0, x0" : "=r"(count) : : "x0");
    CHECK(count == 0x5a5a && last.si_code == ILL_ILLOPC);
    on(SIGTRAP, skip, 0);
    __asm__ volatile("brk #7" : : : "x0");
    CHECK(last.si_signo == SIGTRAP && last.si_code == TRAP_BRKPT);
    on(SIGSEGV, with_esr, 0);
    load(0x18);
    CHECK(esr >> 26 == 0x24 && (esr & 0x40) == 0);
    store(0x18);
    CHECK(esr >> 26 == 0x24 && (esr & 0x40) != 0);
    /* A handler's vector registers and FPCR are its own. */
    on(SIGUSR1, vectors, 0);
    uint64_t low, high, fpcr;
    pid_t pid = getpid();
    __asm__ volatile("mov x1, #0xc00000\n msr fpcr, x1\n movi v8.16b, #7\n movi v31.16b, #9\n"
                     "mov x8, #129\n mov x0, %3\n mov x1, #10\n svc #0\n"
                     "umov %0, v8.d[1]\n umov %1, v31.d[0]\n mrs %2, fpcr\n msr fpcr, xzr"
                     : "=&r"(low), "=&r"(high), "=&r"(fpcr)
                     : "r"((uint64_t)pid)
                     : "x0", "x1", "x8", "v8", "v31", "memory");
    CHECK(low == 0x0707070707070707 && high == 0x0909090909090909 && fpcr == 0xc00000);
#endif
    DONE();
}
