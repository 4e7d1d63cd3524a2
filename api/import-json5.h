/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_IMPORT_JSON5_H
#define API_IMPORT_JSON5_H 1

/* JSON5 (https://spec.json5.org) into cJSON, with the line of each value.
 *
 * JSON is JSON5.  What cJSON cannot hold (infinities, NaN, a NUL in a string)
 * is an error, and so is a key that stands twice in an object.
 *
 * Limits: JSON5_MAX_DEPTH containers in each other, JSON5_MAX_KEYS keys in an
 * object, JSON5_MAX_VALUES values in all.
 *
 * Ownership: the document owns its values. */

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

enum {
    JSON5_MAX_DEPTH = 32,
    JSON5_MAX_KEYS = 1000,
    JSON5_MAX_VALUES = 500000
};

struct json5_mark {
    const struct cJSON *value;
    int line;
};

struct json5 {
    struct cJSON *root;
    struct json5_mark *marks; /* Sorted by 'value'. */
    size_t n_marks, allocated_marks;
    int error_line; /* Of what is wrong. */
    char error[120];
};

/* False with 'error' if it is none; to be uninited all the same. */
bool json5_parse(struct json5 *, const char *text);
void json5_uninit(struct json5 *);
/* The line where a value of the document begins. */
int json5_line(const struct json5 *, const struct cJSON *value);

#endif
