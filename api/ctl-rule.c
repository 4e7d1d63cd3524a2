/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, flows and members: add, rm, show. */
#include <config.h>

#include "api/ctl-command.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

/* Bodies. */

static bool
is_number_key(const char *key)
{
    static const char *const keys[] = {"vlan", "udp_dst", "ttl", "dscp",
                                       "lease"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!strcmp(key, keys[i])) {
            return true;
        }
    }
    return false;
}

static void
add_item(struct cJSON *object, const char *name, const char *value,
         bool number)
{
    if (number) {
        cJSON_AddNumberToObject(object, name, strtod(value, NULL));
    } else if (!strcmp(name, "reply_to") && !strcmp(value, "true")) {
        cJSON_AddTrueToObject(object, name);
    } else {
        cJSON_AddStringToObject(object, name, value);
    }
}

bool
ctl_add_value(struct cJSON **object, const char *key, const char *value)
{
    char *name = xstrdup(key);

    /* Options are spelt --udp-dst. */
    for (char *p = name; *p; p++) {
        *p = *p == '-' ? '_' : *p;
    }
    if (!*object) {
        *object = cJSON_CreateObject();
    }
    /* A protocol may be "udp" or 17. */
    bool number =
        is_number_key(name)
        || (!strcmp(name, "proto") && *value >= '0' && *value <= '9');
    bool good = *value
                && (!number
                    || (strspn(value, "0123456789") == strlen(value)
                        && strlen(value) < 10));
    if (!good) {
        ctl_complain("%s: '%s' is not a %s", name, value,
                     number ? "number" : "value");
    } else {
        add_item(*object, name, value, number);
    }
    free(name);
    return good;
}

bool
ctl_add_pair(struct cJSON **object, const char *pair)
{
    const char *value = strchr(pair, '=');

    if (!value || value == pair) {
        ctl_complain("'%s' is not of the form key=value", pair);
        return false;
    }
    char *key = xasprintf("%.*s", (int) (value - pair), pair);
    bool good = ctl_add_value(object, key, value + 1);
    free(key);
    return good;
}

/* 'text' is cut up. */
static bool
fill_target(struct cJSON *target, char *text)
{
    struct cJSON *set = NULL;
    char *save = NULL;
    char *where = strtok_r(text, ",", &save);
    char *port = where ? strrchr(where, ':') : NULL;

    if (where && !strcmp(where, "members")) {
        cJSON_AddTrueToObject(target, "members");
    } else if (where && !strncmp(where, "vtep:", 5)) {
        char *vni = strchr(where, '#');
        if (vni) {
            *vni = '\0';
            cJSON_AddNumberToObject(target, "vni", strtod(vni + 1, NULL));
        }
        cJSON_AddStringToObject(target, "vtep", where + 5);
    } else if (where
               && (!strncmp(where, "vlan=", 5)
                   || !strncmp(where, "unicast=", 8))) {
        if (!ctl_add_pair(&target, where)) {
            return false;
        }
    } else if (port && port > where && port[1]) {
        *port = '\0';
        cJSON_AddStringToObject(target, "dpid", where);
        cJSON_AddStringToObject(target, "port", port + 1);
    } else {
        ctl_complain("'%s' is neither members, nobody, DPID:PORT, vlan=N, "
                     "unicast=ADDRESS nor vtep:ADDRESS[#VNI]",
                     where ? where : "");
        return false;
    }
    bool good = true;
    for (char *p = strtok_r(NULL, ",", &save); good && p;
         p = strtok_r(NULL, ",", &save)) {
        bool own = !strncmp(p, "when=", 5) || !strncmp(p, "via=", 4)
                   || (!strncmp(p, "vlan=", 5)
                       && cJSON_HasObjectItem(target, "unicast"));
        good = ctl_add_pair(own ? &target : &set, p);
    }
    if (set) {
        cJSON_AddItemToObject(target, "set", set);
    }
    return good;
}

bool
ctl_add_target(struct cJSON **array, const char *text)
{
    if (!*array) {
        *array = cJSON_CreateArray();
    }
    if (!strcmp(text, "nobody")) {
        return true;
    }
    struct cJSON *target = cJSON_CreateObject();
    char *copy = xstrdup(text);
    bool good = fill_target(target, copy);
    free(copy);
    cJSON_AddItemToArray(*array, target);
    return good;
}

/* "A,B", as often as given. */
static bool
add_sources(struct cJSON *object, const char *value)
{
    struct cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "sources");
    char *copy = xstrdup(value), *save = NULL;

    if (!list) {
        list = cJSON_AddArrayToObject(object, "sources");
    }
    for (char *p = strtok_r(copy, ", ", &save); p;
         p = strtok_r(NULL, ", ", &save)) {
        cJSON_AddItemToArray(list, cJSON_CreateString(p));
    }
    free(copy);
    if (!cJSON_GetArraySize(list)) {
        ctl_complain("source: '%s' is not an address", value);
    }
    return cJSON_GetArraySize(list) > 0;
}

bool
ctl_add_member_value(struct cJSON **object, const char *option,
                     const char *value)
{
    const char *name = strcmp(option, "switch") ? option : "dpid";

    if (!*object) {
        *object = cJSON_CreateObject();
    }
    if (!strcmp(name, "router")) {
        cJSON_DeleteItemFromObjectCaseSensitive(*object, name);
        cJSON_AddTrueToObject(*object, name);
        return true;
    }
    if (!strcmp(name, "source")) {
        return add_sources(*object, value);
    }
    if (cJSON_GetObjectItemCaseSensitive(*object, name)) {
        ctl_complain("--%s is given twice", option);
        return false;
    }
    return ctl_add_value(object, name, value);
}

static char *
read_stream(FILE *in)
{
    size_t size = 0, room = 4096;
    char *text = xmalloc(room);

    for (;;) {
        size_t n = fread(text + size, 1, room - size - 1, in);
        size += n;
        if (!n) {
            break;
        }
        if (room - size < 2) {
            room *= 2;
            text = xrealloc(text, room);
        }
    }
    text[size] = '\0';
    if (strlen(text) != size) {
        /* The server would refuse the NUL, but not see what is behind it. */
        free(text);
        errno = EILSEQ;
        return NULL;
    }
    return text;
}

/* NULL if it has complained. */
static char *
read_file(const char *name)
{
    FILE *in = strcmp(name, "-") ? fopen(name, "r") : stdin;
    char *text = in ? read_stream(in) : NULL;

    if (!text) {
        ctl_complain("cannot read %s: %s", name, strerror(errno));
    }
    if (in && in != stdin) {
        fclose(in);
    }
    return text;
}

/* Takes the options' objects. */
static char *
body_of_options(struct ctl_options *o)
{
    struct cJSON *body = cJSON_CreateObject();

    cJSON_AddItemToObject(body, "match",
                          o->match ? o->match : cJSON_CreateObject());
    if (o->set) {
        cJSON_AddItemToObject(body, "set", o->set);
    }
    if (o->to) {
        cJSON_AddItemToObject(body, "to", o->to);
    }
    o->match = o->set = o->to = NULL;
    char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

/* Answers. */

static void
print_json(const struct ctl_reply *r)
{
    fputs(r->body, stdout);
}

/* Where it is not in force yet, the exit code is 0 all the same: it is stored,
 * and will be. */
static void
print_written(const struct ctl_options *o, const char *kind,
              const struct ctl_reply *r)
{
    struct cJSON *json = cJSON_Parse(r->body);
    const char *state = ctl_show_state(json);
    const struct cJSON *s;

    printf("%s %s %s: %s\n", kind, ctl_get_text(json, "name"),
           r->status == 201 ? "created" : "written",
           *state      ? state
           : o->stored ? "stored"
                       : "stored; no switch concerned is connected");
    cJSON_ArrayForEach (s, cJSON_GetObjectItemCaseSensitive(json, "status")) {
        if (*ctl_get_text(s, "error")) {
            char *text =
                xasprintf("%s %s: %s", ctl_get_text(s, "dpid"),
                          ctl_get_text(s, "state"), ctl_get_text(s, "error"));
            printf("  %s\n", ctl_clean(text));
            free(text);
        }
    }
    cJSON_Delete(json);
}

static char *
target_of(const struct ctl_options *o, const char *plural, const char *name,
          bool write)
{
    char *encoded = ctl_encode(name);
    char *target = xasprintf("/v1/%s/%s", plural, encoded);

    if (write && (o->stored || o->timeout >= 0)) {
        char *plain = target;
        char timeout[48] = "";
        if (o->timeout >= 0) {
            snprintf(timeout, sizeof timeout, "&timeout=%.3f",
                     o->timeout > 60 ? 60 : o->timeout);
        }
        target = xasprintf("%s?wait=%s%s", plain,
                           o->stored ? "stored" : "applied", timeout);
        free(plain);
    }
    free(encoded);
    return target;
}

static int
put(const struct ctl_options *o, const char *kind, const char *name,
    const char *body)
{
    char *plural = xasprintf("%ss", kind);
    char *target = target_of(o, plural, name, true);
    struct ctl_reply r;

    ctl_client_request(&o->client, "PUT", target, body, &r);
    int code = ctl_check_reply(&r);
    if (code == CTL_OK && o->json) {
        print_json(&r);
    } else if (code == CTL_OK) {
        print_written(o, kind, &r);
    }
    ctl_reply_uninit(&r);
    free(target);
    free(plural);
    return code;
}

static int
rm(const struct ctl_options *o, const char *kind, const char *name)
{
    char *plural = xasprintf("%ss", kind);
    char *target = target_of(o, plural, name, true);
    struct ctl_reply r;

    ctl_client_request(&o->client, "DELETE", target, NULL, &r);
    int code = ctl_check_reply(&r);
    if (code == CTL_OK && !o->json) {
        printf("%s %s removed\n", kind, name);
    }
    ctl_reply_uninit(&r);
    free(target);
    free(plural);
    return code;
}

static int
show(const struct ctl_options *o, const char *plural, const char *name)
{
    char *target = target_of(o, plural, name, false);
    int code;
    struct cJSON *json = ctl_fetch(o, target, &code);

    if (json && o->json) {
        char *text = cJSON_Print(json);
        puts(text);
        free(text);
    } else if (json) {
        ctl_show_rule(stdout, o->color, json);
    }
    cJSON_Delete(json);
    free(target);
    return code;
}

/* Commands. */

int
ctl_run_route_add(struct ctl_options *o, int argc, char *argv[])
{
    bool options = o->match || o->set || o->to;
    bool file = argc == 2 && !strchr(argv[1], '=');

    for (int i = 1; !file && i < argc; i++) {
        if (!ctl_add_pair(&o->match, argv[i])) {
            return CTL_USAGE;
        }
    }
    if (file && options) {
        ctl_complain("give either a file or options, not both");
        return CTL_USAGE;
    }
    if (!file && !o->match) {
        ctl_complain("which stream? give --group ADDRESS, or a file");
        return CTL_USAGE;
    }
    char *body = file ? read_file(argv[1]) : body_of_options(o);
    if (!body) {
        return CTL_FAILED;
    }
    int code = put(o, "route", argv[0], body);
    free(body);
    return code;
}

int
ctl_run_route_rm(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    return rm(o, "route", argv[0]);
}

int
ctl_run_route_show(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    return show(o, "routes", argv[0]);
}

/* What a person may have forgotten, before the server says so in its words. */
static const char *
member_problem(const struct ctl_options *o)
{
    const struct cJSON *m = o->member;
    bool router = cJSON_HasObjectItem(m, "router");

    if (!cJSON_HasObjectItem(m, "dpid") || !cJSON_HasObjectItem(m, "port")) {
        return "where? give --switch DPID and --port PORT";
    }
    if (!router && !cJSON_HasObjectItem(m, "group")) {
        return "what does it get? give --group ADDRESS, or --router for a "
               "port that gets every group";
    }
    if (router
        && (cJSON_HasObjectItem(m, "group")
            || cJSON_HasObjectItem(m, "sources") || o->exclude)) {
        return "a router port gets every group: leave --group, --source and "
               "--exclude out";
    }
    if (o->exclude && !cJSON_HasObjectItem(m, "sources")) {
        return "--exclude what? give --source A,B";
    }
    return NULL;
}

int
ctl_run_member_add(struct ctl_options *o, int argc, char *argv[])
{
    bool options = o->member || o->exclude;
    const char *problem = argc == 1 ? member_problem(o) : NULL;

    if (argc == 2 && options) {
        problem = "give either a file or options, not both";
    }
    if (problem) {
        ctl_complain("%s", problem);
        return CTL_USAGE;
    }
    if (argc == 1 && cJSON_HasObjectItem(o->member, "sources")) {
        cJSON_AddStringToObject(o->member, "mode",
                                o->exclude ? "exclude" : "include");
    }
    char *body =
        argc == 2 ? read_file(argv[1]) : cJSON_PrintUnformatted(o->member);
    if (!body) {
        return CTL_FAILED;
    }
    int code = put(o, "member", argv[0], body);
    free(body);
    return code;
}

int
ctl_run_member_rm(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    return rm(o, "member", argv[0]);
}

int
ctl_run_member_show(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    return show(o, "members", argv[0]);
}

int
ctl_run_flow_add(struct ctl_options *o, int argc, char *argv[])
{
    struct cJSON *json = cJSON_CreateObject();

    (void) argc;
    cJSON_AddStringToObject(json, "dpid", argv[1]);
    cJSON_AddStringToObject(json, o->is_group ? "group" : "flow", argv[2]);
    char *body = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    int code = put(o, "flow", argv[0], body);
    free(body);
    return code;
}

int
ctl_run_flow_rm(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    return rm(o, "flow", argv[0]);
}

int
ctl_run_flow_show(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    return show(o, "flows", argv[0]);
}
