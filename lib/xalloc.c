/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void
out_of_memory(void)
{
    fputs("ofmcast: out of memory\n", stderr);
    abort();
}

/* A request for nothing gets one byte, so that NULL always means failure. */
void *
xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = n && size ? calloc(n, size) : calloc(1, 1);

    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xmemdup(const void *from, size_t size)
{
    void *p = xmalloc(size);

    if (size) {
        memcpy(p, from, size);
    }
    return p;
}

char *
xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

char *
xvasprintf(const char *format, va_list args)
{
    char *s;

    if (vasprintf(&s, format, args) < 0) {
        out_of_memory();
    }
    return s;
}

char *
xasprintf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *s = xvasprintf(format, args);
    va_end(args);
    return s;
}

void *
xgrow(void *array, size_t n, size_t *allocated, size_t size)
{
    if (n < *allocated) {
        return array;
    }

    size_t wanted = *allocated ? *allocated * 2 : 4;
    if (wanted <= n) {
        wanted = n + 1;
    }
    if (size && wanted > SIZE_MAX / size) {
        out_of_memory();
    }
    *allocated = wanted;
    return xrealloc(array, wanted * size);
}
