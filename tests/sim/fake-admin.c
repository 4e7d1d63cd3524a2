/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/dynamic-string.h>
#include <openvswitch/ofp-actions.h>

#include "lib/xalloc.h"

/* What somebody at the switch does and sees: ports, ovs-ofctl, dumps. */

/* Ports. */

static struct fake_port *
find(struct fake_switch *sw, uint32_t no)
{
    for (size_t i = 0; i < sw->n_ports; i++) {
        if (sw->ports[i].desc.port_no == OFP_PORT_C((uint16_t) no)) {
            return &sw->ports[i];
        }
    }
    return NULL;
}

static void
send_port_status(struct fake_switch *sw, const struct fake_port *p,
                 enum ofp_port_reason reason)
{
    struct ofputil_port_status ps = {.reason = reason, .desc = p->desc};

    fake_send(sw, ofputil_encode_port_status(&ps, OFPUTIL_P_OF13_OXM));
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct fake_port *a = a_, *b = b_;

    return (OVS_FORCE uint16_t) a->desc.port_no
           - (OVS_FORCE uint16_t) b->desc.port_no;
}

void
fake_switch_add_port(struct fake_switch *sw, uint32_t no, const char *name)
{
    if (find(sw, no)) {
        return;
    }
    sw->ports =
        xgrow(sw->ports, sw->n_ports, &sw->allocated_ports, sizeof *sw->ports);

    struct fake_port *p = &sw->ports[sw->n_ports++];

    memset(p, 0, sizeof *p);
    p->desc.port_no = OFP_PORT_C((uint16_t) no);
    p->desc.hw_addr.ea[0] = 2;
    p->desc.hw_addr.ea[3] = (uint8_t) sw->dpid;
    p->desc.hw_addr.ea[4] = (uint8_t) (no >> 8);
    p->desc.hw_addr.ea[5] = (uint8_t) no;
    snprintf(p->desc.name, sizeof p->desc.name, "%s", name);
    send_port_status(sw, p, OFPPR_ADD);
    qsort(sw->ports, sw->n_ports, sizeof *sw->ports, compare_ports);
}

void
fake_switch_remove_port(struct fake_switch *sw, uint32_t no)
{
    struct fake_port *p = find(sw, no);

    if (p) {
        struct fake_port gone = *p;

        sw->n_ports--;
        memmove(p, p + 1, (size_t) (sw->ports + sw->n_ports - p) * sizeof *p);
        send_port_status(sw, &gone, OFPPR_DELETE);
    }
}

void
fake_switch_set_port(struct fake_switch *sw, uint32_t no, bool up)
{
    struct fake_port *p = find(sw, no);

    if (p) {
        p->desc.state = up ? 0 : OFPUTIL_PS_LINK_DOWN;
        send_port_status(sw, p, OFPPR_MODIFY);
    }
}

void
fake_switch_lose(struct fake_switch *sw, uint32_t no, uint64_t rx, uint64_t tx)
{
    struct fake_port *p = find(sw, no);

    if (p) {
        p->rx_dropped += rx;
        p->tx_dropped += tx;
    }
}

void
fake_switch_err(struct fake_switch *sw, uint32_t no, uint64_t rx, uint64_t tx)
{
    struct fake_port *p = find(sw, no);

    if (p) {
        p->counts_errors = true;
        p->rx_errors += rx;
        p->tx_errors += tx;
    }
}

/* Text to modifications. */

static bool
parse_flow(int command, const char *text, struct ofputil_flow_mod *fm)
{
    enum ofputil_protocol usable;
    char *error =
        parse_ofp_flow_mod_str(fm, text, NULL, NULL, command, &usable);

    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        free(error);
        return false;
    }
    return true;
}

static bool
parse_group(int command, const char *text, struct ofputil_group_mod *gm)
{
    enum ofputil_protocol usable;
    char *error =
        parse_ofp_group_mod_str(gm, command, text, NULL, NULL, &usable);

    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        free(error);
        return false;
    }
    return true;
}

static void
free_flow_mod(struct ofputil_flow_mod *fm)
{
    minimatch_destroy(&fm->match);
    free(fm->ofpacts);
}

/* Over the wire and back: what OpenFlow 1.3 has no words for looks as a switch
 * would show it. */
static bool
parse_flow_13(const char *text, struct ofputil_flow_mod *fm)
{
    struct ofpbuf ofpacts, *msg;
    enum ofperr error;

    if (!parse_flow(OFPFC_ADD, text, fm)) {
        return false;
    }
    fm->table_id = fm->table_id == 0xff ? 0 : fm->table_id;
    msg = ofputil_encode_flow_mod(fm, OFPUTIL_P_OF13_OXM);
    free_flow_mod(fm);
    ofpmsg_update_length(msg);
    ofpbuf_init(&ofpacts, 0);
    error = ofputil_decode_flow_mod(fm, msg->data, OFPUTIL_P_OF13_OXM, NULL,
                                    NULL, &ofpacts, OFPP_MAX, FAKE_N_TABLES);
    ofpbuf_delete(msg);
    if (error) {
        fprintf(stderr, "%s: %s\n", text, ofperr_get_name(error));
        ofpbuf_uninit(&ofpacts);
        return false;
    }
    fm->ofpacts = ofpbuf_steal_data(&ofpacts);
    return true;
}

static bool
ofctl_flow(struct fake_switch *sw, int command, const char *text)
{
    struct ofputil_flow_mod fm;

    if (!parse_flow(command, text, &fm)) {
        return false;
    }
    fm.table_id =
        command == OFPFC_ADD && fm.table_id == 0xff ? 0 : fm.table_id;

    enum ofperr error = fake_tables_flow_mod(&sw->tables, &fm, sw->now);

    free_flow_mod(&fm);
    if (error) {
        fprintf(stderr, "%s: %s\n", text, ofperr_get_name(error));
    }
    return !error;
}

static bool
ofctl_group(struct fake_switch *sw, int command, const char *text)
{
    struct ofputil_group_mod gm;

    if (!parse_group(command, text, &gm)) {
        return false;
    }

    /* A cascade is this user's doing, not the controller's. */
    uint64_t n_cascaded = sw->tables.n_cascaded;
    enum ofperr error = fake_tables_group_mod(&sw->tables, &gm);

    sw->tables.n_cascaded = n_cascaded;
    ofputil_uninit_group_mod(&gm);
    if (error) {
        fprintf(stderr, "%s: %s\n", text, ofperr_get_name(error));
    }
    return !error;
}

bool
fake_switch_ofctl(struct fake_switch *sw, const char *command,
                  const char *text)
{
    static const struct {
        const char *name;
        bool (*run)(struct fake_switch *, int command, const char *text);
        int command;
    } commands[] = {
        {"add-flow", ofctl_flow, OFPFC_ADD},
        {"mod-flows", ofctl_flow, OFPFC_MODIFY},
        {"del-flows", ofctl_flow, OFPFC_DELETE},
        {"add-group", ofctl_group, OFPGC11_ADD},
        {"mod-group", ofctl_group, OFPGC11_MODIFY},
        {"del-groups", ofctl_group, OFPGC11_DELETE},
    };

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!strcmp(commands[i].name, command)) {
            bool ok = commands[i].run(sw, commands[i].command, text);

            if (ok) {
                fake_settle(sw);
            } else {
                fake_tables_revert(&sw->tables);
            }
            return ok;
        }
    }
    fprintf(stderr, "%s: no such command\n", command);
    return false;
}

/* Tables to text. */

static void
format_ofpacts(struct ds *s, const struct ofpact *ofpacts, size_t size)
{
    struct ofpact_format_params fp = {.s = s};

    ofpacts_format(ofpacts, size, &fp);
}

char *
fake_flow_format(const struct fake_flow *f)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "table=%u cookie=%#llx priority=%u,", f->table,
                  (unsigned long long) be64toh((OVS_FORCE uint64_t) f->cookie),
                  f->priority);
    /* A default priority keeps it out of the match text. */
    minimatch_format(&f->match, NULL, NULL, &s, OFP_DEFAULT_PRIORITY);
    ds_put_format(&s, " idle=%u%s actions=", f->idle_timeout,
                  f->flags & OFPUTIL_FF_SEND_FLOW_REM ? " send_flow_rem" : "");
    format_ofpacts(&s, f->ofpacts, f->ofpacts_len);
    return ds_steal_cstr(&s);
}

char *
fake_group_format(const struct fake_group *g)
{
    static const char *const types[] = {"all", "select", "indirect", "ff"};
    const struct ofputil_bucket *bucket;
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "group_id=%u type=%s", g->id, types[g->type & 3]);
    LIST_FOR_EACH (bucket, list_node, &g->buckets) {
        ds_put_cstr(&s, " bucket=");
        format_ofpacts(&s, bucket->ofpacts, bucket->ofpacts_len);
    }
    return ds_steal_cstr(&s);
}

struct lines {
    char **lines;
    size_t n, allocated;
};

static void
put_line(struct lines *l, char *line)
{
    l->lines = xgrow(l->lines, l->n, &l->allocated, sizeof *l->lines);
    l->lines[l->n++] = line;
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *
join_lines(struct lines *l)
{
    size_t size = 1;
    char *text, *p;

    if (l->n) {
        qsort(l->lines, l->n, sizeof *l->lines, compare_lines);
    }
    for (size_t i = 0; i < l->n; i++) {
        size += strlen(l->lines[i]) + 1;
    }
    p = text = xmalloc(size);
    for (size_t i = 0; i < l->n; i++) {
        p = stpcpy(stpcpy(p, l->lines[i]), "\n");
        free(l->lines[i]);
    }
    *p = '\0';
    free(l->lines);
    return text;
}

char *
fake_switch_dump_flows(const struct fake_switch *sw)
{
    struct lines l = {.n = 0};

    for (int table = 0; table < FAKE_N_TABLES; table++) {
        const struct fake_flow *f;

        HMAP_FOR_EACH(f, node, &sw->tables.flows[table])
        {
            put_line(&l, fake_flow_format(f));
        }
    }
    return join_lines(&l);
}

char *
fake_switch_dump_groups(const struct fake_switch *sw)
{
    const struct fake_group *g;
    struct lines l = {.n = 0};

    HMAP_FOR_EACH(g, node, &sw->tables.groups)
    {
        put_line(&l, fake_group_format(g));
    }
    return join_lines(&l);
}

char *
fake_switch_format_flow(const char *text)
{
    struct ofputil_flow_mod fm;

    if (!parse_flow_13(text, &fm)) {
        return NULL;
    }

    struct fake_flow f = {
        .table = fm.table_id,
        .priority = (uint16_t) fm.priority,
        .match = fm.match,
        .cookie = fm.new_cookie,
        .idle_timeout = fm.idle_timeout,
        .flags = fm.flags,
        .ofpacts = fm.ofpacts,
        .ofpacts_len = fm.ofpacts_len,
    };
    char *line = fake_flow_format(&f);

    free_flow_mod(&fm);
    return line;
}

char *
fake_switch_format_group(const char *text)
{
    struct ofputil_group_mod gm;

    if (!parse_group(OFPGC11_ADD, text, &gm)) {
        return NULL;
    }

    struct ofpbuf *msg = ofputil_encode_group_mod(OFP13_VERSION, &gm, NULL, 0);

    ofputil_uninit_group_mod(&gm);
    ofpmsg_update_length(msg);

    enum ofperr error = ofputil_decode_group_mod(msg->data, &gm);

    ofpbuf_delete(msg);
    if (error) {
        fprintf(stderr, "%s: %s\n", text, ofperr_get_name(error));
        return NULL;
    }

    struct fake_group g = {.id = gm.group_id, .type = gm.type};

    ovs_list_init(&g.buckets);
    ofputil_bucket_clone_list(&g.buckets, &gm.buckets, NULL);

    char *line = fake_group_format(&g);

    ofputil_bucket_list_destroy(&g.buckets);
    ofputil_uninit_group_mod(&gm);
    return line;
}
