/* A tracer sees NZCV as it is at a fault, though the code behind sets it again unread, and the tracee has no handler. */
#include "ptrace.h"

/* x0 - x1 sets it; x2 is where it reads or writes. */
#define CASE(name, set, access)                                                                                        \
    void name(uint64_t, uint64_t, void *);                                                                             \
    asm(".globl " #name "\n" #name ":\n    " set "\n    " access "\n    adds x9, x5, x7\n    ret\n")

CASE(load, "subs x9, x0, x1", "ldr x11, [x2]");
CASE(store, "cmp x0, x1", "str x11, [x2]");
CASE(word, "subs w9, w0, w1", "ldr x11, [x2]");
CASE(sum, "cmn x0, x1", "ldp x11, x12, [x2]");

static const struct {
    const char *name;
    void (*code)(uint64_t, uint64_t, void *);
    uint64_t a, b;
    unsigned expected;
} cases[] = {
    {"load, equal", load, 5, 5, 6},           {"load, less", load, 1, 2, 8},
    {"store, greater", store, 7, 2, 2},       {"store, overflow", store, 1ull << 63, 1, 3},
    {"word, equal", word, 1ull << 32, 0, 6},  {"pair, carry and zero", sum, -1ull, 1, 6},
    {"pair, overflow", sum, 1ull << 62, 1ull << 62, 9},
};

static size_t now;

static int faults(void)
{
    static uint64_t room[2];
    /* Translated before it faults. */
    for (int round = 0; round < 5; round++)
        cases[now].code(3, round, room);
    cases[now].code(cases[now].a, cases[now].b, (void *)16);
    return 1;
}

int main(void)
{
    for (now = 0; now < sizeof cases / sizeof *cases; now++) {
        pid_t pid = traced(faults);
        int status = resume(cases[now].name, PTRACE_CONT, pid, 0);
        if (WIFSTOPPED(status))
            printf("NZCV %s\n", get_regs(pid).pstate >> 28 == cases[now].expected ? "right" : "wrong");
        resume("end", PTRACE_CONT, pid, SIGSEGV);
    }
}
