/* What the kernel promises at the start of a program: auxiliary vector, stack, environment. */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

/* AT_HWCAP3 (29) is there since Linux 6.14, even if it is zero. */
static int has_third_word(char **env)
{
    while (*env)
        env++;
    for (Elf64_auxv_t *entry = (Elf64_auxv_t *)(env + 1); entry->a_type != AT_NULL; entry++)
        if (entry->a_type == 29)
            return 1;
    struct utsname name;
    int major = 0, minor = 0;
    uname(&name);
    sscanf(name.release, "%d.%d", &major, &minor);
    return major < 6 || (major == 6 && minor < 14);
}

int main(int argc, char **argv)
{
    printf("argc %d, argv[argc] %s\n", argc, argv[argc] ? "set" : "NULL");
    printf("stack aligned %d\n", (uintptr_t)argv % 8 == 0 && (uintptr_t)__builtin_frame_address(0) % 16 == 0);
    printf("page size %lu, clock %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK));
    printf("phent %lu, phnum sensible %d\n", getauxval(AT_PHENT), getauxval(AT_PHNUM) - 1 < 30);
    printf("entry inside %d\n", getauxval(AT_ENTRY) != 0);
    printf("platform %s\n", (const char *)getauxval(AT_PLATFORM));
    printf("execfn ends in program %d\n", strstr((const char *)getauxval(AT_EXECFN), "program") != NULL);
    printf("ids agree %d\n", getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
    printf("secure %lu\n", getauxval(AT_SECURE));
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    int zero = 0;
    for (int i = 0; i < 16; i++)
        zero += random[i] == 0;
    printf("random looks random %d\n", zero < 8);
    printf("fp and simd %d\n", (getauxval(AT_HWCAP) & 3) == 3);
    printf("three words of capabilities %d\n", has_third_word(argv + argc + 1));
    const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    printf("vdso is ELF %d\n", vdso && memcmp(vdso, "\177ELF", 4) == 0);
    printf("PATH %s\n", getenv("PATH"));
    return environ[0] == NULL;
}
