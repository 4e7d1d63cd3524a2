/* SPDX-License-Identifier: Apache-2.0 */
/* Looking: show, show events, verify. */
#include <config.h>

#include "api/ctl-command.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

static const struct ctl_resource *
find_resource(const char *name)
{
    for (const struct ctl_resource *r = CTL_RESOURCES; r->name; r++) {
        if (!strcmp(r->name, name)) {
            return r;
        }
    }
    return NULL;
}

static const char *
list_of(const struct ctl_resource *resource)
{
    return resource->list ? resource->list : resource->name;
}

static int
show_list(const struct ctl_options *o, const struct ctl_resource *resource,
          FILE *out)
{
    int code;
    struct cJSON *json = ctl_fetch_list(o, list_of(resource), &code);

    if (json && o->json) {
        ctl_print_json(out, json);
    } else if (json) {
        resource->print(
            out, o->color,
            cJSON_GetObjectItemCaseSensitive(json, list_of(resource)));
    }
    cJSON_Delete(json);
    return code;
}

/* 'args' are the rest of its path. */
static int
show_one(const struct ctl_options *o, const struct ctl_resource *resource,
         int n_args, char *args[], FILE *out)
{
    char *first = ctl_encode(args[0]);
    char *second = n_args > 1 ? ctl_encode(args[1]) : xstrdup("");
    char *target = xasprintf("/v1/%s/%s%s%s", list_of(resource), first,
                             n_args > 1 ? "/" : "", second);
    int code;
    struct cJSON *json = ctl_fetch(o, target, &code);

    if (json && o->json) {
        ctl_print_json(out, json);
    } else if (json && !strcmp(resource->name, "switches")) {
        ctl_show_switch(out, o->color, json);
    } else if (json && strcmp(resource->name, "groups")
               && strcmp(resource->name, "ports")) {
        ctl_show_rule(out, o->color, json);
    } else if (json) {
        struct cJSON *list = cJSON_CreateArray();
        cJSON_AddItemReferenceToArray(list, json);
        resource->print(out, o->color, list);
        cJSON_Delete(list);
    }
    cJSON_Delete(json);
    free(first);
    free(second);
    free(target);
    return code;
}

/* The topology, or the tree of the channel that 'args' names. */
static int
show_fabric(const struct ctl_options *o, int n_args, char *args[], FILE *out)
{
    char *vlan = ctl_encode(n_args ? args[0] : "");
    char *group = ctl_encode(n_args ? args[1] : "");
    char *target = n_args ? xasprintf("/v1/topology/trees/%s/%s", vlan, group)
                          : xstrdup("/v1/topology");
    int code;
    struct cJSON *json = ctl_fetch(o, target, &code);

    if (json && o->json) {
        ctl_print_json(out, json);
    } else if (json && n_args) {
        ctl_show_tree(out, o->color, json);
    } else if (json) {
        ctl_show_topology(out, o->color, json);
    }
    cJSON_Delete(json);
    free(vlan);
    free(group);
    free(target);
    return code;
}

static int
show(const struct ctl_options *o, const struct ctl_resource *resource,
     int argc, char *argv[], FILE *out)
{
    if (o->format) {
        return ctl_show_mroutes(o, out);
    }
    if (!resource->print) {
        return show_fabric(o, argc - 1, argv + 1, out);
    }
    if (argc > 1) {
        return show_one(o, resource, argc - 1, argv + 1, out);
    }
    return show_list(o, resource, out);
}

static void
sleep_for(double seconds)
{
    struct timespec ts;

    ts.tv_sec = (time_t) seconds;
    ts.tv_nsec = (long) ((seconds - (double) ts.tv_sec) * 1e9);
    nanosleep(&ts, NULL);
}

/* Draws over what is there line by line instead of clearing the screen first,
 * so that nothing flickers. */
static void
redraw(const char *text)
{
    fputs("\033[H", stdout);
    while (*text) {
        size_t length = strcspn(text, "\n");
        printf("%.*s\033[K\n", (int) length, text);
        text += length + (text[length] == '\n');
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

/* Until interrupted.  A daemon that is away may come back. */
static int
watch(const struct ctl_options *o, const struct ctl_resource *resource,
      int argc, char *argv[])
{
    bool screen = isatty(STDOUT_FILENO);

    if (screen) {
        fputs("\033[2J", stdout);
    }
    for (;;) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        int code = show(o, resource, argc, argv, out);
        fclose(out);
        if (code == CTL_NOT_FOUND || code == CTL_FAILED) {
            free(text);
            return code;
        }
        if (code == CTL_OK && screen) {
            redraw(text);
        } else if (code == CTL_OK) {
            printf("%s\n", text);
            fflush(stdout);
        }
        free(text);
        if (ferror(stdout)) {
            return CTL_FAILED;
        }
        sleep_for(o->interval);
    }
}

/* How many words may stand behind: "switches DPID", "tree VLAN GROUP". */
static bool
arguments_fit(const char *what, int n)
{
    if (!strcmp(what, "groups")) {
        return n == 0 || n == 2;
    }
    if (!strcmp(what, "tree")) {
        return n == 2;
    }
    if (!strcmp(what, "topology") || !strcmp(what, "streams")
        || !strcmp(what, "queriers") || !strcmp(what, "hosts")) {
        return n == 0;
    }
    return n <= 1;
}

int
ctl_run_show(struct ctl_options *o, int argc, char *argv[])
{
    const struct ctl_resource *resource = find_resource(argv[0]);

    if (!resource) {
        ctl_complain(
            "there is nothing like '%s' to show: try switches, ports, "
            "groups, hosts, streams, queriers, members, routes, flows, "
            "topology, tree or events",
            argv[0]);
        return CTL_USAGE;
    }
    if (!arguments_fit(argv[0], argc - 1)) {
        ctl_complain("wrong number of arguments behind '%s': see "
                     "ofmcastctl show --help",
                     argv[0]);
        return CTL_USAGE;
    }
    if (o->format
        && (strcmp(argv[0], "routes") || argc > 1
            || !ctl_is_mroute_format(o->format))) {
        ctl_complain("--format is for show routes: iproute, iproute-stats or "
                     "mr_cache");
        return CTL_USAGE;
    }
    if (o->watch) {
        return watch(o, resource, argc, argv);
    }
    return show(o, resource, argc, argv, stdout);
}

/* Events. */

struct event_reader {
    const struct ctl_options *options;
    bool begun; /* The server has streamed something. */
    bool lost;  /* It has gone since, which was said. */
    char *type, *id, *data;
};

static void
keep(char **field, const char *value)
{
    free(*field);
    *field = xstrdup(value);
}

/* "key=value" for people. */
static void
print_data(const char *data)
{
    struct cJSON *json = cJSON_Parse(data);
    const struct cJSON *item;

    cJSON_ArrayForEach (item, json) {
        char *text = cJSON_IsString(item) ? xstrdup(item->valuestring)
                                          : cJSON_PrintUnformatted(item);
        ctl_clean(text);
        printf("%s%s%s", item->string ? " " : "",
               item->string ? item->string : "", item->string ? "=" : " ");
        fputs(text, stdout);
        free(text);
    }
    cJSON_Delete(json);
}

static void
print_event(const struct event_reader *e)
{
    char clock[16];
    time_t now = time(NULL);
    struct tm tm;

    if (e->options->json) {
        struct cJSON *o = cJSON_CreateObject();
        struct cJSON *data = cJSON_Parse(e->data);
        cJSON_AddStringToObject(o, "id", e->id ? e->id : "");
        cJSON_AddStringToObject(o, "event", e->type ? e->type : "message");
        cJSON_AddItemToObject(o, "data", data ? data : cJSON_CreateNull());
        char *text = cJSON_PrintUnformatted(o);
        puts(text);
        free(text);
        cJSON_Delete(o);
    } else {
        strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &tm));
        printf("%s %s", clock, e->type ? ctl_clean(e->type) : "message");
        print_data(e->data);
        putchar('\n');
    }
    fflush(stdout);
}

/* A line of text/event-stream. */
static bool
on_line(void *aux, const char *line)
{
    struct event_reader *e = aux;

    e->begun = true;
    e->lost = false;
    if (!strncmp(line, "event: ", 7)) {
        keep(&e->type, line + 7);
    } else if (!strncmp(line, "id: ", 4)) {
        keep(&e->id, line + 4);
    } else if (!strncmp(line, "data: ", 6)) {
        keep(&e->data, line + 6);
    } else if (!*line && e->data) {
        print_event(e);
        free(e->data);
        free(e->type);
        e->data = e->type = NULL;
    }
    return !ferror(stdout);
}

/* Follows the stream once; 'e->id' is where it got to. */
static int
follow(struct event_reader *e)
{
    char *headers =
        e->id ? xasprintf("Last-Event-ID: %s\r\n", e->id) : xstrdup("");
    struct ctl_reply r;

    ctl_client_stream(&e->options->client, "/v1/events", headers, on_line, e,
                      &r);
    /* A stream that began counts as a success, however it ended. */
    int code = e->begun && !r.status ? CTL_OK : ctl_check_reply(&r);
    ctl_reply_uninit(&r);
    free(headers);
    return code;
}

/* Until interrupted: a daemon that restarts is waited for, and what was missed
 * meanwhile comes first. */
int
ctl_run_events(struct ctl_options *o, int argc, char *argv[])
{
    struct event_reader e = {.options = o};
    int code;

    (void) argc;
    (void) argv;
    while ((code = follow(&e)) == CTL_OK && !ferror(stdout)) {
        if (!e.lost) {
            ctl_complain("lost %s, trying again", o->client.url);
            e.lost = true;
        }
        sleep_for(1);
    }
    free(e.type);
    free(e.id);
    free(e.data);
    return ferror(stdout) ? CTL_FAILED : code;
}

/* Verify. */

static bool
switch_is_good(const struct cJSON *s)
{
    return ctl_get_bool(s, "synced") && ctl_get_number(s, "pending") == 0
           && ctl_get_number(s, "rejected") == 0;
}

static void
print_verdict(const struct cJSON *s)
{
    const char *dpid = ctl_get_text(s, "dpid");
    uint64_t drift =
        ctl_get_u64(cJSON_GetObjectItemCaseSensitive(s, "counters"), "drift");

    if (!ctl_get_bool(s, "connected")) {
        printf("%s: away, not verified\n", dpid);
    } else if (!ctl_get_bool(s, "synced")) {
        printf("%s: DIFFERS: not programmed yet\n", dpid);
    } else if (!switch_is_good(s)) {
        printf("%s: DIFFERS: %.0f entries pending, %.0f rejected\n", dpid,
               ctl_get_number(s, "pending"), ctl_get_number(s, "rejected"));
    } else {
        printf("%s: as it should be: %.0f flows, %.0f groups", dpid,
               ctl_get_number(s, "flows"), ctl_get_number(s, "groups"));
        if (drift) {
            printf("; %" PRIu64 " changes by others put right", drift);
        }
        putchar('\n');
    }
}

int
ctl_run_verify(struct ctl_options *o, int argc, char *argv[])
{
    int code;
    int n_connected = 0;
    struct cJSON *json = ctl_fetch_list(o, "switches", &code);
    const struct cJSON *s;

    (void) argc;
    (void) argv;
    if (!json) {
        return code;
    }
    cJSON_ArrayForEach (s,
                        cJSON_GetObjectItemCaseSensitive(json, "switches")) {
        if (ctl_get_bool(s, "connected")) {
            n_connected++;
            code = switch_is_good(s) ? code : CTL_FAILED;
        }
        if (!o->json) {
            print_verdict(s);
        }
    }
    if (o->json) {
        ctl_print_json(stdout, json);
    }
    cJSON_Delete(json);
    if (!n_connected) {
        ctl_complain("no switch is connected, nothing was verified");
        code = CTL_FAILED;
    }
    return code;
}
