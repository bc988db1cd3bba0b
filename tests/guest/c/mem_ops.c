/* Memory copy and set instructions that go on after a repaired fault, misaligned atomics, and
 * accesses of 16 bytes in one piece between threads (FEAT_MOPS, FEAT_LSE2, FEAT_LSE128). */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#ifdef __aarch64__
__asm__(".arch armv8.8-a+mops");

enum { PAGE = 4096, PAGES = 8 };
static unsigned char *from, *to;
static int repaired;
static uint64_t fault_address;

/* Makes the page that faulted accessible; the instruction goes on. */
static void repair(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    fault_address = (uint64_t)info->si_addr;
    mprotect((void *)(fault_address & -(uint64_t)PAGE), PAGE, PROT_READ | PROT_WRITE);
    repaired++;
}

#define STAGES(name, p, m, e)                                                             \
    static uint64_t name(void *d, const void *s, uint64_t n) {                            \
        register uint64_t to_ __asm__("x3") = (uint64_t)d;                                \
        register uint64_t from_ __asm__("x1") = (uint64_t)s;                              \
        register uint64_t size_ __asm__("x2") = n;                                        \
        __asm__ volatile(p "\n" m "\n" e                                                  \
                         : "+r"(to_), "+r"(from_), "+r"(size_) : : "memory", "cc");       \
        return size_;                                                                     \
    }

STAGES(copy_forward, "cpyfp [x3]!, [x1]!, x2!", "cpyfm [x3]!, [x1]!, x2!", "cpyfe [x3]!, [x1]!, x2!")
STAGES(copy, "cpyp [x3]!, [x1]!, x2!", "cpym [x3]!, [x1]!, x2!", "cpye [x3]!, [x1]!, x2!")
STAGES(set, "setp [x3]!, x2!, x1", "setm [x3]!, x2!, x1", "sete [x3]!, x2!, x1")

static void fill_source(void) {
    for (int i = 0; i < PAGES * PAGE; i++)
        from[i] = (unsigned char)(i * 7 + (i >> 8));
}

static unsigned char source(int i) { return (unsigned char)(i * 7 + (i >> 8)); }

static void hide(void *page) { CHECK(mprotect(page, PAGE, PROT_NONE) == 0); }

/* Every other page of both sides is missing at first. */
static void test_repair(uint64_t (*run)(void *, const void *, uint64_t), int d, int s, int n) {
    fill_source();
    memset(to, 0, PAGES * PAGE);
    for (int page = 1; page < PAGES - 1; page += 2) {
        hide(from + page * PAGE);
        hide(to + page * PAGE);
    }
    repaired = 0;
    CHECK(run(to + d, from + s, n) == 0);
    CHECK(repaired >= 4);
    mprotect(from, PAGES * PAGE, PROT_READ | PROT_WRITE);
    mprotect(to, PAGES * PAGE, PROT_READ | PROT_WRITE);
    int wrong = 0;
    for (int i = 0; i < n; i++)
        wrong += to[d + i] != source(s + i);
    CHECK(wrong == 0);
    CHECK(to[d - 1] == 0 && to[d + n] == 0);
}

/* A copy over itself cannot start anew after a fault: what it overwrote is gone. */
static void test_overlap(int distance, int n) {
    fill_source();
    int d = PAGE + 100 + distance, s = PAGE + 100;
    hide(from + 2 * PAGE);
    hide(from + 4 * PAGE);
    repaired = 0;
    CHECK(copy(from + d, from + s, n) == 0);
    CHECK(repaired >= 1);
    mprotect(from, PAGES * PAGE, PROT_READ | PROT_WRITE);
    int wrong = 0;
    for (int i = 0; i < n; i++)
        wrong += from[d + i] != source(s + i);
    CHECK(wrong == 0);
}

static void test_set(void) {
    memset(to, 1, PAGES * PAGE);
    hide(to + 2 * PAGE);
    repaired = 0;
    CHECK(set(to + 5, (void *)0x1aa, 3 * PAGE) == 0);
    CHECK(repaired == 1 && fault_address == (uint64_t)to + 2 * PAGE);
    int wrong = 0;
    for (int i = 0; i < 3 * PAGE; i++)
        wrong += to[5 + i] != 0xaa;
    CHECK(wrong == 0 && to[4] == 1 && to[5 + 3 * PAGE] == 1);
}

static sigjmp_buf env;
static int bus_code;
static void on_bus(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    bus_code = info->si_code;
    siglongjmp(env, 1);
}

static uint64_t add(void *p, uint64_t value) {
    uint64_t old;
    __asm__ volatile("ldaddal %1, %0, [%2]" : "=r"(old) : "r"(value), "r"(p) : "memory");
    return old;
}

static void test_misaligned(void) {
    static unsigned char block[32] __attribute__((aligned(16)));
    CHECK(add(block + 3, 0x1122334455667788) == 0 && block[3] == 0x88 && block[10] == 0x11);
    if (sigsetjmp(env, 1) == 0) {
        add(block + 9, 1);
        CHECK(!"reached");
    }
    CHECK(bus_code == BUS_ADRALN && block[9] == 0x22);
}

enum { ROUNDS = 100000 };
static uint64_t pair[2] __attribute__((aligned(16)));
static int torn;

/* Writes (k, k) and looks whether what was there had equal halves. */
static void *swapper(void *arg) {
    for (uint64_t k = (uint64_t)arg; k < ROUNDS; k += 2) {
        register uint64_t a __asm__("x4") = k, b __asm__("x5") = k;
        register uint64_t *p __asm__("x6") = pair;
        __asm__ volatile(".inst 0x19e580c4" /* swppal x4, x5, [x6] */
                         : "+r"(a), "+r"(b) : "r"(p) : "memory");
        torn += a != b;
    }
    return NULL;
}

static void *storer(void *arg) {
    (void)arg;
    for (uint64_t k = 0; k < ROUNDS; k++)
        __asm__ volatile("stp %0, %0, [%1]" : : "r"(k), "r"(pair) : "memory");
    return NULL;
}

static void *loader(void *arg) {
    (void)arg;
    for (int k = 0; k < ROUNDS; k++) {
        uint64_t a, b;
        __asm__ volatile("ldp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(pair) : "memory");
        torn += a != b;
    }
    return NULL;
}

static void test_threads(void) {
    pthread_t threads[4];
    void *(*bodies[4])(void *) = {swapper, swapper, storer, loader};
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, bodies[i], (void *)(uint64_t)(i & 1)) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK(torn == 0);
}

int main(void) {
    int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    from = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, anonymous, -1, 0);
    to = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, anonymous, -1, 0);
    struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    action.sa_sigaction = on_bus;
    sigaction(SIGBUS, &action, NULL);
    test_repair(copy_forward, 7, 3, 7 * PAGE);
    test_repair(copy_forward, 64, 64, 6 * PAGE);
    test_repair(copy, 1, 1000, 6 * PAGE + 77);
    for (int distance = 1; distance < 600; distance = distance * 2 + 1) {
        test_overlap(distance, 3 * PAGE + 50);
        test_overlap(-distance, 3 * PAGE + 50);
    }
    for (int n = 4001; n < 4070; n++)
        test_overlap(-5, n), test_overlap(9, n);
    test_set();
    test_misaligned();
    test_threads();
    DONE();
}
#else
int main(void) {
    DONE();
}
#endif
