/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Our own file, as "ofmcastctl export" writes it:
 *
 *     {"ofmcast": 1, "routes": [...], "members": [...], "flows": [...]}
 *
 * Each of the items is what GET gives, and PUT takes. */

#include "api/import-json.h"

#include <string.h>

#include <cjson/cJSON.h>

static const char *const sections[IMPORT_KINDS] = {"routes", "members",
                                                   "flows"};

static void
read_item(const struct import_json *j, const struct cJSON *value, int kind)
{
    if (!cJSON_IsObject(value)) {
        import_json_error(j, value, "not an object in %s", sections[kind]);
        return;
    }
    const char *name = import_json_text(j, value, "name");
    if (!name) {
        return;
    }
    if (!import_check_name(name)) {
        import_json_error(j, value,
                          "the name '%s' is not 1 to %d of A-Z a-z 0-9 . _ -",
                          name, IMPORT_MAX_NAME);
        return;
    }
    struct cJSON *json = cJSON_Duplicate(value, true);
    cJSON_DeleteItemFromObjectCaseSensitive(json, "name");
    cJSON_DeleteItemFromObjectCaseSensitive(json, "status");
    cJSON_DeleteItemFromObjectCaseSensitive(json, "origin");
    import_add_named(j->import, (enum import_kind) kind, j->file,
                     import_json_line(j, value), name, json);
}

static void
read_file(const struct import_json *j, const struct cJSON *file)
{
    static const char *const known[] = {"ofmcast", "routes", "members",
                                        "flows", NULL};
    int version;

    import_json_only(j, file, "the file", known);
    if (!cJSON_HasObjectItem(file, "ofmcast")) {
        import_json_error(j, file, "'ofmcast': 1 is missing");
    } else {
        import_json_number(j, file, "ofmcast", 1, 1, &version);
    }
    for (int kind = 0; kind < IMPORT_KINDS; kind++) {
        import_json_each(j, file, sections[kind], read_item, kind);
    }
}

void
import_read_ofmcast(struct import *im, const char *file, char *text)
{
    import_json_read(im, file, text, "the file", read_file);
}
