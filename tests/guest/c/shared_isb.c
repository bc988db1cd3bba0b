/* Code that another process has changed, told by a store and synchronised by ISB alone: the one who runs it makes no
 * system call. Through one mapping or two of the same memory, by the parent for its child and by the child. */
#define _GNU_SOURCE
#include "check.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define ROUNDS 200

static struct board {
    /* The round whose code is there, and what came of it. */
    atomic_int ready, done, result;
} *board;

static void write_code(char *at, int value) {
#ifdef __aarch64__
    unsigned words[] = {0x52800000 | value << 5, 0xd65f03c0};
#else
    unsigned char words[] = {0xb8, value, value >> 8, 0, 0, 0xc3};
#endif
    memcpy(at, words, sizeof words);
    __builtin___clear_cache(at, at + sizeof words);
}

static void synchronise(void) {
#ifdef __aarch64__
    __asm__ volatile("isb" ::: "memory");
#endif
}

static void produce(char *at) {
    for (int round = 1; round <= ROUNDS && !failures; round++) {
        write_code(at, round);
        atomic_store(&board->ready, round);
        while (atomic_load(&board->done) != round)
            usleep(10);
        CHECK(board->result == round);
    }
    atomic_store(&board->ready, -1);
}

static void consume(char *at) {
    for (int round = 1;; round++) {
        int ready;
        while ((ready = atomic_load(&board->ready)) != round && ready >= 0)
            ;
        if (ready < 0)
            return;
        synchronise();
        board->result = ((int (*)(void))at)();
        atomic_store(&board->done, round);
    }
}

static void between(const char *name, char *writable, char *executable, int child_produces) {
    memset(board, 0, sizeof *board);
    write_code(writable, 0x7fff);
    synchronise();
    CHECK(((int (*)(void))executable)() == 0x7fff);
    pid_t child = fork();
    if (child == 0) {
        if (child_produces)
            produce(writable);
        else
            consume(executable);
        _exit(failures != 0);
    }
    if (child_produces)
        consume(executable);
    else
        produce(writable);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    printf("%s, by the %s\n", name, child_produces ? "child" : "parent");
    fflush(stdout);
}

int main(void) {
    int rw = PROT_READ | PROT_WRITE, rx = PROT_READ | PROT_EXEC;
    board = mmap(0, PAGE, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int file = memfd_create("code", 0);
    CHECK(board != MAP_FAILED && file >= 0 && ftruncate(file, PAGE) == 0);
    char *both = mmap(0, PAGE, rw | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *writable = mmap(0, PAGE, rw, MAP_SHARED, file, 0);
    char *executable = mmap(0, PAGE, rx, MAP_SHARED, file, 0);
    CHECK(both != MAP_FAILED && writable != MAP_FAILED && executable != MAP_FAILED);
    for (int child_produces = 0; child_produces < 2; child_produces++) {
        between("one mapping", both, both, child_produces);
        between("two mappings", writable, executable, child_produces);
    }
    DONE();
}
