/* Ends in the way its first argument names. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipes[2];
static pthread_barrier_t barrier;
static volatile sig_atomic_t caught;

static void catch(int number) { caught = number; }

static void *spin(void *unused) {
    pthread_barrier_wait(&barrier);
    for (;;) __asm__ volatile("");
    return unused;
}

static void *block(void *unused) {
    char byte;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_barrier_wait(&barrier);
    read(pipes[0], &byte, 1);
    return unused;
}

static void *finish(void *status) {
    pthread_barrier_wait(&barrier);
    usleep(2000);
    syscall(SYS_exit_group, (int)(long)status);
    return NULL;
}

static void *later(void *unused) {
    usleep(20000);
    return unused;
}

static void *fault(void *unused) {
    pthread_barrier_wait(&barrier);
    *(volatile int *)0x30 = 1;
    return unused;
}

/* Three threads beside the main one, of which the last ends the process; the main thread waits for the first. */
static int threads(void *(*last)(void *), void *argument) {
    pthread_t made[3];
    pipe(pipes);
    pthread_barrier_init(&barrier, NULL, 3);
    pthread_create(&made[0], NULL, spin, NULL);
    pthread_create(&made[1], NULL, block, NULL);
    pthread_create(&made[2], NULL, last, argument);
    pthread_join(made[0], NULL);
    return 99;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    if (!strcmp(how, "exit")) return atoi(argv[2]);
    if (!strcmp(how, "segv")) *(volatile int *)0x20 = 1;
    if (!strcmp(how, "abort")) abort();
    if (!strcmp(how, "trap")) __builtin_trap();
    if (!strcmp(how, "term")) kill(getpid(), SIGTERM);
    if (!strcmp(how, "kill")) raise(SIGKILL);
    if (!strcmp(how, "catch")) {
        signal(SIGUSR1, catch);
        kill(getpid(), SIGUSR1);
        return caught;
    }
    if (!strcmp(how, "ignore")) {
        signal(SIGUSR2, SIG_IGN);
        raise(SIGUSR2);
        return 4;
    }
    if (!strcmp(how, "threads")) return threads(finish, (void *)9);
    if (!strcmp(how, "threads-stay")) return threads(spin, NULL);
    if (!strcmp(how, "thread-fault")) return threads(fault, NULL);
    if (!strcmp(how, "last-thread")) {
        pthread_t made;
        pthread_create(&made, NULL, later, NULL);
        pthread_exit(NULL);
    }
    if (!strcmp(how, "fork")) {
        int status;
        pid_t child = fork();
        if (!child) exit(3);
        if (waitpid(child, &status, 0) != child) return 98;
        return 10 + WEXITSTATUS(status);
    }
    if (!strcmp(how, "fork-dies")) {
        int status;
        pid_t child = fork();
        if (!child) abort();
        if (waitpid(child, &status, 0) != child) return 98;
        return 20 + WTERMSIG(status);
    }
    if (!strcmp(how, "system")) return 30 + WEXITSTATUS(system("exit 4"));
    if (!strcmp(how, "exec")) {
        execl("/bin/true", "true", NULL);
        return errno == ENOSYS ? 6 : 97;
    }
    if (!strcmp(how, "alarm")) {
        alarm(1);
        return errno == ENOSYS ? 8 : 96;
    }
    if (!strcmp(how, "count")) {
        /* Busy for a while, so that two of it run at once. */
        unsigned long sum = 0;
        for (unsigned long at = 0; at < 3000000; at++) sum = sum * 31 + at;
        return (int)(sum % 100);
    }
    return 95;
}
