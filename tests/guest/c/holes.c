/* What the guest unmaps stays free for it: nothing else lands there. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define THREADS 8

static char stacks[THREADS][1 << 18];
static pthread_barrier_t all;

static void *wait_for_all(void *unused) {
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&all);
    return unused;
}

static char *hole(long size) {
    char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(start != MAP_FAILED && munmap(start, size) == 0);
    return start;
}

/* While threads and a vfork child have come and gone, MAP_FIXED gets the hole again. */
static void fixed(void) {
    long size = 64 << 20;
    char *start = hole(size);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_t threads[THREADS];
    pthread_barrier_init(&all, 0, THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_attr_setstack(&attributes, stacks[i], sizeof stacks[i]);
        CHECK(pthread_create(&threads[i], &attributes, wait_for_all, 0) == 0);
    }
    pthread_barrier_wait(&all);
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    char *again = mmap(start, size, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(again == start);
    if (again == start)
        memset(again, 1, size);
    pthread_barrier_wait(&all);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], 0) == 0);
}

static char *top;

static void *touch(void *unused) {
    for (long i = 1; i < 256; i++)
        *(volatile char *)(top - i * PAGE) = 1;
    return unused;
}

/* An area grows down through the hole below it, as far as the guard gap of the next mapping. */
static void grows_down(void) {
    long size = 512 * PAGE;
    top = hole(size) + size;
    CHECK(mmap(top - 16 * PAGE, 16 * PAGE, PROT_READ | PROT_WRITE,
               MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) != MAP_FAILED);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stacks[0], sizeof stacks[0]);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, touch, 0) == 0);
    CHECK(pthread_join(thread, 0) == 0);
}

int main(void) {
    fixed();
    grows_down();
    DONE();
}
