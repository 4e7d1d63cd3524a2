/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a stream to a port, for a while: to listen there. */
#include <config.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/ctl-command.h"
#include "api/ctl-show.h"
#include "api/import.h"
#include "lib/xalloc.h"

enum { DEFAULT_LEASE = 60, NAME_LENGTH = 64 };

/* The same for the same place, so that the same command renews or ends it. */
static char *
name_of(const struct cJSON *m)
{
    char *name = xasprintf("tap-%.0f-%s-%s-%s", ctl_get_number(m, "vlan"),
                           ctl_get_text(m, "dpid"), ctl_get_text(m, "port"),
                           ctl_get_text(m, "group"));

    for (char *p = name; *p; p++) {
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                    "0123456789._-",
                    *p)) {
            *p = '_';
        }
    }
    if (strlen(name) > NAME_LENGTH) {
        char *whole = name;
        name = xasprintf("%.*s-%08" PRIx32, NAME_LENGTH - 9, whole,
                         import_hash(whole));
        free(whole);
    }
    return name;
}

static void
print_tap(const struct cJSON *m)
{
    double left = ctl_get_number(m, "expires_s");
    time_t end = time(NULL) + (time_t) (left + 0.5);
    struct tm tm;
    char when[16] = "?";

    if (localtime_r(&end, &tm)) {
        strftime(when, sizeof when, "%H:%M:%S", &tm);
    }
    printf("%s is copied to port %s of switch %s until %s (%.0f s): %s\n",
           ctl_get_text(m, "group"), ctl_get_text(m, "port"),
           ctl_short_dpid(ctl_get_text(m, "dpid")), when, left,
           ctl_show_state(m));
    printf("Listen there, at the other end of the port:\n"
           "  tcpdump -ni any dst host %s\n"
           "The same command again renews it, --stop ends it.\n",
           ctl_get_text(m, "group"));
}

static int
start(const struct ctl_options *o, const char *target)
{
    struct ctl_reply r;
    char *body = cJSON_PrintUnformatted(o->member);

    ctl_client_request(&o->client, "PUT", target, body, &r);
    int code = ctl_check_reply(&r);
    struct cJSON *json = code == CTL_OK ? cJSON_Parse(r.body) : NULL;
    if (json && o->json) {
        ctl_print_json(stdout, json);
    } else if (json) {
        print_tap(json);
    }
    cJSON_Delete(json);
    ctl_reply_uninit(&r);
    free(body);
    return code;
}

static int
stop(const struct ctl_options *o, const char *target)
{
    struct ctl_reply r;

    ctl_client_request(&o->client, "DELETE", target, NULL, &r);
    int code = ctl_check_reply(&r);
    ctl_reply_uninit(&r);
    if (code == CTL_OK && !o->json) {
        puts("The tap has ended.");
    }
    return code;
}

int
ctl_run_tap(struct ctl_options *o, int argc, char *argv[])
{
    (void) argc;
    if (!ctl_add_member_value(&o->member, "group", argv[0])) {
        return CTL_USAGE;
    }
    if (!cJSON_HasObjectItem(o->member, "dpid")
        || !cJSON_HasObjectItem(o->member, "port")) {
        ctl_complain("where? give --switch DPID and --port PORT");
        return CTL_USAGE;
    }
    if (cJSON_HasObjectItem(o->member, "sources")) {
        cJSON_AddStringToObject(o->member, "mode", "include");
    }
    if (!cJSON_HasObjectItem(o->member, "lease")) {
        cJSON_AddNumberToObject(o->member, "lease", DEFAULT_LEASE);
    }
    char *name = name_of(o->member), *encoded = ctl_encode(name);
    char *target = xasprintf("/v1/members/%s", encoded);
    int code = o->stop ? stop(o, target) : start(o, target);
    free(name);
    free(encoded);
    free(target);
    return code;
}
