/* Branch target identification: what indirect branches may go to in pages with PROT_BTI. Only on a CPU with it. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PROT_BTI 0x10

enum { BTI = 0xd503241f, BTI_C = 0xd503245f, BTI_J = 0xd503249f, BTI_JC = 0xd50324df };
enum { PACIASP = 0xd503233f, AUTIASP = 0xd50323bf, NOP = 0xd503201f, BRK = 0xd4200000, RET = 0xd65f03c0 };
/* x0 is the target. */
enum { BLR_X0 = 0xd63f0000, BR_X0 = 0xd61f0000, BR_X16 = 0xd61f0200, MOV_X16_X0 = 0xaa0003f0 };

static sigjmp_buf back;
static volatile int signal_, code, btype;
static volatile uint64_t at;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    signal_ = signal;
    code = info->si_code;
    at = uc->uc_mcontext.pc;
    btype = uc->uc_mcontext.pstate >> 10 & 3;
    siglongjmp(back, 1);
}

/* Code in two pages: jumps to x0 by each kind of branch, and a landing with a return to x19. */
static uint32_t *jumps, *landing;

enum way { CALL, STUB, JUMP };

static void put(uint32_t first)
{
    mprotect(landing, 4096, PROT_READ | PROT_WRITE);
    landing[0] = first;
    landing[1] = first == PACIASP ? AUTIASP : NOP;
    landing[2] = RET;
    __builtin___clear_cache((char *)landing, (char *)(landing + 3));
    mprotect(landing, 4096, PROT_READ | PROT_EXEC | PROT_BTI);
}

static void go(enum way way)
{
    register uint64_t target __asm__("x0") = (uint64_t)landing;
    register uint64_t jump __asm__("x1") = (uint64_t)(jumps + way * 8);
    __asm__ volatile("blr x1" : "+r"(target), "+r"(jump) : : "x30", "x16", "memory");
}

/* Whether the branch arrives; else it must be SIGILL with this BTYPE. */
static int lands(enum way way, int expected_btype)
{
    for (int i = 0; i < 3; i++) { /* again, for what is remembered of the first time */
        signal_ = 0;
        if (sigsetjmp(back, 1) == 0) {
            go(way);
        } else if (signal_ == SIGILL) {
            CHECK(code == 1 && btype == expected_btype && at == (uint64_t)landing); /* ILL_ILLOPC */
        } else {
            CHECK(signal_ == SIGTRAP && at == (uint64_t)landing);
            return 2;
        }
    }
    return signal_ == 0;
}

static void table(int jumps_guarded)
{
    static const struct {
        uint32_t first;
        int call, stub, jump;
    } cases[] = {
        {NOP, 0, 0, 0},   {BTI, 0, 0, 0},     {BTI_C, 1, 1, 0}, {BTI_J, 0, 1, 1},
        {BTI_JC, 1, 1, 1}, {PACIASP, 1, 1, 0}, {BRK, 2, 2, 2},
    };
    mprotect(jumps, 4096, PROT_READ | PROT_EXEC | (jumps_guarded ? PROT_BTI : 0));
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put(cases[i].first);
        CHECK(lands(CALL, 2) == cases[i].call);
        CHECK(lands(STUB, 1) == cases[i].stub);
        /* Outside guarded pages every jump counts as that of a stub. */
        CHECK(lands(JUMP, jumps_guarded ? 3 : 1) == (jumps_guarded ? cases[i].jump : cases[i].stub));
    }
}

int main(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    jumps = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    landing = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    /* Each is called with a return address of its own, so that landing's RET comes back. */
    uint32_t *call = jumps + CALL * 8, *stub = jumps + STUB * 8, *jump = jumps + JUMP * 8;
    uint32_t save[] = {BTI_C, 0xa9bf7bfd /* stp x29, x30, [sp, #-16]! */, BLR_X0,
                       0xa8c17bfd /* ldp x29, x30, [sp], #16 */, RET};
    memcpy(call, save, sizeof save);
    memcpy(stub, (uint32_t[]){BTI_C, MOV_X16_X0, BR_X16}, 12);
    memcpy(jump, (uint32_t[]){BTI_C, BR_X0}, 8);
    __builtin___clear_cache((char *)jumps, (char *)(jumps + 64));
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    if (getauxval(AT_HWCAP2) >> 17 & 1) {
        table(0);
        table(1);
    } else {
        FAILS(mprotect(jumps, 4096, PROT_READ | PROT_EXEC | PROT_BTI), EINVAL);
    }
    DONE();
}
