/* A program that passes each boundary at which a task can be stopped (crates/linux-user/src/kernel/stop.rs). It has
 * no C library, so that it makes no call that is not here. */
typedef unsigned long ulong;

#ifdef __aarch64__
enum { CLOSE = 57, EXIT = 93, EXIT_GROUP = 94, KILL = 129, RT_SIGACTION = 134, GETPID = 172, GETPPID = 173,
       GETTID = 178, CLONE = 220, EXECVE = 221, WAIT4 = 260 };

static long call(long number, ulong a, ulong b, ulong c, ulong d, ulong e) {
    register long x8 __asm__("x8") = number;
    register ulong x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
                   x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return (long)x0;
}
/* A child on a stack of its own, which calls f. */
long child(ulong flags, void *stack, void (*f)(void), int *tid);
__asm__("child:\n"
        "    str x2, [x1, -16]!\n"
        "    mov x2, x3\n"
        "    mov x4, x3\n"
        "    mov x3, 0\n"
        "    mov x8, 220\n"
        "    svc 0\n"
        "    cbnz x0, 1f\n"
        "    ldr x2, [sp], 16\n"
        "    blr x2\n"
        "1:  ret\n");
__asm__(".globl _start\n_start: mov x0, sp\n    b begin\n");
#define BREAKPOINT "brk 7"
/* uc_mcontext.pc: behind the BRK. */
#define PASS(context) ((context)[(168 + 8 + 31 * 8 + 8 + 8) / 8] += 4)
#define SA_RESTORER 0
#define RESTORER 0
#else
enum { CLOSE = 3, EXIT = 60, EXIT_GROUP = 231, KILL = 62, RT_SIGACTION = 13, GETPID = 39, GETPPID = 110,
       GETTID = 186, CLONE = 56, EXECVE = 59, WAIT4 = 61 };

static long call(long number, ulong a, ulong b, ulong c, ulong d, ulong e) {
    register ulong r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}
long child(ulong flags, void *stack, void (*f)(void), int *tid);
__asm__("child:\n"
        "    sub $16, %rsi\n"
        "    mov %rdx, (%rsi)\n"
        "    mov %rcx, %rdx\n"
        "    mov %rcx, %r10\n"
        "    xor %r8d, %r8d\n"
        "    mov $56, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jnz 1f\n"
        "    pop %rdx\n"
        "    call *%rdx\n"
        "1:  ret\n");
__asm__(".globl _start\n_start: mov %rsp, %rdi\n    and $-16, %rsp\n    call begin\n");
extern char restorer[];
__asm__("restorer: mov $15, %eax\n    syscall\n");
#define BREAKPOINT "int3"
/* The CPU has passed it. */
#define PASS(context) (void)(context)
#define SA_RESTORER 0x04000000
#define RESTORER restorer
#endif
enum { SIGTRAP = 5, SIGUSR1 = 10, SIGCHLD = 17 };
#define CALL(n, a, b, c) call(n, (ulong)(a), (ulong)(b), (ulong)(c), 0, 0)

static char stack[16384] __attribute__((aligned(16)));
static int word;

static void handler(int signal) { (void)signal; }
static void trap(int signal, void *info, ulong *context) {
    (void)signal, (void)info;
    PASS(context);
}
struct action {
    void *handler;
    ulong flags;
    void *restorer;
    ulong mask;
};
static void handle(int signal, void *f) {
    struct action a = {f, 4 | SA_RESTORER, RESTORER, 0};
    call(RT_SIGACTION, (ulong)signal, (ulong)&a, 0, 8, 0);
}

static void thread(void) {
    CALL(GETTID, 0, 0, 0);
    CALL(EXIT, 1, 0, 0);
}
static void vforked(void) {
    CALL(GETPPID, 0, 0, 0);
    CALL(EXIT_GROUP, 2, 0, 0);
}
static void wait_for(long pid) { call(WAIT4, (ulong)pid, 0, 0x40000000, 0, 0); }

void begin(ulong *sp) {
    char *argv[] = {(char *)sp[1], "again", 0}, *envp[] = {0};
    if (sp[0] > 1) {
        CALL(GETPID, 0, 0, 0);
        CALL(EXIT_GROUP, 3, 0, 0);
    }
    /* A signal with a handler. */
    handle(SIGUSR1, handler);
    CALL(KILL, CALL(GETPID, 0, 0, 0), SIGUSR1, 0);
    /* A breakpoint. */
    handle(SIGTRAP, trap);
    __asm__ volatile(BREAKPOINT ::: "memory");
    /* A thread: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, PARENT_SETTID, CHILD_CLEARTID. */
    word = 1;
    child(0x350f00, stack + sizeof stack, thread, &word);
    while (*(volatile int *)&word)
        ;
    /* fork, with an exit by a signal; then one that executes. */
    long pid = CALL(CLONE, SIGCHLD, 0, 0);
    if (pid == 0)
        *(volatile int *)8 = 1;
    wait_for(pid);
    pid = CALL(CLONE, SIGCHLD, 0, 0);
    if (pid == 0)
        CALL(EXECVE, argv[0], argv, envp);
    wait_for(pid);
    /* vfork; CLONE_VM alone, with another exit signal. */
    wait_for(child(0x4100 | SIGCHLD, stack + sizeof stack, vforked, 0));
    wait_for(child(0x100, stack + sizeof stack, vforked, 0));
    /* A call that fails, and one that does not exist. */
    CALL(CLOSE, -1, 0, 0);
    CALL(4000, 0, 0, 0);
    CALL(EXIT_GROUP, 4, 0, 0);
}
