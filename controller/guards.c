/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/guards.h"

#include <stdlib.h>

#include "controller/ctl-private.h"
#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(guards);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 60);

enum {
    TELL_INTERVAL = 1000, /* Between events of a (port, guard). */
    CALM_MS = 1000,       /* Without one too many: it is over. */

    /* Kinds of refusals: the machines' guards, and the rate. */
    RATE = IGMP_N_GUARDS,
    N_KINDS
};

struct guard_port {
    UT_hash_handle hh; /* In ctl->guards, by 'id'. */
    struct port_id id;

    /* The token bucket, in thousandths of a message. */
    int64_t rate; /* Messages a second; 0: no limit. */
    int64_t tokens, filled;
    int64_t over; /* When there was one too many; INT64_MIN: it is calm. */

    uint64_t refused[N_KINDS];
    int64_t told[N_KINDS], warned[N_KINDS]; /* When; INT64_MIN: never. */
};

static const char *
kind_name(int kind)
{
    return kind == RATE ? "rate" : igmp_guard_name((enum igmp_guard) kind);
}

static struct guard_port *
lookup(struct ctl *ctl, const struct port_id *id)
{
    struct guard_port *g;
    HASH_FIND(hh, ctl->guards, id, sizeof *id, g);
    return g;
}

static struct guard_port *
get(struct ctl *ctl, const struct port_id *id)
{
    struct guard_port *g = lookup(ctl, id);
    if (g) {
        return g;
    }
    g = xcalloc(1, sizeof *g);
    g->id = *id;
    g->over = g->filled = INT64_MIN;
    for (int i = 0; i < N_KINDS; i++) {
        g->told[i] = g->warned[i] = INT64_MIN;
    }
    HASH_ADD(hh, ctl->guards, id, sizeof g->id, g);
    return g;
}

/* Of a tunnel's end that is no peer (yet): the port's that carries it. */
static struct guard_port *
lookup_for(struct ctl *ctl, const struct port_id *id)
{
    struct port_id carrier = {id->dpid, port_id_no(id)};
    struct guard_port *g = lookup(ctl, id);
    return g || !port_id_vtep(id) ? g : lookup(ctl, &carrier);
}

/* True, and it is noted, if 'at' is long enough ago. */
static bool
may_tell(int64_t *at, int64_t now)
{
    if (*at != INT64_MIN && now - *at < TELL_INTERVAL) {
        return false;
    }
    *at = now;
    return true;
}

/* The rate. */

static void
tell_rate(struct ctl *ctl, const struct guard_port *g, bool limited)
{
    char at[PORT_JSON_SIZE];
    VLOG_WARN_RL(&rl,
                 DPID_FMT " port %s: %s %" PRId64
                          " IGMP and MLD messages a second",
                 g->id.dpid, switch_port_name(ctl, &g->id),
                 limited ? "over" : "no longer over", g->rate);
    ctl_event(ctl, "guard.rate",
              "{\"dpid\":\"" DPID_FMT "\",%s"
              ",\"guard\":\"rate\",\"limited\":%s,\"limit\":%" PRId64
              ",\"refused\":%" PRIu64 "}",
              g->id.dpid, port_json(&g->id, at), limited ? "true" : "false",
              g->rate, g->refused[RATE]);
}

/* Ports that were sending too much and have calmed down. */
static void
timer_cb(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    int64_t next = INT64_MAX;
    struct guard_port *g, *tmp;
    HASH_ITER (hh, ctl->guards, g, tmp) {
        if (g->over == INT64_MIN) {
            continue;
        }
        int64_t calm = g->over + CALM_MS;
        if (calm <= now) {
            g->over = INT64_MIN;
            tell_rate(ctl, g, false);
        } else if (calm < next) {
            next = calm;
        }
    }
    loop_timer_set(ctl->loop, &ctl->guard_timer, next);
}

static void
one_too_many(struct ctl *ctl, struct guard_port *g, int64_t now)
{
    bool was_calm = g->over == INT64_MIN;
    g->refused[RATE]++;
    g->over = now;
    if (was_calm) {
        tell_rate(ctl, g, true);
        timer_cb(ctl, now);
    }
}

/* What a message of 'size' bytes costs: one with many records is the work of
 * many. */
static int64_t
price(size_t size)
{
    enum { ONE_RECORD = 96, EIGHT_MORE = 64 }; /* Bytes. */
    return size <= ONE_RECORD
               ? 1000
               : 1000 + (int64_t) ((size - ONE_RECORD) / EIGHT_MORE) * 1000;
}

static bool
take_tokens(struct guard_port *g, size_t size, int64_t now)
{
    int64_t most = g->rate * 1000;
    if (g->filled == INT64_MIN) {
        g->tokens = most;
    } else {
        g->tokens += (now - g->filled) * g->rate;
        g->tokens = g->tokens < most ? g->tokens : most;
    }
    g->filled = now;
    if (g->tokens < 1000) {
        return false;
    }
    g->tokens -= price(size); /* Perhaps below zero: it is paid later. */
    return true;
}

bool
guard_admit(struct ctl *ctl, const struct port_id *id, size_t size,
            int64_t now)
{
    struct guard_port *g = lookup_for(ctl, id);
    if (!g && id->port_no == PORT_LOCAL) {
        guard_port_changed(ctl, id);
        g = lookup(ctl, id);
    }
    if (!g) {
        return false;
    }
    if (g->rate && !take_tokens(g, size, now)) {
        one_too_many(ctl, g, now);
        return false;
    }
    return true;
}

/* What the machines refuse. */

static const char *
event_type(const struct igmp_guard_event *event)
{
    if (event->watermark) {
        return "guard.watermark";
    }
    return event->guard == IGMP_GUARD_PERMISSION
                   || event->guard == IGMP_GUARD_ROLE
               ? "guard.denied"
               : "guard.limit";
}

void
guard_tell(struct ctl *ctl, uint16_t vlan, const struct port_id *id,
           const struct igmp_guard_event *event, int64_t now)
{
    struct guard_port *g = lookup_for(ctl, id);
    if (!g) {
        return;
    }
    g->refused[event->guard] += !event->watermark;
    int64_t *told = event->watermark ? g->warned : g->told;
    if (!may_tell(&told[event->guard], now)) {
        return;
    }

    const char *type = event_type(event);
    char group[IP_ADDR_STRLEN], at[PORT_JSON_SIZE];
    ip_addr_format(&event->group, group);
    VLOG_WARN_RL(&rl,
                 DPID_FMT " port %s, vlan %u: %s: %s, group %s, "
                          "%zu of %zu",
                 id->dpid, switch_port_name(ctl, id), vlan, type,
                 kind_name(event->guard), group, event->value, event->limit);
    ctl_event(ctl, type,
              "{\"vlan\":%u,\"dpid\":\"" DPID_FMT "\",%s"
              ",\"guard\":\"%s\",\"group\":\"%s\",\"value\":%zu,"
              "\"limit\":%zu}",
              vlan, id->dpid, port_json(id, at), kind_name(event->guard),
              group, event->value, event->limit);
}

/* Ports and settings. */

static int64_t
max_reports(const struct config *config, uint64_t dpid,
            const struct topo_port *port)
{
    /* No vlan has a say in it. */
    return config_get_port(config, dpid, port, 0).max_reports;
}

uint32_t
guard_meter_rate(const struct config *config, uint64_t dpid,
                 const struct topo_port *port)
{
    int64_t rate = max_reports(config, dpid, port);
    return rate ? (uint32_t) (rate + rate / 4 + 1) : 0;
}

void
guard_port_changed(struct ctl *ctl, const struct port_id *id)
{
    const struct topo_port *port = switch_topo_port(ctl, id);
    if (port || id->port_no == PORT_LOCAL) {
        get(ctl, id)->rate = max_reports(ctl->config, id->dpid, port);
    }
}

void
guard_port_gone(struct ctl *ctl, const struct port_id *id)
{
    struct guard_port *g = lookup(ctl, id);
    if (g) {
        HASH_DELETE(hh, ctl->guards, g);
        free(g);
    }
}

void
guards_reconfigure(struct ctl *ctl)
{
    struct guard_port *g, *tmp;
    HASH_ITER (hh, ctl->guards, g, tmp) {
        guard_port_changed(ctl, &g->id);
    }
}

void
guards_init(struct ctl *ctl)
{
    loop_timer_init(&ctl->guard_timer, timer_cb, ctl);
}

void
guards_destroy(struct ctl *ctl)
{
    struct guard_port *g, *tmp;
    loop_timer_clear(ctl->loop, &ctl->guard_timer);
    HASH_ITER (hh, ctl->guards, g, tmp) {
        HASH_DELETE(hh, ctl->guards, g);
        free(g);
    }
}

/* Reading. */

void
view_guards(struct ctl *ctl, view_guard_cb *cb, void *aux)
{
    struct guard_port *g, *tmp;
    HASH_ITER (hh, ctl->guards, g, tmp) {
        for (int i = 0; i < N_KINDS; i++) {
            const struct view_guard view = {.port = g->id,
                                            .port_name =
                                                switch_port_name(ctl, &g->id),
                                            .guard = kind_name(i),
                                            .refused = g->refused[i]};
            if (view.refused && !cb(aux, &view)) {
                return;
            }
        }
    }
}
