/* What ptrace(2) refuses, and the waits of a tracer with each option. */
#include "ptrace.h"

static int quits(void)
{
    return 3;
}

static int stops(void)
{
    raise(SIGSTOP);
    /* Until its end it can be seen that it went on. */
    usleep(50000);
    return 4;
}

static int waits(void)
{
    for (;;)
        pause();
}

static void refused(void)
{
    puts("# who is no tracee");
    printf("%s\n", answer(pt(PTRACE_CONT, getppid(), 0, 0)));
    printf("%s\n", answer(pt(PTRACE_ATTACH, 0x3ffffff, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_ATTACH, getpid(), 0, 0)));
    printf("%s\n", answer(pt(PTRACE_SEIZE, getpid(), 0, 0)));
    printf("%s\n", answer(pt(PTRACE_KILL, getppid(), 0, 0)));
    printf("%s\n", answer(pt(PTRACE_INTERRUPT, getppid(), 0, 0)));
    puts("# what runs is not stopped");
    pid_t pid = child(waits);
    until(pid, "S");
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 1, 0)));
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 0, 1L << 30)));
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 0)));
    long word;
    printf("%s\n", answer(pt(PTRACE_PEEKDATA, pid, (long)&word, (long)&word)));
    printf("%s\n", answer(pt(PTRACE_DETACH, pid, 0, 0)));
    puts("# twice");
    printf("%s\n", answer(pt(PTRACE_SEIZE, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_ATTACH, pid, 0, 0)));
    kill_it(pid);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        printf("%s ", answer(pt(PTRACE_TRACEME, 0, 0, 0)));
        printf("%s\n", answer(pt(PTRACE_TRACEME, 0, 0, 0)));
        fflush(stdout);
        _exit(0);
    }
    next("end", pid);
}

static void bad_arguments(void)
{
    puts("# bad arguments");
    pid_t pid = traced(quits);
    static long there = 0x1234;
    long word = 0;
    printf("%s", answer(pt(PTRACE_PEEKDATA, pid, (long)&there, (long)&word)));
    printf(" %#lx\n", word);
    printf("%s\n", answer(pt(PTRACE_POKEDATA, pid, (long)&there, 0x5678)));
    pt(PTRACE_PEEKTEXT, pid, (long)&there, (long)&word);
    printf("%#lx\n", word);
    printf("%s\n", answer(pt(PTRACE_PEEKDATA, pid, 0, (long)&word)));
    printf("%s\n", answer(pt(PTRACE_PEEKDATA, pid, (long)&there, 0)));
    printf("%s\n", answer(pt(PTRACE_POKEDATA, pid, 16, 1)));
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 65)));
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, -1L)));
    printf("%s\n", answer(pt(0x4ff0, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_LISTEN, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_INTERRUPT, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_SETOPTIONS, pid, 0, 1L << 40)));
    struct regs regs;
    struct iovec iov = {&regs, 12};
    printf("%s\n", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov)));
    iov.iov_len = 16;
    printf("%s", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov)));
    printf(" %zu\n", iov.iov_len);
    iov.iov_len = sizeof regs;
    printf("%s\n", answer(pt(PTRACE_GETREGSET, pid, 0x7777, (long)&iov)));
    printf("%s\n", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, 0)));
    iov.iov_base = NULL;
    printf("%s\n", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov)));
    printf("%s\n", answer(pt(PTRACE_GETSIGINFO, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_SETSIGINFO, pid, 0, 0)));
    printf("%s\n", answer(pt(PTRACE_GETEVENTMSG, pid, 0, 0)));
    char buffer[1024];
    struct iovec whole = {buffer, sizeof buffer};
    printf("%s\n", answer(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&whole)));
    printf("%s\n", whole.iov_len == sizeof regs ? "whole" : "part");
    resume("end", PTRACE_CONT, pid, 0);
    puts("# PTRACE_KILL");
    pid = traced(quits);
    printf("%s\n", answer(pt(PTRACE_KILL, pid, 0, 0)));
    next("end", pid);
    puts("# killed while stopped");
    pid = traced(quits);
    kill(pid, SIGKILL);
    until(pid, "Z");
    printf("%s\n", answer(pt(PTRACE_CONT, pid, 0, 0)));
    next("end", pid);
}

static void show_info(int result, siginfo_t *info, pid_t pid)
{
    if (result != 0)
        printf("waitid: %s\n", strerrorname_np(errno));
    else if (info->si_pid == 0)
        printf("waitid: nothing, signo %d\n", info->si_signo);
    else
        printf("waitid: %s, code %d, status %#x\n", info->si_pid == pid ? "the child" : "another", info->si_code,
               info->si_status);
}

static void waited(void)
{
    siginfo_t info;
    int status;
    puts("# WNOHANG");
    pid_t pid = traced(waits);
    printf("%d\n", waitpid(pid, &status, WNOHANG));
    pt(PTRACE_CONT, pid, 0, 0);
    printf("%d\n", waitpid(pid, &status, WNOHANG));
    kill(pid, SIGUSR1);
    puts("# WNOWAIT");
    memset(&info, 0, sizeof info);
    show_info(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT | __WALL), &info, pid);
    show_info(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT | __WALL), &info, pid);
    show_info(waitid(P_PID, pid, &info, WSTOPPED | __WALL), &info, pid);
    memset(&info, 0, sizeof info);
    show_info(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG | __WALL), &info, pid);
    puts("# a tracer sees stops whatever it asks for");
    pt(PTRACE_CONT, pid, 0, 0);
    until(pid, "S");
    kill(pid, SIGUSR2);
    until(pid, "t");
    memset(&info, 0, sizeof info);
    show_info(waitid(P_PID, pid, &info, WEXITED | WNOHANG), &info, pid);
    kill(pid, SIGKILL);
    memset(&info, 0, sizeof info);
    show_info(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), &info, pid);
    next("end", pid);
    puts("# events");
    pid = traced(quits);
    pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD);
    pt(PTRACE_SYSCALL, pid, 0, 0);
    memset(&info, 0, sizeof info);
    show_info(waitid(P_ALL, 0, &info, WSTOPPED | WEXITED), &info, pid);
    pt(PTRACE_CONT, pid, 0, 0);
    show_info(waitid(P_PGID, getpgrp(), &info, WSTOPPED | WEXITED), &info, pid);
    pt(PTRACE_CONT, pid, 0, 0);
    show_info(waitid(P_ALL, 0, &info, WSTOPPED | WEXITED), &info, pid);
    puts("# who is not traced");
    pid = child(stops);
    memset(&info, 0, sizeof info);
    show_info(waitid(P_PID, pid, &info, WSTOPPED | WEXITED), &info, pid);
    kill(pid, SIGCONT);
    show_info(waitid(P_PID, pid, &info, WCONTINUED), &info, pid);
    waitpid(pid, &status, 0);
    show_status("end", status);
    puts("# WUNTRACED and WCONTINUED");
    pid = child(stops);
    waitpid(pid, &status, WUNTRACED);
    show_status("stop", status);
    kill(pid, SIGCONT);
    waitpid(pid, &status, WCONTINUED);
    show_status("go", status);
    waitpid(pid, &status, 0);
    show_status("end", status);
    puts("# __WCLONE");
    pid = traced(quits);
    printf("%s\n", answer(waitpid(pid, &status, __WCLONE | WNOHANG)));
    resume("end", PTRACE_CONT, pid, 0);
    printf("%s\n", answer(waitpid(pid, &status, __WALL)));
}

int main(void)
{
    refused();
    bad_arguments();
    waited();
}
