/* set*id calls of a threaded process change every thread (man 7 nptl): the C library sends signal 33 to
 * each of them, whatever it does at the moment. */
#define _GNU_SOURCE
#include "check.h"
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COMPUTES, READS, WAITS, BLOCKS, KINDS, THREADS = 2 * KINDS };

static pthread_barrier_t started, look, looked;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int stop;
static int pipes[THREADS][2];

struct ids {
    uid_t r, e, s;
    gid_t gr, ge, gs;
};
static struct ids seen[THREADS];

/* Raw calls: of the calling thread alone. */
static struct ids ids(void) {
    struct ids i;
    syscall(SYS_getresuid, &i.r, &i.e, &i.s);
    syscall(SYS_getresgid, &i.gr, &i.ge, &i.gs);
    return i;
}

static void *thread(void *arg) {
    long n = (long)arg;
    char byte;
    if (n % KINDS == BLOCKS) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, NULL);
    }
    pthread_barrier_wait(&started);
    switch (n % KINDS) {
    case COMPUTES:
    case BLOCKS:
        while (!stop)
            ;
        break;
    case READS:
        CHECK(read(pipes[n][0], &byte, 1) == 1);
        break;
    case WAITS:
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        break;
    }
    pthread_barrier_wait(&look);
    seen[n] = ids();
    pthread_barrier_wait(&looked);
    return NULL;
}

/* A thread that changes ids itself, and is joined: main must have them as well. */
static void *changes(void *arg) {
    uid_t *id = arg;
    CHECK(setresuid(-1, *id, -1) == 0);
    return NULL;
}

int main(void) {
    int root = getuid() == 0;
    uid_t uid = root ? 1001 : getuid();
    gid_t gid = root ? 1002 : getgid();
    pthread_t threads[THREADS];
    pthread_barrier_init(&started, NULL, THREADS + 1);
    pthread_barrier_init(&look, NULL, THREADS + 1);
    pthread_barrier_init(&looked, NULL, THREADS + 1);
    pthread_mutex_lock(&mutex);
    for (long n = 0; n < THREADS; n++) {
        CHECK(pipe(pipes[n]) == 0);
        CHECK(pthread_create(&threads[n], NULL, thread, (void *)n) == 0);
    }
    pthread_barrier_wait(&started);
    /* Each function of the family, back and forth. */
    for (int round = 0; round < 10; round++) {
        CHECK(setegid(gid) == 0 && seteuid(uid) == 0);
        CHECK(setresuid(-1, root ? 0 : uid, -1) == 0 && setresgid(-1, root ? 0 : gid, -1) == 0);
        CHECK(setregid(-1, gid) == 0 && setreuid(-1, uid) == 0);
        CHECK(seteuid(root ? 0 : uid) == 0 && setegid(root ? 0 : gid) == 0);
        pthread_t changer;
        CHECK(pthread_create(&changer, NULL, changes, &uid) == 0 && pthread_join(changer, NULL) == 0);
        CHECK(ids().e == uid);
        CHECK(seteuid(root ? 0 : uid) == 0);
    }
    if (root) {
        gid_t groups[] = {gid};
        CHECK(setgroups(1, groups) == 0);
    }
    CHECK(setgid(gid) == 0);
    CHECK(setuid(uid) == 0);
    stop = 1;
    pthread_mutex_unlock(&mutex);
    for (int n = 0; n < THREADS; n++)
        CHECK(write(pipes[n][1], "", 1) == 1);
    pthread_barrier_wait(&look);
    pthread_barrier_wait(&looked);
    for (int n = 0; n < THREADS; n++) {
        struct ids want = {uid, uid, uid, gid, gid, gid};
        CHECK(memcmp(&seen[n], &want, sizeof want) == 0);
        pthread_join(threads[n], NULL);
    }
    if (root)
        FAILS(setuid(0), EPERM);
    DONE();
}
