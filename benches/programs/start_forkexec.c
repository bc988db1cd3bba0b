/* Forks and executes the command given as arguments a number of times, as a shell script does.
 *
 * Natively and under raemu-aarch64 the command is `start_true`; for an emulator that does not run foreign children
 * by itself, its own path stands in front, which is what binfmt_misc would do.
 */
#include "bench.h"
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned good = 0;
    if (argc < 2)
        return 2;
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            execv(argv[1], argv + 1);
            _exit(127);
        }
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child)
            return 1;
        good += status == 0;
    }
    return bench_report("start_forkexec", good);
}
