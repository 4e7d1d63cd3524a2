/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_COMMAND_H
#define API_CTL_COMMAND_H 1

/* What the commands of ofmcastctl share. */

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "api/ctl-client.h"

struct cJSON;

/* Scripts rely on these (design.md 7). */
enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILED = 1,
    CTL_USAGE = 2,
    CTL_NOT_FOUND = 3,
    CTL_AWAY = 5
};

struct ctl_options {
    const char *api;
    double timeout; /* Seconds; < 0: not given. */
    bool json;
    bool stored;                    /* --wait=stored */
    bool watch;                     /* Again and again. */
    double interval;                /* Seconds. */
    bool is_group;                  /* flow add --group */
    struct cJSON *member;           /* member add, NULL: no options. */
    bool exclude;                   /* member add --exclude */
    bool stop;                      /* tap --stop */
    struct cJSON *match, *set, *to; /* Of a route, NULL: not given. */
    /* Of an import, NULL: not given; 'format' also of show routes. */
    const char *format, *dpid, *prefix;
    bool replace, dry_run;
    struct cJSON *packet;    /* explain: parameters, as texts. */
    struct cJSON *addresses; /* "PORT=ADDRESS" */
    bool no_trace;           /* explain --no-trace */
    const char *vswitchd;    /* explain --vswitchd, or NULL. */
    bool color;
    struct ctl_client client; /* Made of the above. */
};

/* A line, like printf(), harmless for a terminal: what comes from a switch or
 * a file is printed as ctl_clean() makes it. */
void ctl_say(FILE *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same on stderr, of what went wrong. */
void ctl_complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* What went wrong, if 'r' is not a success; the exit code. */
int ctl_check_reply(const struct ctl_reply *r);
/* GETs 'target' and parses it; NULL with '*code' set if it failed. */
struct cJSON *ctl_fetch(const struct ctl_options *, const char *target,
                        int *code);
/* A whole list, page by page, as {"<name>": [...]}. */
struct cJSON *ctl_fetch_list(const struct ctl_options *, const char *name,
                             int *code);

/* "key=value" into '*object' (made if NULL), as the server wants its type;
 * false if it is not of that form. */
bool ctl_add_pair(struct cJSON **object, const char *pair);
bool ctl_add_value(struct cJSON **object, const char *key, const char *value);
/* "members", "nobody" or "DPID:PORT", each with ",key=value..." behind it. */
bool ctl_add_target(struct cJSON **array, const char *text);
/* An option of "member add": "switch", "group", "source" (a list)... */
bool ctl_add_member_value(struct cJSON **object, const char *option,
                          const char *value);
/* As the server's JSON is printed by --json; a newline behind it. */
void ctl_print_json(FILE *, const struct cJSON *);
/* A name as a part of a path, percent-encoded; for free(). */
char *ctl_encode(const char *);

/* Routes and learned channels as others show them: "iproute",
 * "iproute-stats", "mr_cache". */
bool ctl_is_mroute_format(const char *);
int ctl_show_mroutes(const struct ctl_options *, FILE *);

/* Options of every command, before or behind its words. */
enum {
    CTL_OPT_API = 256,
    CTL_OPT_WAIT, /* Of all that write. */
    CTL_OPT_OWN   /* The command's own: it is given the name and the value. */
};
#define CTL_COMMON_OPTIONS                                                    \
    {"api", required_argument, NULL, CTL_OPT_API},                            \
        {"json", no_argument, NULL, 'j'},                                     \
        {"timeout", required_argument, NULL, 't'},                            \
        {"help", no_argument, NULL, 'h'},                                     \
    {                                                                         \
        "version", no_argument, NULL, 'V'                                     \
    }
typedef int ctl_set(struct ctl_options *, const char *option,
                    const char *value);
extern const struct option CTL_EXPLAIN_OPTIONS[], CTL_IMPORT_OPTIONS[];
ctl_set ctl_set_explain, ctl_set_import;

/* The commands: 'argv' are the arguments behind the command words. */
typedef int ctl_run(struct ctl_options *, int argc, char *argv[]);
ctl_run ctl_run_show, ctl_run_events, ctl_run_verify, ctl_run_doctor,
    ctl_run_explain;
ctl_run ctl_run_route_add, ctl_run_route_rm, ctl_run_route_show;
ctl_run ctl_run_route_neutral;
ctl_run ctl_run_tap;
ctl_run ctl_run_member_add, ctl_run_member_rm, ctl_run_member_show;
ctl_run ctl_run_import, ctl_run_export;
ctl_run ctl_run_flow_add, ctl_run_flow_rm, ctl_run_flow_show;

#endif
