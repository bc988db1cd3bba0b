/* The vDSO's symbols through the System V hash table and the version table, as C libraries
   that do without ld.so look them up; and the call of one of them. */
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

static const char *base, *strings;
static const ElfW(Sym) *symbols;
static const ElfW(Versym) *versions;
static const ElfW(Word) *hash;
static const char *definitions;

static void find_tables(void)
{
	const ElfW(Ehdr) *header = (const void *)base;
	const ElfW(Phdr) *segment = (const void *)(base + header->e_phoff);
	const ElfW(Dyn) *entry = NULL;
	for (int i = 0; i < header->e_phnum; i++)
		if (segment[i].p_type == PT_DYNAMIC)
			entry = (const void *)(base + segment[i].p_offset);
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const void *at = base + entry->d_un.d_ptr;
		switch (entry->d_tag) {
		case DT_STRTAB: strings = at; break;
		case DT_SYMTAB: symbols = at; break;
		case DT_VERSYM: versions = at; break;
		case DT_HASH: hash = at; break;
		case DT_VERDEF: definitions = at; break;
		}
	}
}

static const char *version_of(int index)
{
	const ElfW(Verdef) *definition = (const void *)definitions;
	while (definition->vd_ndx != (versions[index] & 0x7fff)) {
		if (!definition->vd_next)
			return "none";
		definition = (const void *)((const char *)definition + definition->vd_next);
	}
	const ElfW(Verdaux) *name = (const void *)((const char *)definition + definition->vd_aux);
	return strings + name->vda_name;
}

static const void *look_up(const char *name)
{
	for (ElfW(Word) i = 1; i < hash[1]; i++)
		if (strcmp(strings + symbols[i].st_name, name) == 0) {
			printf("%s@%s\n", name, version_of(i));
			return base + symbols[i].st_value;
		}
	printf("%s is missing\n", name);
	return NULL;
}

int main(void)
{
	base = (const char *)getauxval(AT_SYSINFO_EHDR);
	find_tables();
	int (*gettime)(clockid_t, struct timespec *) = look_up("__kernel_clock_gettime");
	look_up("__kernel_gettimeofday");
	look_up("__kernel_clock_getres");
	look_up("__kernel_rt_sigreturn");
	struct timespec mine, its;
	clock_gettime(CLOCK_REALTIME, &mine);
	printf("result %d\n", gettime(CLOCK_REALTIME, &its));
	printf("near %d\n", its.tv_sec - mine.tv_sec >= 0 && its.tv_sec - mine.tv_sec < 60);
	printf("bad clock %d\n", gettime(12345, &its));
	return 0;
}
