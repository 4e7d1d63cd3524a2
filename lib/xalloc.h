/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_XALLOC_H
#define LIB_XALLOC_H 1

/* Allocation that cannot fail: out of memory aborts the process, as in
 * libopenvswitch, so that callers check for real failures only.  Everything
 * is released by free(). */

#include <stdarg.h>
#include <stddef.h>

/* libopenvswitch exports functions of the same names, with the same meaning;
 * ours get other names for the linker, so that one program can have both. */
#define xmalloc    ofm_xmalloc
#define xcalloc    ofm_xcalloc
#define xrealloc   ofm_xrealloc
#define xmemdup    ofm_xmemdup
#define xstrdup    ofm_xstrdup
#define xasprintf  ofm_xasprintf
#define xvasprintf ofm_xvasprintf

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *, size_t size);
void *xmemdup(const void *, size_t size);
char *xstrdup(const char *);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list)
    __attribute__((format(printf, 1, 0)));

/* Makes room for one more element in '*array' of '*allocated' elements of
 * 'size' bytes each when 'n' are in use. */
void *xgrow(void *array, size_t n, size_t *allocated, size_t size);

#endif
