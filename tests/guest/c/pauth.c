/* Pointer authentication: signing and checking, keys by prctl, a thread's and a child's keys, the fault of a wrong
 * signature. Only on a CPU with it. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

__asm__(".arch armv8.5-a");

#define PAC(key, pointer, modifier)                                                       \
    ({                                                                                    \
        uint64_t p_ = (uint64_t)(pointer);                                                \
        __asm__ volatile("pac" key " %0, %1" : "+r"(p_) : "r"((uint64_t)(modifier)));     \
        p_;                                                                               \
    })
#define AUT(key, pointer, modifier)                                                       \
    ({                                                                                    \
        uint64_t p_ = (uint64_t)(pointer);                                                \
        __asm__ volatile("aut" key " %0, %1" : "+r"(p_) : "r"((uint64_t)(modifier)));     \
        p_;                                                                               \
    })
#define STRIP(kind, pointer)                                                              \
    ({                                                                                    \
        uint64_t p_ = (uint64_t)(pointer);                                                \
        __asm__ volatile("xpac" kind " %0" : "+r"(p_));                                   \
        p_;                                                                               \
    })

#define FIELD 0x007f000000000000ul
#define COUNT 64

/* Inline: a signed return address must not outlive its key. */
static inline __attribute__((always_inline)) long keys_call(long option, long a, long b, long c, long d)
{
    register long x0 __asm__("x0") = option;
    register long x1 __asm__("x1") = a;
    register long x2 __asm__("x2") = b;
    register long x3 __asm__("x3") = c;
    register long x4 __asm__("x4") = d;
    register long x8 __asm__("x8") = 167; /* prctl */
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8) : "memory");
    errno = x0 < 0 ? -x0 : 0;
    return x0 < 0 ? -1 : x0;
}

static sigjmp_buf back;
static volatile int code;
static void *volatile address;
static volatile uint64_t at;

static void on_ill(int signal, siginfo_t *info, void *context)
{
    code = info->si_code;
    address = info->si_addr;
    at = ((ucontext_t *)context)->uc_mcontext.pc;
    siglongjmp(back, 1);
}

/* Signatures of many pointers: few may agree by chance. */
static int differences(const uint64_t *a, const uint64_t *b)
{
    int different = 0;
    for (int i = 0; i < COUNT; i++)
        different += a[i] != b[i];
    return different;
}

static void sign_all(uint64_t *signed_)
{
    for (uint64_t i = 0; i < COUNT; i++)
        signed_[i] = PAC("ia", 0x400000 + i * 4, i * 0x1000);
}

static void *in_thread(void *signed_)
{
    sign_all(signed_);
    return NULL;
}

static void round_trips(void)
{
    uint64_t tagged = 0x5a00123456789abcul;
    int changed = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t pointer = tagged + i * 16, modifier = 0x7ffffffff000 - i * 16;
        uint64_t ia = PAC("ia", pointer, modifier), ib = PAC("ib", pointer, modifier);
        uint64_t da = PAC("da", pointer, modifier), db = PAC("db", pointer, modifier);
        changed += (ia != pointer) + (ib != pointer) + (da != pointer) + (db != pointer);
        CHECK((ia & ~FIELD) == (pointer & ~FIELD) && (db & ~FIELD) == (pointer & ~FIELD));
        CHECK(AUT("ia", ia, modifier) == pointer && AUT("ib", ib, modifier) == pointer);
        CHECK(AUT("da", da, modifier) == pointer && AUT("db", db, modifier) == pointer);
        CHECK(STRIP("i", ia) == pointer && STRIP("d", db) == pointer);
    }
    /* One signature in 128 is zero. */
    CHECK(changed > 4 * COUNT * 9 / 10);
    CHECK(STRIP("d", 0xff80123456789abcul) == 0xffff123456789abcul);
    uint64_t generic, other;
    __asm__("pacga %0, %2, %3\n pacga %1, %2, %4"
            : "=&r"(generic), "=r"(other)
            : "r"(tagged), "r"(1ul), "r"(2ul));
    CHECK((generic & 0xffffffff) == 0 && generic != other);
}

static __attribute__((noinline)) int protected_(int n)
{
    int result;
    __asm__ volatile(
        "stp x29, x30, [sp, #-16]!\n"
        "ldr x30, [sp, #8]\n"
        "paciasp\n mov x9, x30\n autiasp\n mov x10, x30\n"
        "pacibsp\n autibsp\n paciaz\n autiaz\n pacibz\n autibz\n"
        "mov x17, x30\n mov x16, sp\n pacia1716\n autia1716\n pacib1716\n autib1716\n"
        "cmp x17, x10\n cset %w0, eq\n"
        "mov x30, x9\n xpaclri\n cmp x30, x10\n cset w9, eq\n and %w0, %w0, w9\n"
        "ldp x29, x30, [sp], #16\n"
        : "=r"(result)
        :
        : "x9", "x10", "x16", "x17", "x30", "memory", "cc");
    return result;
}

/* Calls, jumps and returns through signed pointers. */
__asm__(".text\n"
        ".type twice, %function\n"
        "twice: paciasp\n add x0, x0, x0\n retaa\n"
        "twice_b: pacibsp\n add x0, x0, x0\n retab\n"
        ".global branches\n"
        ".type branches, %function\n"
        "branches: paciasp\n stp x29, x30, [sp, #-16]!\n"
        "adr x9, twice\n mov x10, #77\n pacia x9, x10\n blraa x9, x10\n"
        "adr x9, twice_b\n pacizb x9\n blrabz x9\n"
        "adr x9, 1f\n mov x10, sp\n pacib x9, x10\n brab x9, sp\n brk #1\n"
        "1: adr x9, 2f\n paciza x9\n braaz x9\n brk #2\n"
        "2: ldp x29, x30, [sp], #16\n retaa\n");
extern long branches(long);

static void loads(void)
{
    long data[3] = {11, 22, 33}, a, b;
    long *base = &data[1];
    long *after;
    __asm__ volatile("pacdza %2\n ldraa %0, [%2, #8]\n ldraa %1, [%2, #-8]!\n"
                     : "=&r"(a), "=&r"(b), "+r"(base)
                     :
                     : "memory");
    after = base;
    CHECK(a == 33 && b == 11 && after == &data[0]);
}

static void failures_fault(void)
{
    struct sigaction action = {.sa_sigaction = on_ill, .sa_flags = SA_SIGINFO}, old;
    sigaction(SIGILL, &action, &old);
    int faults = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t wrong = PAC("ia", 0x400000, i * 16) ^ 0x0001000000000000ul;
        if (sigsetjmp(back, 1) == 0) {
            AUT("ia", wrong, i * 16);
        } else {
            faults++;
            CHECK(code == 2 && (uint64_t)address == at); /* ILL_ILLOPN */
        }
    }
    /* FEAT_FPAC of the newest CPUs; before, the pointer becomes one that faults when used. */
    CHECK(faults == COUNT || faults == 0);
    sigaction(SIGILL, &old, NULL);
}

static void keys(void)
{
    uint64_t before[COUNT], after[COUNT];
    pthread_t thread;
    sign_all(before);
    pthread_create(&thread, NULL, in_thread, after);
    pthread_join(thread, NULL);
    CHECK(differences(before, after) == 0);
    if (fork() == 0) {
        sign_all(after);
        _exit(differences(before, after) != 0);
    }
    int status;
    wait(&status);
    CHECK(status == 0);

    CHECK(keys_call(PR_PAC_RESET_KEYS, PR_PAC_APIBKEY, 0, 0, 0) == 0);
    sign_all(after);
    CHECK(differences(before, after) == 0);
    CHECK(keys_call(PR_PAC_RESET_KEYS, PR_PAC_APIAKEY | PR_PAC_APGAKEY, 0, 0, 0) == 0);
    sign_all(after);
    CHECK(differences(before, after) > COUNT / 2);
    FAILS(keys_call(PR_PAC_RESET_KEYS, 32, 0, 0, 0), EINVAL);
    FAILS(keys_call(PR_PAC_RESET_KEYS, 0, 1, 0, 0), EINVAL);

    CHECK(keys_call(60, 0xful, 0xdul, 0, 0) == 0); /* PR_PAC_SET_ENABLED_KEYS: all but IB */
    CHECK(keys_call(61, 0, 0, 0, 0) == 0xd);       /* PR_PAC_GET_ENABLED_KEYS */
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK(PAC("ib", 0x400000, i) == 0x400000);
        CHECK(AUT("ib", 0x0055000000400000, i) == 0x0055000000400000);
    }
    CHECK(keys_call(60, 2ul, 2ul, 0, 0) == 0);
    FAILS(keys_call(60, 16ul, 0ul, 0, 0), EINVAL);
    FAILS(keys_call(60, 1ul, 2ul, 0, 0), EINVAL);
}

int main(void)
{
    if ((getauxval(AT_HWCAP) >> 30 & 3) == 3) {
        round_trips();
        loads();
        CHECK(branches(5) == 20);
        failures_fault();
        keys();
    } else {
        FAILS(keys_call(PR_PAC_RESET_KEYS, 0, 0, 0, 0), EINVAL);
    }
    CHECK(protected_(0)); /* hints: on every CPU */
    DONE();
}
