/* What the guest sees of the command line. The first argument says what to print. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
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
	} else if (strcmp(what, "execfn") == 0) {
		puts((const char *)getauxval(AT_EXECFN));
	} else if (strcmp(what, "exec") == 0 && argc > 2) {
		execv(argv[2], argv + 2);
		perror(argv[2]);
		return 126;
	} else if (strcmp(what, "ptrace") == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
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
