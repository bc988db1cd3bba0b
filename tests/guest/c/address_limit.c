/* A program under RLIMIT_AS has most of it for itself: eighty threads and some memory in 1 GB. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 80
#define MIB (1UL << 20)

static pthread_barrier_t barrier;

static void *wait_for_all(void *unused)
{
    pthread_barrier_wait(&barrier);
    return unused;
}

static int limited(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8 * MIB);
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int n = 0; n < THREADS; n++)
        CHECK(pthread_create(&threads[n], &attributes, wait_for_all, NULL) == 0);
    CHECK(mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    FAILS(mmap(NULL, 1000 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    if (failures == 0)
        pthread_barrier_wait(&barrier);
    for (int n = 0; n < THREADS && failures == 0; n++)
        pthread_join(threads[n], NULL);
    return failures != 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        _exit((fflush(stdout), limited()) + (fflush(stdout), 0));
    if (fork() == 0) {
        struct rlimit limit = {1000 * MIB, 1000 * MIB};
        setrlimit(RLIMIT_AS, &limit);
        setenv("MALLOC_ARENA_MAX", "1", 1);
        execl("/proc/self/exe", argv[0], "limited", NULL);
        _exit(9);
    }
    int status;
    wait(&status);
    CHECK(status == 0);
    DONE();
}
