/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What pymfcd has in its state.json, and what "mfc_cli show" prints:
 *
 *     {"mfc_rules": [{"source": "10.0.1.10", "group": "239.10.20.30",
 *                     "iif": "eth0", "oifs": ["eth1"]}]}
 *
 * the latter within "payload" and with the "vif_map", of which nothing is
 * needed. */

#include "api/import-json.h"

#include <string.h>

#include <cjson/cJSON.h>

struct rule {
    const struct import_json *json;
    const struct cJSON *value;
    char source[IP_PREFIX_STRLEN], group[IP_PREFIX_STRLEN];
    struct import_stream stream;
};

/* The words of a rule that are addresses; false with an error, or a note. */
static bool
read_addresses(struct rule *rule)
{
    const struct import_json *j = rule->json;
    int line = import_json_line(j, rule->value);
    const char *group = import_json_text(j, rule->value, "group");
    const char *source = cJSON_HasObjectItem(rule->value, "source")
                             ? import_json_text(j, rule->value, "source")
                             : "0.0.0.0"; /* Any. */

    if (!group || !source) {
        return false;
    }
    enum import_address_kind g =
        import_read_address(j->import, j->file, line, group, rule->group);
    enum import_address_kind s =
        import_read_address(j->import, j->file, line, source, rule->source);
    if (g == IMPORT_IPV6 || s == IMPORT_IPV6) {
        import_json_error(j, rule->value, "pymfcd has no IPv6 addresses");
    } else if (g == IMPORT_UNICAST || g == IMPORT_ANY) {
        import_json_error(j, rule->value,
                          "group %s is not multicast: within 224.0.0.0/4",
                          group);
    } else if (s == IMPORT_MULTICAST) {
        import_json_error(j, rule->value, "source %s is a multicast group",
                          source);
    }
    rule->stream.group = rule->group;
    rule->stream.source = s == IMPORT_UNICAST ? rule->source : NULL;
    return g == IMPORT_MULTICAST && (s == IMPORT_UNICAST || s == IMPORT_ANY);
}

/* NULL with an error. */
static struct cJSON *
read_outputs(const struct rule *rule)
{
    const struct import_json *j = rule->json;
    const struct cJSON *list = import_json_array(j, rule->value, "oifs");
    const struct cJSON *value;
    struct cJSON *to = cJSON_CreateArray();
    bool good = list != NULL;

    if (!cJSON_HasObjectItem(rule->value, "oifs")) {
        import_json_error(j, rule->value, "'oifs' is missing");
    }
    cJSON_ArrayForEach (value, list) {
        int line = import_json_line(j, value);
        if (!cJSON_IsString(value)) {
            import_json_error(j, value, "an output is not a text");
            good = false;
        } else if (!import_check_port(j->import, j->file, line,
                                      value->valuestring)) {
            good = false;
        } else {
            import_add_port(to, value->valuestring);
        }
    }
    if (!good) {
        cJSON_Delete(to);
        return NULL;
    }
    return to;
}

static void
add_rule(struct rule *rule, struct cJSON *to)
{
    struct import *im = rule->json->import;
    const char *file = rule->json->file;
    int line = import_json_line(rule->json, rule->value);
    struct import_item *same = import_find_route(im, &rule->stream);

    if (same) {
        /* pymfcd keeps both, the kernel the last. */
        import_note(im, file, line,
                    "takes the place of %s:%d, the same stream", same->file,
                    same->line);
        import_remove(im, same);
    }
    import_add_route(im, file, line, &rule->stream, NULL, to);
}

static void
read_rule(const struct import_json *j, const struct cJSON *value, int unused)
{
    static const char *const known[] = {"source", "group", "iif", "oifs",
                                        NULL};
    struct rule rule = {.json = j, .value = value};

    (void) unused;
    if (!cJSON_IsObject(value)) {
        import_json_error(j, value, "a rule is not an object");
        return;
    }
    import_json_only(j, value, "a rule", known);
    bool good = read_addresses(&rule);
    rule.stream.port = import_json_text(j, value, "iif");
    if (rule.stream.port
        && !import_check_port(j->import, j->file, import_json_line(j, value),
                              rule.stream.port)) {
        good = false;
    }
    struct cJSON *to = read_outputs(&rule);
    if (good && to && rule.stream.port) {
        add_rule(&rule, to);
    } else {
        cJSON_Delete(to);
    }
}

static void
read_state(const struct import_json *j, const struct cJSON *state)
{
    static const char *const known[] = {"mfc_rules", "vif_map", NULL};

    import_json_only(j, state, "the state", known);
    if (!cJSON_HasObjectItem(state, "mfc_rules")) {
        import_json_error(j, state, "'mfc_rules' is missing");
    }
    import_json_each(j, state, "mfc_rules", read_rule, 0);
}

static void
read_root(const struct import_json *j, const struct cJSON *root)
{
    static const char *const known[] = {"status", "payload", NULL};

    if (!cJSON_HasObjectItem(root, "payload")) {
        read_state(j, root);
        return;
    }
    import_json_only(j, root, "the answer", known);
    const struct cJSON *state = import_json_object(j, root, "payload");
    if (state) {
        read_state(j, state);
    }
}

void
import_read_pymfcd(struct import *im, const char *file, char *text)
{
    import_json_read(im, file, text, "the state", read_root);
}
