/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

/* A flow or group that fits in an OpenFlow message is shorter than this. */
enum { MAX_TEXT = 65535 };

static void
check_text(const struct json_at *body, const char *member, const char *text)
{
    size_t size = strlen(text);

    if (!size || size > MAX_TEXT) {
        json_fail(body->error, "", member,
                  "\"%s\" must be 1 to %d characters in the syntax of "
                  "ovs-ofctl",
                  member, MAX_TEXT);
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char) text[i] < ' ' || text[i] == 0x7f) {
            json_fail(body->error, "", member,
                      "\"%s\" must be one line without control characters",
                      member);
            return;
        }
    }
}

struct static_rule *
static_rule_from_json(const char *name, const struct cJSON *json,
                      struct json_error *error)
{
    static const char *const members[] = {"name", "dpid", "flow", "group",
                                          NULL};
    const struct json_at body = {json, "", error};
    const char *text = "", *member;
    struct static_rule rule = {.text = NULL};

    *error = (struct json_error){.failed = false};
    json_only(&body, members);
    json_read_name(&body, name, rule.name);
    json_require(&body, "dpid");
    json_get_dpid(&body, "dpid", &rule.dpid);
    rule.is_group = json_has(&body, "group");
    member = rule.is_group ? "group" : "flow";
    if (rule.is_group == json_has(&body, "flow")) {
        json_fail(error, "", NULL,
                  "give either \"flow\" or \"group\": text in the syntax of "
                  "ovs-ofctl");
    } else if (json_get_string(&body, member, &text)) {
        check_text(&body, member, text);
    }
    if (error->failed) {
        return NULL;
    }
    rule.text = xstrdup(text);
    return xmemdup(&rule, sizeof rule);
}

void
static_rule_destroy(struct static_rule *rule)
{
    if (rule) {
        free(rule->text);
        free(rule);
    }
}

struct cJSON *
static_rule_to_json(const struct static_rule *rule)
{
    struct cJSON *object = cJSON_CreateObject();
    char dpid[DPID_STRLEN];

    cJSON_AddStringToObject(object, "name", rule->name);
    cJSON_AddStringToObject(object, "dpid", dpid_format(rule->dpid, dpid));
    cJSON_AddStringToObject(object, rule->is_group ? "group" : "flow",
                            rule->text);
    return object;
}
