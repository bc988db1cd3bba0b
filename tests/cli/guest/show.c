/* What the guest sees of the command line. The first argument says what to print. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static void print_env(void)
{
	for (char **entry = environ; *entry; entry++)
		if (strncmp(*entry, "T_", 2) == 0 || strncmp(*entry, "QEMU_", 5) == 0 ||
		    strncmp(*entry, "RAEMU_", 6) == 0 || strncmp(*entry, "_RAEMU", 6) == 0)
			puts(*entry);
}

/* Touches so many KiB of stack. */
static void use_stack(long kib)
{
	volatile char *block = alloca(kib * 1024);
	for (long at = kib * 1024 - 1; at >= 0; at -= 4096)
		block[at] = 1;
	puts("enough");
}

/* Executes one instruction of an extension, by its name in /proc/cpuinfo. */
static void use_extension(const char *name)
{
	static long word;
	long value = 0;
	if (strcmp(name, "crc32") == 0)
		__asm__ volatile(".inst 0x1ac04000" ::: "x0"); /* crc32b w0, w0, w0 */
	else if (strcmp(name, "aes") == 0)
		__asm__ volatile(".inst 0x4e284800" ::: "v0"); /* aese v0.16b, v0.16b */
	else if (strcmp(name, "atomics") == 0)
		__asm__ volatile("mov x1, %0\n .inst 0xf8200020" ::"r"(&word) : "x0", "x1", "memory"); /* ldadd x0, x0, [x1] */
	else if (strcmp(name, "lrcpc") == 0)
		__asm__ volatile("mov x1, %0\n .inst 0xf8bfc020" ::"r"(&word) : "x0", "x1", "memory"); /* ldapr x0, [x1] */
	else if (strcmp(name, "paca") == 0)
		__asm__ volatile(".inst 0xdac123e0" ::: "x0"); /* paciza x0 */
	else if (strcmp(name, "sb") == 0)
		__asm__ volatile(".inst 0xd50330ff");
	else if (strcmp(name, "rng") == 0)
		__asm__ volatile(".inst 0xd53b2400" ::: "x0", "cc"); /* mrs x0, rndr */
	else if (strcmp(name, "dit") == 0)
		__asm__ volatile(".inst 0xd503415f"); /* msr dit, #1 */
	puts(name);
}

/* AT_HWCAP and the name of a model's features, as /proc/cpuinfo and MIDR_EL1 have them. */
static void print_cpu(void)
{
	char line[1024];
	unsigned long midr;
	FILE *file = fopen("/proc/cpuinfo", "r");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, "Features", 8) == 0)
			break;
	__asm__("mrs %0, midr_el1" : "=r"(midr));
	printf("%lx %lx %lx %s", midr, getauxval(AT_HWCAP), getauxval(AT_HWCAP2), line);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct utsname names;
	if (strcmp(what, "env") == 0) {
		print_env();
	} else if (strcmp(what, "uname") == 0 && uname(&names) == 0) {
		printf("%s %s %s\n", names.sysname, names.release, names.machine);
	} else if (strcmp(what, "stack") == 0 && argc > 2) {
		use_stack(atol(argv[2]));
	} else if (strcmp(what, "random") == 0) {
		const unsigned char *bytes = (const unsigned char *)getauxval(AT_RANDOM);
		for (int i = 0; i < 16; i++)
			printf("%02x", bytes[i]);
		printf(" %p\n", (void *)main);
	} else if (strcmp(what, "cpu") == 0) {
		print_cpu();
	} else if (strcmp(what, "use") == 0 && argc > 2) {
		use_extension(argv[2]);
	} else if (strcmp(what, "execfn") == 0) {
		puts((const char *)getauxval(AT_EXECFN));
	} else if (strcmp(what, "exec") == 0 && argc > 2) {
		execv(argv[2], argv + 2);
		perror(argv[2]);
		return 126;
	} else if (strcmp(what, "kexec_load") == 0) {
		syscall(SYS_kexec_load, 0, 0, 0, 0);
	} else if (strcmp(what, "die") == 0) {
		fflush(stdout);
		*(volatile int *)16 = 1;
	} else if (strcmp(what, "abort") == 0) {
		abort();
	} else {
		for (int i = 0; i < argc; i++)
			puts(argv[i]);
		return 3;
	}
	return 0;
}
