/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/import-json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

void
import_json_read(struct import *im, const char *file, const char *text,
                 const char *what, import_json_root_cb *cb)
{
    struct import_json j = {.import = im, .file = file};

    if (!json5_parse(&j.doc, text)) {
        import_error(im, file, j.doc.error_line, "%s", j.doc.error);
    } else if (!cJSON_IsObject(j.doc.root)) {
        import_json_error(&j, j.doc.root, "%s is not an object", what);
    } else {
        cb(&j, j.doc.root);
    }
    json5_uninit(&j.doc);
}

int
import_json_line(const struct import_json *j, const struct cJSON *value)
{
    return json5_line(&j->doc, value);
}

void
import_json_error(const struct import_json *j, const struct cJSON *value,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    import_error(j->import, j->file, import_json_line(j, value), "%s", text);
    free(text);
}

void
import_json_only(const struct import_json *j, const struct cJSON *object,
                 const char *what, const char *const known[])
{
    const struct cJSON *member;

    cJSON_ArrayForEach (member, object) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], member->string)) {
            i++;
        }
        if (!known[i]) {
            import_json_error(j, member, "unknown key '%s' in %s",
                              member->string, what);
        }
    }
}

static const struct cJSON *
get_container(const struct import_json *j, const struct cJSON *object,
              const char *name, bool array)
{
    const struct cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!value || (array ? cJSON_IsArray(value) : cJSON_IsObject(value))) {
        return value;
    }
    import_json_error(j, value, "'%s' is not %s", name,
                      array ? "a list" : "an object");
    return NULL;
}

const struct cJSON *
import_json_array(const struct import_json *j, const struct cJSON *object,
                  const char *name)
{
    return get_container(j, object, name, true);
}

void
import_json_each(const struct import_json *j, const struct cJSON *object,
                 const char *name, import_json_item_cb *cb, int aux)
{
    const struct cJSON *value;

    cJSON_ArrayForEach (value, import_json_array(j, object, name)) {
        if (import_is_lost(j->import)) {
            return;
        }
        cb(j, value, aux);
    }
}

const struct cJSON *
import_json_object(const struct import_json *j, const struct cJSON *object,
                   const char *name)
{
    return get_container(j, object, name, false);
}

const char *
import_json_text(const struct import_json *j, const struct cJSON *object,
                 const char *name)
{
    const struct cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!value) {
        import_json_error(j, object, "'%s' is missing", name);
    } else if (!cJSON_IsString(value)) {
        import_json_error(j, value, "'%s' is not a text", name);
    } else {
        return value->valuestring;
    }
    return NULL;
}

bool
import_json_number(const struct import_json *j, const struct cJSON *object,
                   const char *name, int min, int max, int *number)
{
    const struct cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!value) {
        return false;
    }
    if (!cJSON_IsNumber(value) || value->valuedouble != value->valueint
        || value->valueint < min || value->valueint > max) {
        import_json_error(j, value, "'%s' is not a number from %d to %d", name,
                          min, max);
        return false;
    }
    *number = value->valueint;
    return true;
}
