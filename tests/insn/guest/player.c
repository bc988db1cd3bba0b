/*
 * Runs single A64 instructions from given states and reports what they did.
 *
 * A free-standing static program for any AArch64 Linux: real hardware or an
 * emulator. It reads `struct one_case` records from standard input, and writes a
 * `struct outcome` for each to standard output. The layout of both, and of memory,
 * is that of ../src/remote.rs and ../src/arena.rs.
 *
 * Everything happens in one signal handler: the instructions under test are
 * followed by BRK, so they end in a signal whatever they do; the signal frame has
 * all their registers. The handler writes them out, puts the next case into the
 * frame and returns into it.
 */

typedef unsigned int u32;
typedef unsigned long u64;
typedef unsigned __int128 u128;

#define LITERAL_BASE 0x1000000000ul
#define LITERAL_SIZE 0x200000ul
#define CODE_BASE 0x1000100000ul
#define CODE_SIZE 0x1000ul
#define CODE_ENTRY (CODE_BASE + 0x800)
#define DATA_BASE 0x1010000000ul
#define DATA_SIZE 0x20000ul
#define MAX_WORDS 64
#define MAX_CHANGES 16
#define BRK 0xd4200000u

struct one_case {
	u32 words;
	u32 check_memory;
	u32 word[MAX_WORDS];
	u64 x[32]; /* SP last */
	u64 nzcv, fpcr, fpsr, tpidr;
	u64 padding;
	u128 v[32];
};

struct outcome {
	u64 signal, code, fault_address;
	u64 x[32]; /* SP last */
	u64 pc, nzcv, fpcr, fpsr, tpidr;
	u64 changes;
	u64 padding;
	u64 change[MAX_CHANGES][2]; /* address, value */
	u128 v[32];
};

/* arch/arm64/include/uapi/asm/{sigcontext,ucontext}.h */
struct fpsimd {
	u32 magic, size, fpsr, fpcr;
	u128 v[32];
};
struct ucontext {
	u64 flags, link, stack[3], sigmask;
	unsigned char unused[1024 / 8 - 8];
	u64 padding;
	u64 fault_address, regs[31], sp, pc, pstate, padding2;
	struct fpsimd fpsimd;
};
struct siginfo {
	int signo, error, code, padding;
	u64 address;
};
struct action {
	void (*handler)(int, struct siginfo *, struct ucontext *);
	u64 flags;
	void (*restorer)(void);
	u64 mask;
};

static struct one_case current;
static struct outcome result;
static u64 pristine[DATA_SIZE / 8];
static unsigned char stack[65536] __attribute__((aligned(16)));
static int running;

static long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 asm("x8") = number;
	register long x0 asm("x0") = a;
	register long x1 asm("x1") = b;
	register long x2 asm("x2") = c;
	register long x3 asm("x3") = d;
	register long x4 asm("x4") = e;
	register long x5 asm("x5") = f;
	asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

#define SYS_exit_group 94
#define SYS_read 63
#define SYS_write 64
#define SYS_sigaltstack 132
#define SYS_rt_sigaction 134
#define SYS_mmap 222
#define SYS_mprotect 226

static void quit(int status)
{
	for (;;)
		syscall6(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

/* Reads a whole record; 0 at the end of input. */
static int read_all(void *to, u64 size)
{
	char *at = to;
	while (size) {
		long got = syscall6(SYS_read, 0, (long)at, size, 0, 0, 0);
		if (got <= 0)
			return 0;
		at += got;
		size -= got;
	}
	return 1;
}

static void write_all(const void *from, u64 size)
{
	const char *at = from;
	while (size) {
		long put = syscall6(SYS_write, 1, (long)at, size, 0, 0, 0);
		if (put <= 0)
			quit(2);
		at += put;
		size -= put;
	}
}

/* The content of memory: a function of the address (splitmix64). */
static u64 content(u64 address)
{
	u64 z = (address >> 3) * 0x9e3779b97f4a7c15ul + 0x9e3779b97f4a7c15ul;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
	return z ^ (z >> 31);
}

static void compare_memory(void)
{
	volatile u64 *data = (u64 *)DATA_BASE;
	for (u64 i = 0; i < DATA_SIZE / 8; i++) {
		u64 now = data[i];
		if (now == pristine[i])
			continue;
		data[i] = pristine[i];
		if (result.changes < MAX_CHANGES) {
			result.change[result.changes][0] = DATA_BASE + 8 * i;
			result.change[result.changes][1] = now;
		}
		result.changes++;
	}
}

static void report(int signal, struct siginfo *info, struct ucontext *uc)
{
	result.signal = signal;
	result.code = info->code;
	result.fault_address = info->address;
	for (int i = 0; i < 31; i++)
		result.x[i] = uc->regs[i];
	result.x[31] = uc->sp;
	result.pc = uc->pc;
	result.nzcv = uc->pstate & 0xf0000000;
	result.fpcr = uc->fpsimd.fpcr;
	result.fpsr = uc->fpsimd.fpsr;
	asm volatile("mrs %0, tpidr_el0" : "=r"(result.tpidr));
	for (int i = 0; i < 32; i++)
		result.v[i] = uc->fpsimd.v[i];
	result.changes = 0;
	for (int i = 0; i < MAX_CHANGES; i++)
		result.change[i][0] = result.change[i][1] = 0;
	if (current.check_memory)
		compare_memory();
	write_all(&result, sizeof result);
}

static void set_up(struct ucontext *uc)
{
	volatile u32 *code = (u32 *)CODE_ENTRY;
	for (u32 i = 0; i < MAX_WORDS; i++)
		code[i] = i < current.words ? current.word[i] : BRK;
	for (u32 i = 0; i < MAX_WORDS; i += 16)
		asm volatile("dc cvau, %0\n dsb ish\n ic ivau, %0" ::"r"(code + i) : "memory");
	asm volatile("dsb ish\n isb" ::: "memory");
	for (int i = 0; i < 31; i++)
		uc->regs[i] = current.x[i];
	uc->sp = current.x[31];
	uc->pc = CODE_ENTRY;
	uc->pstate = (uc->pstate & ~0xf0000000ul) | current.nzcv;
	uc->fpsimd.fpcr = current.fpcr;
	uc->fpsimd.fpsr = current.fpsr;
	asm volatile("msr tpidr_el0, %0" ::"r"(current.tpidr));
	for (int i = 0; i < 32; i++)
		uc->fpsimd.v[i] = current.v[i];
}

static void handler(int signal, struct siginfo *info, struct ucontext *uc)
{
	if (uc->fpsimd.magic != 0x46508001)
		quit(3);
	if (running)
		report(signal, info, uc);
	if (!read_all(&current, sizeof current))
		quit(0);
	running = 1;
	set_up(uc);
}

static void map(u64 address, u64 size, int protection)
{
	/* MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_PRIVATE */
	if (syscall6(SYS_mmap, address, size, protection, 0x100022, -1, 0) != (long)address)
		quit(4);
}

void start_c(void)
{
	/* SA_SIGINFO | SA_ONSTACK */
	struct action action = { handler, 0x08000004, 0, 0 };
	struct { void *base; u64 flags, size; } alternate = { stack, 0, sizeof stack };
	static const int signals[] = { 4, 5, 7, 8, 11 };

	map(LITERAL_BASE, LITERAL_SIZE, 3);
	for (u64 a = LITERAL_BASE; a < LITERAL_BASE + LITERAL_SIZE; a += 8)
		*(u64 *)a = content(a);
	for (u64 a = CODE_BASE; a < CODE_BASE + CODE_SIZE; a += 4)
		*(u32 *)a = BRK;
	syscall6(SYS_mprotect, LITERAL_BASE, LITERAL_SIZE, 1, 0, 0, 0);
	syscall6(SYS_mprotect, CODE_BASE, CODE_SIZE, 7, 0, 0, 0);
	map(DATA_BASE, DATA_SIZE, 3);
	for (u64 i = 0; i < DATA_SIZE / 8; i++)
		((u64 *)DATA_BASE)[i] = pristine[i] = content(DATA_BASE + 8 * i);

	syscall6(SYS_sigaltstack, (long)&alternate, 0, 0, 0, 0, 0);
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
		syscall6(SYS_rt_sigaction, signals[i], (long)&action, 0, 8, 0, 0);
	asm volatile("brk 0");
	quit(5);
}

asm(".globl _start\n_start: mov x29, 0\n mov x30, 0\n b start_c\n");
