/* All that has an address, compared with a limit that the first argument gives (0: none). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static unsigned long limit;

static void check(const char *what, const void *address)
{
	if (address == MAP_FAILED || (unsigned long)address >= limit)
		printf("%s: %p\n", what, address);
}

static void *thread(void *argument)
{
	check("a thread's stack", &argument);
	return argument;
}

/* Many mappings, so that some have to move. */
static void maps(void)
{
	enum { SIZE = 1 << 16 };
	char *first = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *second = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check("mmap", first);
	check("mmap again", second);
	strcpy(second, "contents");
	char *moved = mremap(second, SIZE, 16 * SIZE, MREMAP_MAYMOVE);
	check("mremap", moved);
	check("mremap's end", moved + 16 * SIZE - 1);
	moved[16 * SIZE - 1] = 1;
	if (strcmp(moved, "contents"))
		puts("contents lost");
	char *smaller = mremap(moved, 16 * SIZE, SIZE, MREMAP_MAYMOVE);
	if (smaller != moved)
		puts("smaller, but elsewhere");
	void *hint = (void *)(limit / 4 & ~0xffffUL);
	if (mmap(hint, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != hint)
		puts("a hint is not followed");
	check("a hint that is taken", mmap(hint, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	check("a hint beyond", mmap((void *)limit, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (mmap((void *)limit, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED || errno != ENOMEM)
		puts("mapped beyond the limit");
	munmap(first, SIZE);
	check("where one was", mmap(NULL, SIZE / 2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int segment = shmget(IPC_PRIVATE, SIZE, 0600);
	check("shmat", shmat(segment, NULL, 0));
	shmctl(segment, IPC_RMID, NULL);
	if (mmap(NULL, limit, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED || errno != ENOMEM)
		puts("more than there is");
}

int main(int argc, char **argv)
{
	pthread_t other;
	char *end;
	limit = strtoul(argv[1], &end, 0);
	check("the program", main);
	check("the stack", &other);
	check("the heap", malloc(16));
	check("a large block", malloc(1 << 20));
	check("brk", sbrk(4096));
	check("the vDSO", (void *)getauxval(AT_SYSINFO_EHDR));
	check("the interpreter", (void *)getauxval(AT_BASE));
	pthread_create(&other, NULL, thread, NULL);
	pthread_join(other, NULL);
	maps();
	/* Deep enough to grow. */
	volatile char deep[4 << 20];
	for (int at = sizeof deep - 1; at >= 0; at -= 4096)
		deep[at] = 1;
	printf("%d bits\n", 64 - __builtin_clzl((unsigned long)&other));
	fflush(stdout);
	if (argc < 3)
		execl(argv[0], argv[0], argv[1], "again", (char *)0);
	return 0;
}
