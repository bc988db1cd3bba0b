/* Branches to addresses where no instruction can be: each is a fault of the guest's. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int signal_;
static volatile uint64_t at;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    signal_ = signal;
    at = ((ucontext_t *)context)->uc_mcontext.pc;
    siglongjmp(back, 1);
}

#define FAULTS(instruction, target, expected)                                             \
    do {                                                                                  \
        signal_ = 0;                                                                      \
        if (sigsetjmp(back, 1) == 0)                                                      \
            __asm__ volatile(instruction " %0" : : "r"(target) : "x30", "memory");        \
        CHECK(signal_ == (expected) && at == (target));                                   \
    } while (0)

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    static const uint64_t targets[] = {0, 1, 2, 4, 8, 0x1001, 0x4000, 0x7fffffffffff};
    for (int round = 0; round < 3; round++)
        for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
            uint64_t target = targets[i];
            int expected = target & 3 ? SIGBUS : SIGSEGV;
            FAULTS("br", target, expected);
            FAULTS("blr", target, expected);
            FAULTS("ret", target, expected);
        }
    DONE();
}
