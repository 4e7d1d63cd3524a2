/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_JSON_SCAN_H
#define CONTROLLER_JSON_SCAN_H 1

/* Is a text JSON as RFC 8259 has it, and small enough?
 *
 * This runs before cJSON, which takes "+1", "01", "1.", lone surrogates,
 * text after the value, any byte as whitespace or in a string, and recurses
 * and allocates as the text tells it to.  What passes here is safe to give
 * it. Nothing is built or allocated.
 *
 * Limits: JSON_MAX_DEPTH containers in each other, JSON_MAX_KEYS members and
 * JSON_MAX_VALUES values in all, JSON_MAX_NUMBER characters a number. */

#include <stdbool.h>
#include <stddef.h>

struct json_error;

enum {
    JSON_MAX_VALUES = 100000,
    JSON_MAX_NUMBER = 48 /* cJSON reads the first 63 only. */
};

/* False with 'error' if refused. Duplicate keys are not looked for here. */
bool json_scan(const char *text, size_t size, struct json_error *error);

/* The number of bytes, 1 to 4, of the UTF-8 character that begins at 's' of
 * 'size' bytes; 0 if there is none (RFC 3629: nothing overlong, no
 * surrogates, nothing over U+10FFFF). */
size_t json_utf8_length(const char *s, size_t size);

#endif
