/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The controller's life, and its turn: compile what is dirty, run the tables
 * that have something to send. */

#include "controller/ctl-private.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/lease.h"
#include "controller/sample.h"
#include "controller/log.h"
#include "controller/route-unicast.h"
#include "controller/route-join.h"
#include "controller/writes.h"
#include "controller/pools.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(ctl);

enum {
    TRIM_ENTRIES = 10000, /* So many are a burst... */
    TRIM_QUIET_MS = 200   /* ...which is over after so long without one. */
};

void
ctl_event(struct ctl *ctl, const char *type, const char *format, ...)
{
    if (!ctl->event_cb) {
        return;
    }
    char json[512];
    va_list args;
    va_start(args, format);
    vsnprintf(json, sizeof json, format, args);
    va_end(args);
    ctl->event_cb(ctl->event_aux, type, json);
}

void
ctl_set_event_listener(struct ctl *ctl, ctl_event_cb *cb, void *aux)
{
    ctl->event_cb = cb;
    ctl->event_aux = aux;
}

/* Static members are made by rules, trees by members, and routes that copy
 * for members follow trees. */
void
ctl_compile(struct ctl *ctl)
{
    unicast_compile(ctl);
    rules_compile(ctl);
    fabric_run(ctl);
    rules_compile(ctl);
    channels_compile(ctl);
    l2_compile(ctl);
    routes_join(ctl);
}

/* Does some switch have changes to confirm? */
static bool
is_unsettled(const struct ctl *ctl)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (switch_is_connected(sw)
            && ofp_table_settled_seqno(sw->table)
                   != ofp_table_seqno(sw->table)) {
            return true;
        }
    }
    return false;
}

/* What the messages of a burst took is free again, but in holes between what
 * stays: malloc would keep it, a sixth of the daemon's size.  Giving it back
 * takes the time of some joins, so it is not done after less. */
static void
trim(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    if (is_unsettled(ctl)) {
        loop_timer_set(ctl->loop, &ctl->trim_timer, now + TRIM_QUIET_MS);
        return;
    }
    ctl->trimmed = ctl->compiled;
#ifdef HAVE_MALLOC_TRIM
    malloc_trim(0);
#endif
}

static void
turn(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    uint64_t compiled = ctl->compiled;
    ctl_compile(ctl);
    switches_run(ctl, now);
    fabric_turn_ends(ctl);
    if (ctl->compiled != compiled
        && ctl->compiled - ctl->trimmed >= TRIM_ENTRIES) {
        loop_timer_set(ctl->loop, &ctl->trim_timer, now + TRIM_QUIET_MS);
    }
}

/* Locally administered.  Two daemons on one network must differ, or each takes
 * the other's queries for its own; and it must be the same after a restart. */
static struct mac_addr
make_mac(const char *state_dir)
{
    char text[4096] = "", host[256] = "", id[64] = "";
    FILE *f = fopen("/etc/machine-id", "r");
    if (f) {
        if (!fgets(id, sizeof id, f)) {
            id[0] = '\0';
        }
        fclose(f);
    }
    gethostname(host, sizeof host - 1);
    char *dir = realpath(state_dir, NULL);
    snprintf(text, sizeof text, "%s/%s/%s", id, host, dir ? dir : state_dir);
    free(dir);
    uint64_t hash = relay_hash((const uint8_t *) text, strlen(text));
    return (struct mac_addr){{0x02, 0x4f, (uint8_t) (hash >> 24),
                              (uint8_t) (hash >> 16), (uint8_t) (hash >> 8),
                              (uint8_t) hash}};
}

struct ctl *
ctl_create(struct event_base *base, const struct config *config,
           char error[CONFIG_ERROR_SIZE])
{
    char store_error[STORE_ERROR_SIZE];
    struct store *store = store_open(config->state_dir, store_error);
    if (!store) {
        snprintf(error, CONFIG_ERROR_SIZE, "%s", store_error);
        return NULL;
    }
    if (store_notice(store)[0]) {
        VLOG_WARN("%s", store_notice(store));
    }

    struct ctl *ctl = xcalloc(1, sizeof *ctl);
    ctl->config = config;
    ctl->store = store;
    ctl->topo = topo_graph_create();
    ctl->loop = loop_create(base, turn, ctl);
    ctl->started = loop_now(ctl->loop);
    loop_timer_init(&ctl->store_timer, rules_retry_store, ctl);
    loop_timer_init(&ctl->unstored_timer, writes_store, ctl);
    loop_timer_init(&ctl->lease_timer, leases_run, ctl);
    loop_timer_init(&ctl->trim_timer, trim, ctl);
    ctl->mac = make_mac(config->state_dir);
    ctl->history = xcalloc(1, sizeof *ctl->history);
    if (config->l2 == CONFIG_L2_FABRIC) {
        fabric_create(ctl);
    }
    guards_init(ctl);
    tunnels_init(ctl);
    vlans_reconfigure(ctl);
    members_configure(ctl);
    pools_load(ctl);
    rules_load(ctl);
    doctor_create(ctl);
    ctl->listener =
        listener_create(ctl->loop, &config->openflow, config->probe_interval,
                        &switch_conn_ops, ctl, error);
    if (!ctl->listener) {
        ctl_destroy(ctl);
        return NULL;
    }
    VLOG_INFO("listening for OpenFlow on %s:%u", config->openflow.host,
              ctl_openflow_port(ctl));
    return ctl;
}

void
ctl_destroy(struct ctl *ctl)
{
    if (!ctl) {
        return;
    }
    ctl->event_cb = NULL;
    doctor_destroy(ctl);
    writes_abandon(ctl);
    samples_abandon(ctl);
    listener_destroy(ctl->listener);
    loop_timer_clear(ctl->loop, &ctl->store_timer);
    loop_timer_clear(ctl->loop, &ctl->unstored_timer);
    loop_timer_clear(ctl->loop, &ctl->lease_timer);
    loop_timer_clear(ctl->loop, &ctl->trim_timer);
    rules_destroy(ctl);
    pools_destroy(ctl);
    switches_destroy(ctl);
    fabric_destroy(ctl);
    tunnels_destroy(ctl);
    vlans_destroy(ctl);
    guards_destroy(ctl);
    topo_graph_destroy(ctl->topo);
    loop_destroy(ctl->loop);
    store_close(ctl->store);
    free(ctl->history);
    free(ctl->stale_joins);
    free(ctl);
}

uint16_t
ctl_openflow_port(const struct ctl *ctl)
{
    return listener_port(ctl->listener);
}

void
ctl_take_switch(struct ctl *ctl, int fd, const char *peer)
{
    listener_take(ctl->listener, fd, peer);
}

static bool
listen_equal(const struct config_listen *a, const struct config_listen *b)
{
    return !strcmp(a->host, b->host) && a->port == b->port;
}

void
ctl_reconfigure(struct ctl *ctl, const struct config *config,
                char notice[CONFIG_ERROR_SIZE])
{
    const struct config *old = ctl->config;
    notice[0] = '\0';
    if (!listen_equal(&old->openflow, &config->openflow)
        || !listen_equal(&old->api, &config->api)
        || strcmp(old->state_dir, config->state_dir)
        || (old->l2 == CONFIG_L2_FABRIC) != (config->l2 == CONFIG_L2_FABRIC)) {
        snprintf(notice, CONFIG_ERROR_SIZE,
                 "a changed listener or state_dir, or l2: fabric, takes a "
                 "restart");
    }
    ctl->config = config;
    listener_set_probe_interval(ctl->listener, config->probe_interval);
    guards_reconfigure(ctl);
    vlans_reconfigure(ctl);
    members_configure(ctl);
    rules_load(ctl); /* Those that a member of the configuration hid. */
    tunnels_reconfigure(ctl);
    rules_mark_all(ctl, 0); /* Which ports are in which vlans. */
    fabric_reconfigure(ctl);
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        pipeline_set(sw);
        if (config_get_datapath(old, sw->dpid)
            != config_get_datapath(config, sw->dpid)) {
            rules_mark_all(ctl, sw->dpid);
            switch_check_datapath(sw);
        }
        struct ctl_vlan *v, *next;
        HASH_ITER (hh, ctl->vlans, v, next) {
            streams_policy_changed(sw, v->vlan);
        }
    }
    loop_want_turn(ctl->loop);
}
