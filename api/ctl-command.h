/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_COMMAND_H
#define API_CTL_COMMAND_H 1

/* What the commands of ofmcastctl share. */

#include <stdbool.h>
#include <stddef.h>

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
    struct cJSON *match, *set, *to; /* Of a route, NULL: not given. */
    bool color;
    struct ctl_client client; /* Made of the above. */
};

/* Says on stderr what went wrong, like printf(). */
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
/* A name as a part of a path, percent-encoded; for free(). */
char *ctl_encode(const char *);

/* The commands: 'argv' are the arguments behind the command words. */
typedef int ctl_run(struct ctl_options *, int argc, char *argv[]);
ctl_run ctl_run_show, ctl_run_events, ctl_run_verify;
ctl_run ctl_run_route_add, ctl_run_route_rm, ctl_run_route_show;
ctl_run ctl_run_member_add, ctl_run_member_rm, ctl_run_member_show;
ctl_run ctl_run_flow_add, ctl_run_flow_rm, ctl_run_flow_show;

#endif
