/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-entry.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ofp/ofp-table.h"

/* Making. */

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;

    if (!ip_prefix_parse(text, &p)) {
        abort();
    }
    return p;
}

static struct ip_prefix
host(uint32_t address, unsigned int len)
{
    uint32_t mask = len ? UINT32_MAX << (32 - len) : 0;

    return (struct ip_prefix){ip_addr_v4(address & mask),
                              (uint8_t) (96 + len)};
}

static void
random_rewrite(struct ofp_rewrite *r, struct sim_random *rnd, bool in_bucket)
{
    uint32_t group = 0xef010100 | sim_random(rnd, 4);

    memset(r, 0, sizeof *r);
    if (sim_chance(rnd, 40)) {
        return;
    }
    r->ip_src = ip_addr_v4(0x0a01000a + sim_random(rnd, 3));
    r->ip_dst = ip_addr_v4(group);
    r->eth_dst = mac_addr_of_group(&r->ip_dst);
    r->eth_src =
        (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t) sim_random(rnd, 4)}};
    r->udp_dst = (uint16_t) (5000 + sim_random(rnd, 4));
    r->ttl = (uint8_t) (1 + sim_random(rnd, 200));
    r->dscp = (uint8_t) sim_random(rnd, 64);
    r->vlan = (uint16_t) (1 + sim_random(rnd, 4094));
    r->set = sim_random(rnd, OFP_SET_VLAN);
    if (in_bucket && sim_chance(rnd, 50)) {
        static const unsigned int vlan[] = {OFP_SET_VLAN, OFP_PUSH_VLAN,
                                            OFP_POP_VLAN,
                                            OFP_POP_VLAN | OFP_PUSH_VLAN};

        r->set |= vlan[sim_random(rnd, 4)];
    }
}

static void
random_buckets(struct sim_entry *e, struct sim_random *rnd)
{
    e->flow.output = OFP_OUT_GROUP;
    e->n_buckets = sim_random(rnd, SIM_MAX_BUCKETS + 1);
    for (size_t i = 0; i < e->n_buckets; i++) {
        random_rewrite(&e->buckets[i].rewrite, rnd, true);
        e->buckets[i].out_port = 1 + sim_random(rnd, 50);
    }
}

static void
make_channel(struct sim_entry *e, unsigned int slot, struct sim_random *rnd)
{
    struct ofp_match *m = &e->flow.match;

    e->flow.table = 40;
    e->flow.priority = slot % 4 ? 100 : 200;
    m->fields = OFP_MATCH_IP_DST;
    m->ip_dst = host(0xe2020200 + slot, 32);
    if (!(slot % 4)) {
        m->fields |= OFP_MATCH_IP_SRC;
        m->ip_src = host(0xc0a8a800 + slot, 32);
    }
    if (slot % 3) {
        m->fields |= OFP_MATCH_VLAN;
        m->vlan = slot % 3 == 1 ? 0 : (uint16_t) (slot * 3);
    }
    if (slot % 7 == 6) {
        e->flow.idle_timeout = 60000;
        e->flow.tell_removed = true;
    }
    random_buckets(e, rnd);
}

static void
make_route(struct sim_entry *e, unsigned int slot, struct sim_random *rnd)
{
    struct ofp_match *m = &e->flow.match;

    e->flow.table = 30;
    e->flow.priority = (uint16_t) (1000 + slot % 3);
    m->fields = OFP_MATCH_IP_DST | OFP_MATCH_IP_SRC | OFP_MATCH_IN_PORT;
    m->in_port = 1 + slot % 5;
    m->ip_src = host(0xc0a8a837, 8 + slot % 25);
    m->ip_dst = host(0xe2020200 + slot, 32);
    if (slot % 4 == 3) {
        m->fields |= slot % 8 == 3 ? OFP_MATCH_LATER_FRAG : OFP_MATCH_FRAG;
        e->flow.goto_table = sim_chance(rnd, 50) ? 40 : 0;
        return;
    }
    m->fields |= OFP_MATCH_IP_PROTO | OFP_MATCH_UDP_DST;
    m->ip_proto = 17;
    m->udp_dst = 5004;
    if (sim_chance(rnd, 50)) {
        random_rewrite(&e->flow.rewrite, rnd, false);
        e->flow.goto_table = 40;
    } else {
        random_buckets(e, rnd);
    }
}

static void
make_punt(struct sim_entry *e, unsigned int slot, struct sim_random *rnd)
{
    struct ofp_match *m = &e->flow.match;

    e->flow.table = 20;
    e->flow.priority = (uint16_t) (10 + slot);
    switch (slot % 4) {
    case 0:
        m->fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO;
        m->eth_type = 0x0800;
        m->ip_proto = 2;
        break;
    case 1:
        m->fields =
            OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO | OFP_MATCH_ICMP6_TYPE;
        m->eth_type = 0x86dd;
        m->ip_proto = 58;
        m->icmp6_type = (uint8_t) (130 + slot % 3);
        break;
    case 2:
        m->fields = OFP_MATCH_ETH_DST;
        m->eth_dst = (struct mac_addr){{1, 0, 0x5e}};
        m->eth_dst_mask = (struct mac_addr){{255, 255, 255, 128}};
        break;
    default:
        m->fields = OFP_MATCH_IP_DST;
        m->ip_dst = prefix(slot % 8 < 4 ? "ff02::/16" : "224.0.0.0/24");
        break;
    }
    e->flow.punt = sim_chance(rnd, 60);
    e->flow.punt_meter = sim_chance(rnd, 50) ? SIM_METER : 0;
    e->flow.goto_table = sim_chance(rnd, 50) ? 50 : 0;
    if (!e->flow.goto_table) {
        e->flow.output = sim_chance(rnd, 50) ? OFP_OUT_NORMAL : OFP_OUT_PORT;
        e->flow.out_port = 1 + sim_random(rnd, 9);
    }
}

void
sim_entry_make(struct sim_entry *e, unsigned int slot, struct sim_random *rnd)
{
    memset(e, 0, sizeof *e);
    e->flow.cookie = OFP_COOKIE | sim_random(rnd, 3);
    if (slot < 60) {
        make_channel(e, slot, rnd);
    } else if (slot < 80) {
        make_route(e, slot, rnd);
    } else {
        make_punt(e, slot, rnd);
    }
}

bool
sim_entry_has_group(const struct sim_entry *e)
{
    return e->flow.output == OFP_OUT_GROUP;
}

/* Text. */

static void __attribute__((format(printf, 2, 3)))
put(char *text, const char *format, ...)
{
    size_t at = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + at, SIM_TEXT_SIZE - at, format, args);
    va_end(args);
}

static void
put_prefix(char *text, const char *field, const struct ip_prefix *p)
{
    char s[IP_PREFIX_STRLEN];

    put(text, ",%s%s=%s", ip_addr_is_v4(&p->addr) ? "nw_" : "ipv6_", field,
        ip_prefix_format(p, s));
}

static void
put_match(char *text, const struct ofp_match *m)
{
    char a[MAC_ADDR_STRLEN], b[MAC_ADDR_STRLEN];
    bool v6 =
        (m->fields & OFP_MATCH_ETH_TYPE && m->eth_type == 0x86dd)
        || (m->fields & OFP_MATCH_IP_DST && !ip_addr_is_v4(&m->ip_dst.addr));

    if (m->fields & (OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST)) {
        put(text, v6 ? ",ipv6" : ",ip");
    }
    if (m->fields & OFP_MATCH_IN_PORT) {
        put(text, ",in_port=%u", m->in_port);
    }
    if (m->fields & OFP_MATCH_VLAN) {
        put(text, ",dl_vlan=%u", m->vlan ? m->vlan : 0xffff);
    }
    if (m->fields & OFP_MATCH_ETH_DST) {
        put(text, ",dl_dst=%s/%s", mac_addr_format(&m->eth_dst, a),
            mac_addr_format(&m->eth_dst_mask, b));
    }
    if (m->fields & OFP_MATCH_IP_SRC) {
        put_prefix(text, "src", &m->ip_src);
    }
    if (m->fields & OFP_MATCH_IP_DST) {
        put_prefix(text, "dst", &m->ip_dst);
    }
    if (m->fields & OFP_MATCH_IP_PROTO) {
        put(text, ",nw_proto=%u", m->ip_proto);
    }
    if (m->fields & OFP_MATCH_UDP_DST) {
        put(text, ",udp_dst=%u", m->udp_dst);
    }
    if (m->fields & OFP_MATCH_ICMP6_TYPE) {
        put(text, ",icmp_type=%u", m->icmp6_type);
    }
    if (m->fields & OFP_MATCH_LATER_FRAG) {
        put(text, ",ip_frag=later");
    }
    if (m->fields & OFP_MATCH_FRAG) {
        put(text, ",ip_frag=yes");
    }
}

static void
put_rewrite(char *text, const struct ofp_rewrite *r)
{
    char mac[MAC_ADDR_STRLEN], ip[IP_ADDR_STRLEN];

    if (r->set & OFP_POP_VLAN) {
        put(text, "pop_vlan,");
    }
    if (r->set & OFP_PUSH_VLAN) {
        put(text, "push_vlan:0x8100,");
    }
    if (r->set & (OFP_SET_VLAN | OFP_PUSH_VLAN)) {
        put(text, "set_field:%u->vlan_vid,", 0x1000 | r->vlan);
    }
    if (r->set & OFP_SET_ETH_SRC) {
        put(text, "set_field:%s->eth_src,", mac_addr_format(&r->eth_src, mac));
    }
    if (r->set & OFP_SET_ETH_DST) {
        put(text, "set_field:%s->eth_dst,", mac_addr_format(&r->eth_dst, mac));
    }
    if (r->set & OFP_SET_IP_SRC) {
        put(text, "set_field:%s->ip_src,", ip_addr_format(&r->ip_src, ip));
    }
    if (r->set & OFP_SET_IP_DST) {
        put(text, "set_field:%s->ip_dst,", ip_addr_format(&r->ip_dst, ip));
    }
    if (r->set & OFP_SET_DSCP) {
        put(text, "set_field:%u->ip_dscp,", r->dscp);
    }
    if (r->set & OFP_SET_TTL) {
        put(text, "mod_nw_ttl:%u,", r->ttl);
    }
    if (r->set & OFP_SET_UDP_DST) {
        put(text, "set_field:%u->udp_dst,", r->udp_dst);
    }
}

void
sim_entry_flow_text(const struct sim_entry *e, uint32_t group_id,
                    char text[SIM_TEXT_SIZE])
{
    const struct ofp_flow *f = &e->flow;

    text[0] = '\0';
    put(text, "table=%u,priority=%u,cookie=%#" PRIx64 ",idle_timeout=%u%s",
        f->table, f->priority, f->cookie, f->idle_timeout,
        f->tell_removed ? ",send_flow_rem" : "");
    put_match(text, &f->match);
    put(text, ",actions=");

    size_t start = strlen(text);

    if (f->punt && f->punt_meter) {
        put(text, "controller(max_len=65535,meter_id=%u),", f->punt_meter);
    } else if (f->punt) {
        put(text, "controller:65535,");
    }
    put_rewrite(text, &f->rewrite);
    if (f->output == OFP_OUT_GROUP) {
        put(text, "group:%u,", group_id);
    } else if (f->output == OFP_OUT_NORMAL) {
        put(text, "NORMAL,");
    } else if (f->output == OFP_OUT_PORT) {
        put(text, "output:%u,", f->out_port);
    }
    if (f->goto_table) {
        put(text, "goto_table:%u,", f->goto_table);
    }
    if (!text[start]) {
        put(text, "drop");
    }
}

void
sim_entry_group_text(const struct sim_entry *e, uint32_t group_id,
                     char text[SIM_TEXT_SIZE])
{
    text[0] = '\0';
    put(text, "group_id=%u,type=all", group_id);
    for (size_t i = 0; i < e->n_buckets; i++) {
        put(text, ",bucket=actions=");
        put_rewrite(text, &e->buckets[i].rewrite);
        put(text, "output:%u", e->buckets[i].out_port);
    }
}
