/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_IMPORT_JSON_H
#define API_IMPORT_JSON_H 1

/* Reading a JSON5 document that another program wrote: each member is taken
 * by its name, with the line of what is wrong.  What pymfcd's, MCR's and our
 * own reader share. */

#include "api/import-json5.h"
#include "api/import.h"

struct import_json {
    struct import *import;
    const char *file;
    struct json5 doc;
};

/* Parses 'text' and gives its root to 'cb', if that is an object; else adds an
 * error, which calls the whole 'what' ("the file"). */
typedef void import_json_root_cb(const struct import_json *,
                                 const struct cJSON *root);
void import_json_read(struct import *, const char *file, const char *text,
                      const char *what, import_json_root_cb *);

int import_json_line(const struct import_json *, const struct cJSON *);
/* Adds an error at the line of 'value'. */
void import_json_error(const struct import_json *, const struct cJSON *value,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Names each member of 'object' that is not in 'known' as an error. */
void import_json_only(const struct import_json *, const struct cJSON *object,
                      const char *what, const char *const known[]);
/* Members of 'object', NULL if absent or, with an error, of another type. */
const struct cJSON *import_json_array(const struct import_json *,
                                      const struct cJSON *object,
                                      const char *name);
const struct cJSON *import_json_object(const struct import_json *,
                                       const struct cJSON *object,
                                       const char *name);
/* Calls 'cb' for each item of the list 'name', if there is one, until so much
 * is wrong that the rest is of no interest. */
typedef void import_json_item_cb(const struct import_json *,
                                 const struct cJSON *item, int aux);
void import_json_each(const struct import_json *, const struct cJSON *object,
                      const char *name, import_json_item_cb *, int aux);
/* A text that the object must have; NULL with an error. */
const char *import_json_text(const struct import_json *,
                             const struct cJSON *object, const char *name);
/* False if absent, or, with an error, not a whole number in this range. */
bool import_json_number(const struct import_json *, const struct cJSON *object,
                        const char *name, int min, int max, int *);

#endif
