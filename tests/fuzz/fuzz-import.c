/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A file of any of the formats that ofmcastctl imports.
 *
 * Input: a line with the name of the format, then the file.  An "include" gets
 * a text of its own, once.  Whatever comes has items with names that the
 * daemon takes, or errors; what is named once more is told; the same compared
 * with itself is the same. */

#include "api/import-diff.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                      \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

static char *
include(void *aux, const char *from, const char *pattern, import_text_cb *cb,
        void *cb_aux)
{
    int *left = aux;

    (void) from;
    if (!strcmp(pattern, "missing") || --*left < 0) {
        return xstrdup("there is no such file");
    }
    char *text = xstrdup("mroute from eth0 group 225.1.2.3 to eth1\n"
                         "include again\n");
    cb(cb_aux, "included", text);
    free(text);
    return NULL;
}

static void
check_items(const struct import *im)
{
    for (size_t i = 0; i < im->n_items; i++) {
        const struct import_item *item = &im->items[i];
        CHECK(import_check_name(item->name));
        CHECK(cJSON_IsObject(item->json));
        CHECK(item->line > 0 && item->kind < IMPORT_KINDS);
    }
    for (size_t i = 0; i < im->n_messages; i++) {
        CHECK(*im->messages[i].text);
    }
}

/* An import into a daemon that has it all changes nothing. */
static void
check_same(const struct import *im)
{
    struct cJSON *lists[IMPORT_KINDS];
    struct import_diff diff;

    for (int kind = 0; kind < IMPORT_KINDS; kind++) {
        lists[kind] = cJSON_CreateArray();
    }
    for (size_t i = 0; i < im->n_items; i++) {
        struct cJSON *copy = cJSON_Duplicate(im->items[i].json, true);
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "name");
        cJSON_AddStringToObject(copy, "name", im->items[i].name);
        cJSON_AddItemToArray(lists[im->items[i].kind], copy);
    }
    import_diff_init(&diff, im, (const struct cJSON *const *) lists, NULL);
    CHECK(im->n_errors
          || import_diff_count(&diff, IMPORT_SAME) == im->n_items);
    import_diff_uninit(&diff);
    for (int kind = 0; kind < IMPORT_KINDS; kind++) {
        cJSON_Delete(lists[kind]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int includes = 20;
    const struct import_ops ops = {include, &includes};
    const uint8_t *end = memchr(data, '\n', size < 16 ? size : 16);
    struct import im;

    if (!end) {
        return 0;
    }
    char *name = xasprintf("%.*s", (int) (end - data), (const char *) data);
    const struct import_format *format = import_find_format(name);
    free(name);
    if (!format) {
        return 0;
    }
    size_t head = (size_t) (end + 1 - data);
    import_init(&im, &ops);
    import_add_address(&im, "eth1=10.1.1.2");
    import_text(&im, format, "file", (const char *) data + head, size - head);
    import_finish(&im, format, 1, NULL);
    check_items(&im);
    check_same(&im);
    free(import_dump(&im));
    import_uninit(&im);
    return 0;
}
