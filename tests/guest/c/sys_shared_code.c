/* Code in memory that processes share: who is told of a change through the kernel executes the new code. */
#define _GNU_SOURCE
#include "check.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define ROUNDS 40

typedef int function(void);

/* Writes a function that returns `value`, through one mapping of the memory. */
static void emit(char *at, int value)
{
#ifdef __aarch64__
    uint32_t code[] = { 0x52800000u | (uint32_t)value << 5, 0xd65f03c0u };
#else
    uint8_t code[] = { 0xb8, (uint8_t)value, (uint8_t)(value >> 8), 0, 0, 0xc3 };
#endif
    memcpy(at, code, sizeof code);
    __builtin___clear_cache(at, at + sizeof code);
}

static int run(char *at)
{
    int value = 0;
    /* Often enough to be translated. */
    for (int count = 0; count < 5; count++)
        value = ((function *)at)();
    return value;
}

/* Parent and child change the code in turns, and each executes what the other has made. */
static void in_turns(char *write_at, char *run_at)
{
    int to_child[2], to_parent[2];
    char token = 0;
    CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
    emit(write_at, 1);
    CHECK(run(run_at) == 1);
    pid_t child = fork();
    if (child == 0) {
        for (int round = 0; round < ROUNDS; round++) {
            CHECK(read(to_child[0], &token, 1) == 1);
            CHECK(run(run_at) == 2 * round + 1);
            emit(write_at, 2 * round + 2);
            CHECK(write(to_parent[1], &token, 1) == 1);
        }
        _exit(failures != 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        CHECK(write(to_child[1], &token, 1) == 1);
        CHECK(read(to_parent[0], &token, 1) == 1);
        CHECK(run(run_at) == 2 * round + 2);
        emit(write_at, 2 * round + 3);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* Executable only behind the fork, in each process by itself. */
static void made_executable_later(void)
{
    char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ready[2];
    char token = 0;
    CHECK(pipe(ready) == 0);
    emit(at, 1);
    pid_t child = fork();
    CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    CHECK(run(at) == 1);
    if (child == 0) {
        CHECK(read(ready[0], &token, 1) == 1);
        emit(at, 2);
        _exit(failures != 0);
    }
    CHECK(write(ready[1], &token, 1) == 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(run(at) == 2);
}

int main(void)
{
    char *one = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(one != MAP_FAILED);
    in_turns(one, one);
    int file = memfd_create("code", 0);
    CHECK(ftruncate(file, PAGE) == 0);
    char *write_at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *run_at = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    CHECK(write_at != MAP_FAILED && run_at != MAP_FAILED);
    in_turns(write_at, run_at);
    made_executable_later();
    DONE();
}
