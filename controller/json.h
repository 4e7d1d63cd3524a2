/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_JSON_H
#define CONTROLLER_JSON_H 1

/* Strict reading of JSON bodies on top of cJSON.
 *
 * cJSON is lenient; people's typing errors are not.  json_parse() refuses what
 * RFC 8259 or common sense refuses: invalid UTF-8, NUL, text after the value,
 * nesting over JSON_MAX_DEPTH, duplicate keys, numbers out of a double's
 * range.  The getters refuse ill-typed members and integers that a double
 * cannot hold exactly (over 2^53 - 1: such travel as "0x.." strings), and
 * json_only() refuses unknown members.  The first error sticks: read straight
 * down, check once.
 *
 * Ownership: 'struct json_error' is the caller's; strings that getters return
 * belong to the cJSON tree. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

enum {
    JSON_MAX_DEPTH = 32,
    JSON_MAX_KEYS = 10000,
    JSON_NAME_SIZE = 65,
    JSON_PORT_SIZE = 64
};

struct json_error {
    bool failed;
    char pointer[192]; /* RFC 6901, to the member; "" = the whole body. */
    char detail[320];  /* A sentence for a person. */
};

/* The object that getters read from, and where it stands in the body. */
struct json_at {
    const struct cJSON *object;
    const char *pointer; /* Of 'object': "", "/match", "/to/1". */
    struct json_error *error;
};

/* NULL and 'error' if refused.  Release with cJSON_Delete(). */
struct cJSON *json_parse(const char *text, size_t size, struct json_error *);

/* Records an error at 'pointer'/'member' (NULL: at 'pointer') unless one is
 * recorded already. */
void json_fail(struct json_error *, const char *pointer, const char *member,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Fails if 'at' is no object, or has a member that is not in the
 * NULL-terminated list. */
void json_only(const struct json_at *, const char *const members[]);
bool json_has(const struct json_at *, const char *member);

/* Each returns true and sets '*out' if the member is there and good; returns
 * false if it is absent, or bad: then the error is recorded. */
bool json_get_string(const struct json_at *, const char *member,
                     const char **out);
bool json_get_bool(const struct json_at *, const char *member, bool *out);
bool json_get_int(const struct json_at *, const char *member, int64_t min,
                  int64_t max, int64_t *out);
/* "0x.." or decimal in a string, or an exact number. */
bool json_get_u64(const struct json_at *, const char *member, uint64_t *out);
/* A string or a number that names a switch: see dpid_parse(). */
bool json_get_dpid(const struct json_at *, const char *member, uint64_t *out);
/* A string or a number that names a port of a switch; as text. */
bool json_get_port(const struct json_at *, const char *member,
                   char out[JSON_PORT_SIZE]);
/* The member as an object or array, or NULL. */
const struct cJSON *json_get_object(const struct json_at *,
                                    const char *member);
const struct cJSON *json_get_array(const struct json_at *, const char *member);
/* Like the above, but absence is an error. */
void json_require(const struct json_at *, const char *member);

/* Adds "name": "0x..." */
void json_add_u64(struct cJSON *object, const char *name, uint64_t);

/* [A-Za-z0-9._-]{1,64} */
bool json_is_name(const char *);
/* The name of what 'body' describes: 'expected' (from the URL), with which a
 * member "name" must agree; "name" itself if 'expected' is NULL.  False with
 * the error recorded if there is none, or after any earlier error. */
bool json_read_name(const struct json_at *body, const char *expected,
                    char out[JSON_NAME_SIZE]);

#endif
