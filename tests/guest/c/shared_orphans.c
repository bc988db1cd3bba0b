/* Trees of processes and threads that share memory: threads make children (CLONE_VM, with CLONE_VFORK and without), those
 * make children, all map, run new code and fork. Random members are killed, makers as well as children. All others
 * go on, and end when they are told to. RAEMU_TEST_LONG: 200 trees. */
#define _GNU_SOURCE
#include "check.h"
#include "new_code.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3
#define MEMBERS 64
#define STACK (1 << 15)

/* Seen by all processes. */
static struct board {
    atomic_int stop, members;
    atomic_int pids[MEMBERS];
} *board;

struct maker {
    pthread_t thread;
    unsigned random;
    char stack[STACK] __attribute__((aligned(16)));
};

static struct maker makers[THREADS];

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A wrong result is seen by how the process ends. */
static void work_once(unsigned value) {
    if (!churn(value))
        syscall(SYS_exit_group, 9);
}

static void enter(void) {
    int number = atomic_fetch_add(&board->members, 1);
    if (number < MEMBERS)
        atomic_store(&board->pids[number], (int)syscall(SYS_getpid));
}

/* A process with a copy of the memory, which works. */
static void fork_once(unsigned value) {
    int status, pid = (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        work_once(value);
        syscall(SYS_exit_group, 0);
    }
    if (pid > 0 && syscall(SYS_wait4, pid, &status, 0, 0) == pid && status != 0)
        syscall(SYS_exit_group, 8);
}

static void work(unsigned count, unsigned rounds) {
    for (unsigned i = 0; i < rounds && !atomic_load(&board->stop); i++) {
        work_once(count + i);
        if (i % 16 == 7)
            fork_once(i);
    }
}

static int grandchild(void *argument) {
    enter();
    work((unsigned)(long)argument, 200);
    syscall(SYS_exit_group, 0);
    return 0;
}

static int child(void *argument) {
    struct maker *self = argument;
    unsigned random = self->random;
    enter();
    for (int i = 0; i < 3 && !atomic_load(&board->stop); i++) {
        work(random, 30);
        if (random % 2 == 0) {
            /* Never unmapped: it may outlive its maker. */
            char *stack = (char *)syscall(SYS_mmap, 0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            int pid = clone(grandchild, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)(long)random);
            if (pid > 0)
                syscall(SYS_wait4, pid, 0, 0, 0);
        }
    }
    syscall(SYS_exit_group, 0);
    return 0;
}

static void *make(void *argument) {
    struct maker *self = argument;
    while (!atomic_load(&board->stop)) {
        int flags = next(&self->random) % 2 ? CLONE_VM : CLONE_VM | CLONE_VFORK;
        int pid = clone(child, self->stack + STACK, flags | SIGCHLD, self);
        work(self->random, 20);
        if (pid > 0)
            syscall(SYS_wait4, pid, 0, 0, 0);
        if (next(&self->random) % 4 == 0)
            break;
    }
    while (!atomic_load(&board->stop))
        work(self->random, 100);
    return 0;
}

static void root(unsigned seed) {
    enter();
    for (int i = 0; i < THREADS; i++) {
        makers[i].random = seed * 7919 + i * 104729;
        if (pthread_create(&makers[i].thread, 0, make, &makers[i]))
            _exit(7);
    }
    while (!atomic_load(&board->stop))
        work(seed, 100);
    _exit(0);
}

static int was_killed(int pid, const int *killed, int count) {
    for (int i = 0; i < count; i++)
        if (killed[i] == pid)
            return 1;
    return 0;
}

/* Whether all of a tree ended as they had to. */
static int tree(unsigned number) {
    unsigned random = number * 31 + 7;
    int killed[4], count = 0, status;
    memset(board, 0, sizeof *board);
    int first = fork();
    if (first == 0)
        root(number);
    int kills = 1 + next(&random) % 4;
    for (int i = 0; i < kills; i++) {
        usleep(next(&random) % 10000);
        int members = atomic_load(&board->members);
        members = members < MEMBERS ? members : MEMBERS;
        /* The root in each other tree, sooner or later. */
        int victim = i == kills - 1 && number % 2 ? first
                     : members                    ? board->pids[next(&random) % members]
                                                  : 0;
        if (victim > 0 && kill(victim, SIGKILL) == 0)
            killed[count++] = victim;
    }
    usleep(10000);
    atomic_store(&board->stop, 1);
    int right = 1, pid;
    long end = milliseconds() + 20000;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) >= 0) {
        if (pid == 0 && milliseconds() > end) {
            fprintf(stderr, "tree %u: not all end\n", number);
            sleep(getenv("RAEMU_TEST_STAY") ? 10000 : 0);
            return 0;
        }
        if (pid == 0)
            usleep(1000);
        else if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && was_killed(pid, killed, count))) {
            fprintf(stderr, "tree %u: %d ended with %#x\n", number, pid, status);
            right = 0;
        }
    }
    return right;
}

int main(void) {
    int trees = getenv("RAEMU_TEST_LONG") ? 200 : 6;
    board = mmap(0, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(board != MAP_FAILED);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    for (int i = 0; i < trees && !failures; i++)
        CHECK(tree(i));
    DONE();
}
