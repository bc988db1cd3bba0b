/* NZCV in the frame of a fault is that of the instruction before it, though the code sets it again unread: behind branches
 * that have gone both ways. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>

static volatile unsigned seen;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)signal;
    (void)info;
    seen = uc->uc_mcontext.pstate >> 28;
    uc->uc_mcontext.pc = uc->uc_mcontext.regs[30];
}

/* x0: NZCV before; x1 - x2 sets it; x3 is where it reads or writes. */
#define CASE(name, set, branch, access)                                                                                \
    void name(uint64_t, uint64_t, uint64_t, uint64_t);                                                                 \
    asm(".globl " #name "\n" #name ":\n"                                                                               \
        "    adr x16, 0f\n    msr nzcv, x0\n    br x16\n"                                                              \
        "0:  " set "\n    " branch "\n    nop\n"                                                                       \
        "1:  mov x1, #0\n    mov x2, #0\n    mov x9, #0\n    " access "\n"                                             \
        "    adds x9, x5, x7\n    ret\n")

CASE(load_ls, "subs x9, x1, x2", "b.ls 1f", "ldr x11, [x3]");
CASE(load_lt, "cmp x1, x2", "b.lt 1f", "ldr x11, [x3]");
CASE(store_eq, "cmp x1, x2", "b.eq 1f", "str x11, [x3], #8");
CASE(pair_hi, "subs w1, w1, w2", "b.hi 1f", "ldp x11, x12, [x3]");
CASE(vector_cbz, "subs x9, x1, x2", "cbz x9, 1f", "ldr q0, [x3]");
CASE(exclusive_tbz, "subs x9, x1, x2", "tbz x9, #1, 1f", "ldxr x11, [x3]");
CASE(atomic_ne, "subs x9, x1, x2", "b.ne 1f", ".arch_extension lse\n    ldadd x11, x12, [x3]");
CASE(jump, "subs x9, x1, x2", "b 1f", "add x10, x10, #1\n ldr x11, [x3]");
static unsigned flags_of(uint64_t a, uint64_t b, int word)
{
    uint64_t flags;
    if (word)
        asm("subs wzr, %w1, %w2\n mrs %0, nzcv" : "=r"(flags) : "r"(a), "r"(b) : "cc");
    else
        asm("subs xzr, %1, %2\n mrs %0, nzcv" : "=r"(flags) : "r"(a), "r"(b) : "cc");
    return flags >> 28;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*code)(uint64_t, uint64_t, uint64_t, uint64_t);
        int word;
    } cases[] = {
        {"load behind b.ls", load_ls, 0},     {"load behind b.lt", load_lt, 0},
        {"store behind b.eq", store_eq, 0},   {"pair behind b.hi", pair_hi, 1},
        {"vector behind cbz", vector_cbz, 0}, {"exclusive behind tbz", exclusive_tbz, 0},
        {"atomic behind b.ne", atomic_ne, 0}, {"load behind b", jump, 0},
    };
    static const uint64_t a[] = {5, 7, 1, 9, 5, 1, 1ull << 63}, b[] = {5, 2, 2, 1, 5, 3, 1};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int wrong = 0;
        /* Several times: from the third on, translated code runs. */
        for (int round = 0; round < 5; round++)
            for (size_t k = 0; k < sizeof a / sizeof *a; k++) {
                seen = 16;
                cases[i].code(9ull << 28, a[k], b[k], 16);
                wrong += seen != flags_of(a[k], b[k], cases[i].word);
            }
        printf("%s: %d wrong\n", cases[i].name, wrong);
    }
    return 0;
}
