/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* D10 and D11: datagrams in pieces, and packets that do not fit.  D21: what
 * damages the pieces. */

#include "controller/doctor-private.h"

#include <stdio.h>

#include "controller/explain.h"

/* D10. */

static bool
check_fragments(void *look_, const struct view_rule *rule)
{
    struct doctor_look *look = look_;
    for (size_t i = 0; i < rule->n_statuses; i++) {
        const struct view_status *s = &rule->statuses[i];
        struct doctor_report r = {.id = D10_FRAGMENTS,
                                  .severity = DOCTOR_ERROR};
        char dpid[DPID_STRLEN];
        if (!s->drops_fragments || !s->fragments_dropped) {
            continue;
        }
        doctor_format_dpid(s->dpid, dpid);
        DOCTOR_SAY(r.where, "route %s switch %s", rule->name, dpid);
        DOCTOR_SAY(r.text, "datagrams that come in fragments are dropped: "
                           "rewriting them would damage what is in them");
        DOCTOR_SAY(r.evidence, "%" PRIu64 " fragments so far; %s",
                   s->fragments_dropped,
                   s->fragments_reason ? s->fragments_reason : "");
        DOCTOR_SAY(r.cure, "send smaller datagrams, or give it a source of "
                           "the same checksum (ofmcastctl route neutral); if "
                           "the switch has the kernel's datapath, say so "
                           "(datapath: kernel)");
        doctor_report(look, &r);
    }
    return true;
}

void
doctor_check_fragments(struct doctor_look *look)
{
    view_routes(look->ctl, check_fragments, look);
}

/* D21. */

static void
check_datapath(struct doctor_look *look, const struct ctl_switch *sw)
{
    enum config_datapath said =
        config_get_datapath(look->ctl->config, sw->dpid);
    struct doctor_report r = {.id = D21_DATAPATH};
    enum config_datapath guess;
    char dpid[DPID_STRLEN];
    if (!sw->conn || !switch_guess_datapath(sw, &guess) || guess == said) {
        return;
    }
    doctor_format_dpid(sw->dpid, dpid);
    DOCTOR_SAY(r.where, "switch %s", dpid);
    if (said == CONFIG_DATAPATH_KERNEL) {
        r.severity = DOCTOR_ERROR;
        DOCTOR_SAY(r.text, "it is configured as \"kernel\", but has Open "
                           "vSwitch's userspace datapath: fragments whose "
                           "addresses a route rewrites are damaged");
    } else {
        r.severity = DOCTOR_NOTE;
        DOCTOR_SAY(r.text, "it is configured as \"netdev\", but has the Linux "
                           "kernel's datapath: fragments of rewritten streams "
                           "are dropped without need");
    }
    DOCTOR_SAY(r.evidence,
               "a meter of it has at most %d bands; the userspace datapath "
               "has 8, the kernel's 1",
               sw->features.meter_bands);
    DOCTOR_SAY(r.cure,
               "switches: [{dpid: %s, datapath: %s}] in the "
               "configuration, and SIGHUP",
               dpid, CONFIG_DATAPATH_NAMES[guess]);
    doctor_report(look, &r);
}

void
doctor_check_datapaths(struct doctor_look *look)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, look->ctl->switches, sw, tmp) {
        check_datapath(look, sw);
    }
}

/* D11. */

struct size_check {
    struct doctor_look *look;
    const struct view_stream *stream;
};

static void
report_size(const struct size_check *check, const struct port_id *port,
            uint32_t mtu)
{
    const struct view_stream *s = check->stream;
    struct doctor_report r = {.id = D11_MTU, .severity = DOCTOR_ERROR};
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN], name[DOCTOR_PORT_SIZE];
    doctor_format_port(check->look->ctl, port, name);
    ip_addr_format(&s->source, source);
    ip_addr_format(&s->group, group);
    DOCTOR_SAY(r.where, "%s group %s", name, group);
    DOCTOR_SAY(r.text, "its packets are longer than what gets through there: "
                       "they vanish, and no counter tells");
    DOCTOR_SAY(r.evidence,
               "packets of %u bytes from %s were seen; the MTU of the port "
               "is %u",
               s->size, source, mtu);
    DOCTOR_SAY(r.cure, "send smaller ones; or raise the MTU of all that is "
                       "behind the port, and say so (\"mtu\" of the port)");
    doctor_report(check->look, &r);
}

static bool
check_outputs(void *check_, const struct view_explain *x)
{
    struct size_check *check = check_;
    for (size_t i = 0; i < x->n_outputs; i++) {
        const struct port_id *port = &x->outputs[i].port;
        uint32_t mtu = explain_mtu(check->look->ctl, port);
        if (mtu < check->stream->size) {
            report_size(check, port, mtu);
        }
    }
    return true;
}

/* Most streams need not be looked at: what fits everywhere. */
static uint32_t
least_mtu(const struct ctl *ctl)
{
    const struct config *c = ctl->config;
    uint32_t least = config_get_port(c, 0, NULL, 0).mtu;
    for (size_t i = 0; i < c->n_ports; i++) {
        uint32_t mtu = c->ports[i].settings.mtu;
        least = mtu && mtu < least ? mtu : least;
    }
    return least - EXPLAIN_TUNNEL_BYTES;
}

void
doctor_check_sizes(struct doctor_look *look)
{
    const struct doctor_facts *f = look->facts;
    uint32_t least = least_mtu(look->ctl);
    for (size_t i = 0; i < f->n_streams; i++) {
        const struct view_stream *s = &f->streams[i];
        const struct explain_query query = {.in = s->port,
                                            .vlan = s->vlan,
                                            .source = s->source,
                                            .group = s->group,
                                            .udp_dst = -1,
                                            .ttl = -1,
                                            .size = -1};
        struct size_check check = {look, s};
        if (s->size > least) {
            view_explain(look->ctl, &query, check_outputs, &check);
        }
    }
}
