/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CTL_H
#define CONTROLLER_CTL_H 1

/* The controller as a whole: its life, and the verbs that change something.
 * Reading is in view.h.
 *
 * A write is durable before its callback runs.  The callback runs exactly
 * once, possibly before the verb returns: when every connected switch
 * concerned has answered, when 'timeout_ms' is over, or at once with
 * wait = CTL_WAIT_STORED.  If a switch refuses, the earlier state is put back,
 * in the store and on the switch, and the result is CTL_REJECTED.
 *
 * Single-threaded: everything happens on the event loop. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config.h"
#include "controller/member.h"
#include "controller/route.h"
#include "controller/view.h"

struct ctl;
struct event_base;

/* NULL with 'error' filled in: a port taken, a store locked... */
struct ctl *ctl_create(struct event_base *, const struct config *,
                       char error[CONFIG_ERROR_SIZE]);
void ctl_destroy(struct ctl *);
/* SIGHUP.  Takes over 'config' (which must outlive the ctl) where it can
 * change without a restart; says what needs one in 'notice'. */
void ctl_reconfigure(struct ctl *, const struct config *,
                     char notice[CONFIG_ERROR_SIZE]);
/* The port that the OpenFlow listener got (of use with port 0). */
uint16_t ctl_openflow_port(const struct ctl *);
/* A switch in the same process: as if the listener had accepted 'fd', a
 * connected, non-blocking stream socket, which is the ctl's from now on. */
void ctl_take_switch(struct ctl *, int fd, const char *peer);

enum ctl_wait { CTL_WAIT_APPLIED, CTL_WAIT_STORED };

enum ctl_outcome {
    CTL_CREATED,
    CTL_REPLACED,
    CTL_UNCHANGED,
    CTL_DELETED,
    CTL_NOT_FOUND,
    CTL_INVALID,  /* It makes no sense: 'detail', 'pointer'. */
    CTL_FIXED,    /* It is of the configuration: 'detail'. */
    CTL_REJECTED, /* A switch refused: 'detail'; the earlier state is back. */
    CTL_STORAGE   /* It could not be made durable: 'detail'. */
};

struct ctl_result {
    enum ctl_outcome outcome;
    const char *detail;  /* "" if there is nothing to say. */
    const char *pointer; /* JSON pointer for CTL_INVALID, CTL_REJECTED. */
};

typedef void ctl_done_cb(void *aux, const struct ctl_result *);

/* The state after the write is read with view_route() and the like from within
 * the callback. No verb takes ownership. */
void ctl_route_put(struct ctl *, const struct route *, enum ctl_wait,
                   int64_t timeout_ms, ctl_done_cb *, void *aux);
void ctl_route_delete(struct ctl *, const char *name, enum ctl_wait,
                      int64_t timeout_ms, ctl_done_cb *, void *aux);
void ctl_flow_put(struct ctl *, const struct static_rule *, enum ctl_wait,
                  int64_t timeout_ms, ctl_done_cb *, void *aux);
void ctl_flow_delete(struct ctl *, const char *name, enum ctl_wait,
                     int64_t timeout_ms, ctl_done_cb *, void *aux);

void ctl_member_put(struct ctl *, const struct member *, enum ctl_wait,
                    int64_t timeout_ms, ctl_done_cb *, void *aux);
void ctl_member_delete(struct ctl *, const char *name, enum ctl_wait,
                       int64_t timeout_ms, ctl_done_cb *, void *aux);

/* Events for /v1/events and logs: "switch.up", "member.joined"...  'json' is
 * an object. One listener. */
typedef void ctl_event_cb(void *aux, const char *type, const char *json);
void ctl_set_event_listener(struct ctl *, ctl_event_cb *, void *aux);

#endif
