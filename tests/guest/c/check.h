/* Checks of guest test programs: each failure prints its line; main ends with DONE().
 * The programs pass on any Linux, so that real hardware, qemu and the host can vouch for them. */
#ifndef CHECK_H
#define CHECK_H
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The bad pointers and lengths are the point. */
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"

static int failures;

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            printf("%s:%d: %s (errno %d %s)\n", __FILE__, __LINE__, #condition, errno,    \
                   strerror(errno));                                                      \
            failures++;                                                                   \
        }                                                                                 \
    } while (0)

/* The call must fail with this error. */
#define FAILS(call, error)                                                                \
    do {                                                                                  \
        errno = 0;                                                                        \
        long result_ = (long)(call);                                                      \
        int errno_ = errno;                                                               \
        if (result_ != -1 || errno_ != (error)) {                                         \
            printf("%s:%d: %s gives %ld, errno %d (%s), expected %s\n", __FILE__,         \
                   __LINE__, #call, result_, errno_, strerror(errno_), #error);           \
            failures++;                                                                   \
        }                                                                                 \
    } while (0)

#define DONE()                                                                            \
    do {                                                                                  \
        if (failures == 0)                                                                \
            puts("ok");                                                                   \
        return failures != 0;                                                             \
    } while (0)
#endif
