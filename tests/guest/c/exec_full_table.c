// execve needs no descriptor of the caller's: by O_PATH, with a full table, and whatever RLIMIT_NOFILE is.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const none[] = {0};
static char exe[] = "/tmp/exec_full_tableXXXXXX";

// write(1, "runs\\n", 5); exit(0): a program that opens nothing itself, however this one is linked.
static const unsigned char code[] = {
#ifdef __aarch64__
    0x20, 0x00, 0x80, 0xd2, 0xe1, 0x00, 0x00, 0x10, 0xa2, 0x00, 0x80, 0xd2, 0x08, 0x08, 0x80, 0xd2,
    0x01, 0x00, 0x00, 0xd4, 0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4,
#define MACHINE EM_AARCH64
#else
    0xbf, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 0x15, 0, 0, 0, 0xba, 5, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x0f, 0x05,
    0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05,
#define MACHINE EM_X86_64
#endif
    'r', 'u', 'n', 's', '\n'};

static void make_program(void) {
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        unsigned char code[sizeof code];
    } file = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC,
                   .e_machine = MACHINE, .e_version = EV_CURRENT, .e_phoff = sizeof file.header,
                   .e_ehsize = sizeof file.header, .e_phentsize = sizeof file.segment, .e_phnum = 1},
        .segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof file,
                    .p_memsz = sizeof file, .p_align = 0x1000},
    };
    file.header.e_entry = 0x400000 + ((char *)file.code - (char *)&file);
    memcpy(file.code, code, sizeof code);
    int fd = mkstemp(exe);
    if (write(fd, &file, sizeof file) != sizeof file || fchmod(fd, 0755))
        perror("program");
    close(fd);
}

static void again(void) {
    char *const args[] = {"runs", 0};
    execve(exe, args, none);
}

static void by_path_descriptor(int flags) {
    char *const args[] = {"runs", 0};
    int fd = open(exe, O_PATH | flags);
    syscall(SYS_execveat, fd, "", args, none, AT_EMPTY_PATH);
}

static void fill(void) {
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
}

static void limit(rlim_t soft, rlim_t hard) {
    struct rlimit limit = {soft, hard};
    if (setrlimit(RLIMIT_NOFILE, &limit))
        perror("setrlimit");
}

static void run(const char *what, int number) {
    printf("%s: ", what);
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        switch (number) {
        case 0: by_path_descriptor(0); break;
        case 1: by_path_descriptor(O_CLOEXEC); break;
        case 2: fill(); again(); break;
        case 3: fill(); execve("/nowhere", none, none); break;
        case 4: fill(); execve("/dev/null", none, none); break;
        case 5: limit(0, 64); again(); break;
        case 6: limit(3, 64); again(); break;
        case 7: limit(3, 3); again(); break;
        case 8: limit(1, 1); again(); break;
        }
        printf("%s\n", strerror(errno));
        fflush(stdout);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    printf("  ended %x\n", status);
}

int main(void) {
    make_program();
    // Whatever the caller left open.
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    limit(64, 64);
    run("O_PATH", 0);
    run("O_PATH, closed on exec", 1);
    run("full table", 2);
    run("full table, no such file", 3);
    run("full table, no program", 4);
    run("soft limit 0", 5);
    run("soft limit 3", 6);
    run("hard limit 3", 7);
    run("hard limit 1", 8);
    unlink(exe);
    return 0;
}
