/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* ofmcastctl export: all that was written by REST, as one file. */

#include "api/ctl-import.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static int
compare_names(const void *a_, const void *b_)
{
    const struct cJSON *const *a = a_, *const *b = b_;
    const char *x =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(*a, "name"));
    const char *y =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(*b, "name"));

    return strcmp(x ? x : "", y ? y : "");
}

/* In the order of names, so that two exports can be compared. */
static struct cJSON *
export_list(const struct cJSON *list, size_t *n_left)
{
    struct cJSON *all = cJSON_CreateArray();
    size_t room = (size_t) cJSON_GetArraySize(list) + 1, n = 0;
    const struct cJSON **sorted = xcalloc(room, sizeof *sorted);
    const struct cJSON *item;

    cJSON_ArrayForEach (item, list) {
        if (import_is_exported(item)) {
            sorted[n++] = item;
        } else {
            ++*n_left;
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_names);
    for (size_t i = 0; i < n; i++) {
        struct cJSON *copy = cJSON_Duplicate(sorted[i], true);
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "status");
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "origin");
        cJSON_AddItemToArray(all, copy);
    }
    free(sorted);
    return all;
}

/* An item a line: that is what a person compares. */
static void
print_list(const char *name, const struct cJSON *list)
{
    const struct cJSON *item;

    printf(",\n  \"%s\": [", name);
    cJSON_ArrayForEach (item, list) {
        char *text = cJSON_PrintUnformatted(item);
        printf("%s\n    %s", item == list->child ? "" : ",", text);
        free(text);
    }
    printf("%s]", list->child ? "\n  " : "");
}

int
ctl_run_export(struct ctl_options *o, int argc, char *argv[])
{
    struct ctl_have have;
    size_t n_left = 0;
    int code = ctl_have_fetch(o, &have);

    (void) argc;
    (void) argv;
    if (code == CTL_OK) {
        printf("{\"ofmcast\": 1");
        for (int kind = 0; kind < IMPORT_KINDS; kind++) {
            struct cJSON *list = export_list(have.lists[kind], &n_left);
            print_list(CTL_IMPORT_PLURALS[kind], list);
            cJSON_Delete(list);
        }
        puts("\n}");
    }
    if (n_left) {
        fprintf(stderr,
                "%zu member%s left out: of the configuration file, or "
                "leases\n",
                n_left, n_left == 1 ? " is" : "s are");
    }
    ctl_have_uninit(&have);
    return code;
}
