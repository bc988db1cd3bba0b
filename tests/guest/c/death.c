/* Dies of abort(), after output that must not be lost or doubled. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    puts("before");
    fflush(stdout);
    if (fork() == 0)
        _exit(3);
    int status;
    wait(&status);
    printf("%d\n", WEXITSTATUS(status));
    fflush(stdout);
    abort();
}
