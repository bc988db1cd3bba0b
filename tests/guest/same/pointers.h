/* Bad pointers for system calls: the kinds, where they are made, and the loop that tries them all.
 *
 * A row, CALL(name) { ... }, makes one call. P(what, object, align) gives the address of a copy of `object`, which is a
 * good one but for the pointer under test. Rows are functions, so that a pointer may stand in an argument or in a
 * structure that another pointer leads to. Each attempt is a process of its own.
 *
 * One line each: row, pointer, kind, and what the call gave. */
#ifndef POINTERS_H
#define POINTERS_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define TAG (0x2aUL << 56)
typedef unsigned long word;

enum kind {
    GOOD,
    NULL_,       /* 0 */
    UNMAPPED,    /* nothing is mapped in its page */
    NO_ACCESS,   /* PROT_NONE */
    READ_ONLY,   /* PROT_READ */
    WRITE_ONLY,  /* PROT_WRITE */
    MISALIGNED,  /* one behind its alignment */
    FIRST_BYTE,  /* the page ends behind its first byte, */
    HALF,        /* in its middle, */
    LAST_BYTE,   /* before its last byte */
    HALF_READ,   /* its second half can only be read */
    WRAPS,       /* the last eight bytes of all */
    MINUS_ONE,
    BELOW_47,    /* around the ends of the address space of either machine */
    AT_47,
    AT_48,
    KERNEL,
    TAGGED,      /* good, but with a tag */
    TAGS_TAKEN,  /* the same after PR_SET_TAGGED_ADDR_CTRL */
    OWN,         /* the emulator's */
    KINDS
};
static const char *const kind_names[KINDS] = {
    "good", "null", "unmapped", "no access", "read-only", "write-only", "misaligned", "first byte", "half",
    "last byte", "half read-only", "wraps", "minus one", "below 2^47", "2^47", "2^48", "kernel", "tagged",
    "tags taken", "emulator's",
};

/* What else is wrong in the call, for the order in which the kernel looks. */
enum mode { PLAIN, BAD_FD, NO_SIZE, HUGE, BAD_FLAGS, BAD_PID, MODES };
static const char *const mode_names[MODES] = {"", ", bad fd", ", no size", ", huge size", ", bad flags", ", bad pid"};

static struct {
    int target; /* the ordinal of the pointer under test */
    enum kind kind;
    enum mode mode;
    int seen;            /* pointers made so far */
    const char *name;    /* of the one under test */
    int mode_used;       /* whether the mode changes anything */
} now;

static word own_address; /* one of the emulator's, or 0: native */

/* `size` bytes of new memory with nothing before or behind them. Always further up, where nobody else maps anything: what
 * is unmapped stays so. */
static char *room(size_t size)
{
    static char *next = (char *)(1UL << 36);
    size_t bytes = (size + PAGE - 1) / PAGE * PAGE;
    char *at = mmap(next, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != next) {
        printf("no room at %p: %m\n", next);
        exit(2);
    }
    next += bytes + 16 * PAGE;
    return at;
}

/* RANGE: the kernel takes tags off for everybody; PLACE: for nobody. */
enum use { DATA, RANGE, PLACE };

static word bad(const void *object, size_t size, size_t align, enum use use)
{
    size_t pages = (size + PAGE - 1) / PAGE;
    char *at = room(pages * PAGE), *end = at + pages * PAGE;
    /* An object that fills its pages is moved by whole ones. */
    size_t first = align == PAGE ? PAGE : 1, half = align == PAGE ? PAGE : size / 2;
    switch (now.kind) {
    case GOOD: break;
    case NULL_: return 0;
    case UNMAPPED: munmap(at, pages * PAGE); return (word)at;
    case NO_ACCESS: mprotect(memcpy(at, object, size), pages * PAGE, PROT_NONE); return (word)at;
    case READ_ONLY: mprotect(memcpy(at, object, size), pages * PAGE, PROT_READ); return (word)at;
    case WRITE_ONLY: mprotect(memcpy(at, object, size), pages * PAGE, PROT_WRITE); return (word)at;
    case MISALIGNED: at = room(size + 1); memcpy(at + 1, object, size); return (word)at + 1;
    case FIRST_BYTE: memcpy(end - first, object, first); return (word)(end - first);
    case HALF: memcpy(end - half, object, half); return (word)(end - half);
    case LAST_BYTE:
        if (size == 1)
            return (word)at;
        size -= first;
        memcpy(end - size, object, size);
        return (word)(end - size);
    case HALF_READ:
        at = room(2 * pages * PAGE);
        end = at + pages * PAGE;
        memcpy(end - half, object, size);
        mprotect(end, pages * PAGE, PROT_READ);
        return (word)(end - half);
    case WRAPS: return -8UL;
    case MINUS_ONE: return -1UL;
    case BELOW_47: return (1UL << 47) - 16;
    case AT_47: return 1UL << 47;
    case AT_48: return 1UL << 48;
    case KERNEL: return 0xffff800000000000;
    case TAGGED:
        memcpy(at, object, size);
#ifdef __aarch64__
        return (word)at | TAG;
#else
        return use == RANGE ? (word)at : (word)at | TAG;
#endif
    case TAGS_TAKEN:
        memcpy(at, object, size);
#ifdef __aarch64__
        if (prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, 0, 0, 0))
            puts("no tags");
        return (word)at | TAG;
#else
        return use == PLACE ? (word)at | TAG : (word)at;
#endif
    case OWN:
        if (own_address)
            return own_address;
        if (use != DATA)
            munmap(at, pages * PAGE);
        else
            mprotect(at, pages * PAGE, PROT_NONE);
        return (word)at;
    case KINDS: break;
    }
    memcpy(at, object, size);
    return (word)at;
}

static word pointer(const char *name, const void *object, size_t size, size_t align, enum use use)
{
    if (now.seen++ == now.target) {
        now.name = name;
        return bad(object, size, align, use);
    }
    return (word)memcpy(room(size), object, size);
}
#define P(name, object, align) pointer(name, &(object), sizeof(object), align, DATA)
#define BYTES(name, size) pointer(name, (char[4096]){0}, size, 1, DATA)
#define TEXT(name, text) pointer(name, text, strlen(text) + 1, 1, DATA)
#define PLACES(name, count) pointer(name, (char[(count) * PAGE]){0}, (count) * PAGE, PAGE, PLACE)
#define PAGES(name, count) pointer(name, (char[(count) * PAGE]){0}, (count) * PAGE, PAGE, RANGE)

static word instead(enum mode mode, word usual, word wrong)
{
    if (now.mode != mode)
        return usual;
    now.mode_used = 1;
    return wrong;
}
#define FD(fd) instead(BAD_FD, fd, 900)
#define SIZE(size) instead(NO_SIZE, instead(HUGE, size, -1UL), 0)
#define COUNT(n) instead(NO_SIZE, instead(HUGE, n, 0x7fffffff), 0)
#define FLAGS(flags) instead(BAD_FLAGS, flags, 0x7ffffff0)
#define PID(pid) instead(BAD_PID, pid, 0x3fffff)

static long make(long number, word a, word b, word c, word d, word e, word f)
{
    long result = syscall(number, a, b, c, d, e, f);
    return result == -1 ? -errno : result;
}
#define SYS(number, ...) SYS_(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
/* The arguments one after another, in the same order on either machine. */
#define SYS_(number, a, b, c, d, e, f, ...)                                                        \
    ({                                                                                             \
        word a_ = (word)(a), b_ = (word)(b), c_ = (word)(c), d_ = (word)(d), e_ = (word)(e), f_ = (word)(f); \
        make(number, a_, b_, c_, d_, e_, f_);                                                      \
    })
/* Of a result that names something. */
#define OK(result) ({ long ok_ = (result); ok_ > 0 ? 0 : ok_; })
/* What a row needs beforehand. */
#define NEED(call) ({ long need_ = (long)(call); if (need_ == -1) { printf("needs " #call ": %m\n"); fflush(stdout); _exit(3); } need_; })

struct row {
    const char *name;
    long (*call)(void);
    struct row *next;
};
static struct row *rows, **last = &rows;
static void add(struct row *row)
{
    *last = row;
    last = &row->next;
}
#define CALL(name)                                                                   \
    static long row_##name(void);                                                    \
    static struct row entry_##name = {#name, row_##name};                            \
    __attribute__((constructor)) static void add_##name(void) { add(&entry_##name); } \
    static long row_##name(void)

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 40; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int open_before;

enum { NO_SUCH_POINTER = 100, NO_SUCH_MODE, DIED };

static void attempt(struct row *row)
{
    now.seen = now.mode_used = 0;
    now.name = "";
    long result = row->call();
    if (now.seen <= now.target)
        _exit(NO_SUCH_POINTER);
    if (now.mode != PLAIN && !now.mode_used)
        _exit(NO_SUCH_MODE);
    printf("%s %s %s%s: ", row->name, now.name, kind_names[now.kind], mode_names[now.mode]);
    if (result < 0)
        printf("%s", strerrorname_np(-result) ?: "?");
    else
        printf("%ld", result);
    /* A call that fails leaves no descriptor behind. */
    printf(", %d open\n", open_files() - open_before);
    fflush(stdout);
    _exit(0);
}

/* The exit status of the attempt. */
static int try(struct row *row, int target, enum kind kind, enum mode mode)
{
    now.target = target, now.kind = kind, now.mode = mode;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* What sleeps for ever. */
        setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 400000}}, NULL);
        static const char *const made[] = {"file", "link", "hard", "moved", "made", "node", "copy"};
        for (size_t n = 0; n < sizeof made / sizeof *made; n++)
            remove(made[n]);
        attempt(row);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) >= NO_SUCH_POINTER))
        return WEXITSTATUS(status);
    printf("%s %d %s%s: ended with %#x\n", row->name, target, kind_names[kind], mode_names[mode], status);
    return DIED;
}

static void try_row(struct row *row)
{
    static const enum kind with_others[] = {GOOD, NULL_, UNMAPPED, WRAPS};
    for (int target = 0; try(row, target, GOOD, PLAIN) == 0; target++) {
        for (enum kind kind = NULL_; kind < KINDS; kind++)
            try(row, target, kind, PLAIN);
        for (enum mode mode = BAD_FD; mode < MODES; mode++)
            for (int n = 0; n < 4 && try(row, target, with_others[n], mode) == 0; n++)
                ;
    }
}

/* Argument: a row's name, none for all, or `list` for their names. Input: an address of the emulator's, or 0. */
static int try_rows(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    if (only && !strcmp(only, "list")) {
        for (struct row *row = rows; row; row = row->next)
            puts(row->name);
        return 0;
    }
    puts("ready");
    fflush(stdout);
    char line[64];
    if (!fgets(line, sizeof line, stdin))
        return 1;
    own_address = strtoul(line, NULL, 16);
    signal(SIGPIPE, SIG_IGN);
    /* Whatever gets mounted is seen by nobody else. */
    if (unshare(CLONE_NEWNS) == 0)
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    open_before = open_files();
    for (struct row *row = rows; row; row = row->next) {
        if (!only || !strcmp(only, row->name))
            try_row(row);
    }
    return 0;
}
#endif
