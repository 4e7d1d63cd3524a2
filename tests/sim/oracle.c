/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/oracle.h"

/* Is the fake switch like a real one?  Sends the same random modifications, in
 * bundles and alone, to the fake switch and to an Open vSwitch bridge, and
 * compares every answer and, now and then, the tables.
 *
 *      oracle /path/to/BRIDGE.mgmt /path/to/sockets/of/ports
 *
 * Then frames go through both: see oracle-frames.c.
 * tests/sim/run-oracle starts a private ovs-vswitchd for it. */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofp-print.h>
#include <openvswitch/ofp-switch.h>
#include <openvswitch/ofp-util.h>
#include <openvswitch/ofpbuf.h>

#include "lib/xalloc.h"
#include "tests/sim/fake-switch.h"
#include "tests/sim/sim-random.h"

enum { SILENCE_MS = 30000 }; /* Longer than any load holds it up. */

void
oracle_die(const char *what)
{
    fprintf(stderr, "oracle: %s\n", what);
    exit(1);
}

int
oracle_connect(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void
fake_send(void *o_, const void *bytes, size_t size)
{
    struct oracle *o = o_;

    ofpbuf_put(&o->fake_bytes, bytes, size);
}

static void
fake_output(void *o_, uint32_t port, const void *frame, size_t size)
{
    struct oracle *o = o_;

    if (o->output) {
        o->output(o->aux, port, frame, size);
    }
}

void
oracle_send(struct oracle *o, struct ofpbuf *msg)
{
    struct ofp_header *oh = msg->data;

    ofpmsg_update_length(msg);
    oh->xid = htonl(o->next_xid);
    if (getenv("OFM_TRACE")) {
        char *text = ofp_to_string(oh, msg->size, NULL, NULL, 1);

        fprintf(stderr, "%s", text);
        free(text);
    }
    if (send(o->fd, msg->data, msg->size, MSG_NOSIGNAL)
        != (ssize_t) msg->size) {
        oracle_die("cannot send");
    }
    fake_switch_input(o->fake, msg->data, msg->size);
    ofpbuf_delete(msg);
}

/* Takes a whole message off the front; NULL if there is none. */
static struct ofp_header *
take(struct ofpbuf *b)
{
    const uint8_t *p = b->data;
    size_t size;

    if (b->size < 8) {
        return NULL;
    }
    size = (size_t) (p[2] << 8 | p[3]);
    if (b->size < size) {
        return NULL;
    }

    struct ofp_header *oh = xmemdup(p, size);

    ofpbuf_pull(b, size);
    if (!b->size) {
        ofpbuf_clear(b); /* Or it would grow with all that was ever in it. */
    }
    return oh;
}

/* The same, but for ends of flows, which are noted. */
static struct ofp_header *
take_other(struct oracle *o, bool real)
{
    struct ofpbuf *b = real ? &o->real_bytes : &o->fake_bytes;
    struct ofp_header *oh;

    while ((oh = take(b)) && oracle_removed_note(&o->removed, oh, real)) {
        free(oh);
    }
    return oh;
}

/* Waits for more of what the bridge says; false if it says nothing. */
static bool
receive(struct oracle *o)
{
    struct pollfd pfd = {.fd = o->fd, .events = POLLIN};
    uint8_t buf[65536];

    if (poll(&pfd, 1, SILENCE_MS) <= 0) {
        return false;
    }

    ssize_t n = recv(o->fd, buf, sizeof buf, 0);

    if (n <= 0) {
        oracle_die("the bridge hung up");
    }
    ofpbuf_put(&o->real_bytes, buf, (size_t) n);
    return true;
}

struct ofp_header *
oracle_take_real(struct oracle *o)
{
    struct ofp_header *oh;

    while (!(oh = take_other(o, true))) {
        if (!receive(o)) {
            oracle_die("the bridge is silent");
        }
    }
    return oh;
}

struct ofp_header *
oracle_take_fake(struct oracle *o)
{
    return take_other(o, false);
}

static char *
describe(const struct ofp_header *oh)
{
    enum ofptype type;

    if (!oh) {
        return xstrdup("nothing");
    }
    if (ofptype_decode(&type, oh)) {
        return xstrdup("what cannot be decoded");
    }
    return type == OFPTYPE_ERROR
               ? xasprintf("xid %u %s", ntohl(oh->xid),
                           ofperr_get_name(ofperr_decode_msg(oh, NULL)))
               : xasprintf("xid %u %s", ntohl(oh->xid),
                           ofptype_get_name(type));
}

/* What only a switch in a network says, and when it likes. */
static bool
is_of_its_own(const struct ofp_header *oh)
{
    enum { HELLO = 0, ECHO_REQUEST = 2, PORT_STATUS = 12 };

    return oh->type == HELLO || oh->type == ECHO_REQUEST
           || oh->type == PORT_STATUS;
}

/* Compares an answer; returns whether it was the last, a barrier's. */
static bool
compare_answer(struct oracle *o, const struct ofp_header *real)
{
    enum { BARRIER_REPLY = 21 };
    struct ofp_header *fake = oracle_take_fake(o);
    char *a = describe(real), *b = describe(fake);

    if (strcmp(a, b)) {
        fprintf(stderr, "step %" PRIu64 ": OVS says %s, the fake %s\n",
                o->step, a, b);
        exit(1);
    }
    free(a);
    free(b);
    free(fake);
    return real->type == BARRIER_REPLY;
}

/* Waits until both have told of the same flows that they have ended. */
static void
compare_removed(struct oracle *o)
{
    while (!shash_is_empty(&o->removed)) {
        struct ofp_header *oh = take_other(o, true);

        if (oh && !is_of_its_own(oh)) {
            oracle_die("the bridge says something after the barrier");
        } else if (!oh && !shash_is_empty(&o->removed) && !receive(o)) {
            fprintf(stderr, "step %" PRIu64 ": ends of flows\n", o->step);
            oracle_removed_print(&o->removed);
            exit(1);
        }
        free(oh);
    }
}

/* A barrier ends what there is to compare, but for ends of flows. */
void
oracle_compare_answers(struct oracle *o)
{
    o->next_xid++;
    oracle_send(o,
                ofpraw_alloc(OFPRAW_OFPT11_BARRIER_REQUEST, OFP13_VERSION, 0));
    for (bool done = false; !done;) {
        struct ofp_header *real = oracle_take_real(o);

        done = !is_of_its_own(real) && compare_answer(o, real);
        free(real);
    }
    compare_removed(o);
}

/* Tables, as ofp-print shows them, without what differs in any case. */

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *
sort_lines(char *text)
{
    char *lines[1000], *sorted = xstrdup(""), *save = NULL;
    size_t n = 0;

    for (char *line = strtok_r(text, "\n", &save); line && n < 1000;
         line = strtok_r(NULL, "\n", &save)) {
        char *d = strstr(line, "duration=");

        if (strstr(line, " reply ")) {
            continue; /* The message's own line. */
        }
        if (d) {
            size_t skip = strcspn(d, " ");

            memmove(d, d + skip, strlen(d + skip) + 1);
        }
        lines[n++] = line;
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++) {
        char *longer = xasprintf("%s%s\n", sorted, lines[i]);

        free(sorted);
        sorted = longer;
    }
    return sorted;
}

static char *
print_reply(struct oracle *o, bool real)
{
    char *all = xstrdup("");

    for (bool more = true; more;) {
        struct ofp_header *oh =
            real ? oracle_take_real(o) : oracle_take_fake(o);

        if (!oh) {
            oracle_die("the fake switch says nothing");
        }
        if (oh->type == 19) {
            char *text = ofp_to_string(oh, ntohs(oh->length), NULL, NULL, 1);
            char *longer = xasprintf("%s%s", all, text);

            more = ofpmp_more(oh);
            free(all);
            free(text);
            all = longer;
        }
        free(oh);
    }

    char *sorted = sort_lines(all);

    free(all);
    return sorted;
}

static void
compare_tables(struct oracle *o, struct ofpbuf *request)
{
    oracle_send(o, request);

    char *real = print_reply(o, true), *fake = print_reply(o, false);

    if (strcmp(real, fake)) {
        fprintf(stderr, "step %" PRIu64 ": OVS has\n%s\nthe fake has\n%s",
                o->step, real, fake);
        exit(1);
    }
    free(real);
    free(fake);
}

/* Random modifications. */

/* A flow of few: there must be collisions. */
static void
random_flow_text(struct oracle *o, int command, char *text, size_t size)
{
    struct sim_random *r = &o->random;
    static const char *const actions[] = {"drop",
                                          "output:1",
                                          "group:%u",
                                          "output:2,group:%u",
                                          "goto_table:50",
                                          "controller",
                                          "mod_nw_ttl:3,output:4",
                                          "meter:%u,output:1"};
    static const char *const matches[] = {"ip",
                                          "ip,nw_dst=226.2.2.%u",
                                          "ip,nw_dst=226.2.2.%u/31",
                                          "udp,udp_dst=%u",
                                          "in_port=%u,ip",
                                          "ip,ip_frag=later"};
    bool deletes = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT;
    bool strict = command != OFPFC_DELETE && command != OFPFC_MODIFY;
    char match[64], action[64], cookie[64] = "";

    /* Formats out of a table, each with one number at most. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(match, sizeof match, matches[sim_random(r, 6)],
             2 * sim_random(r, 3));
    snprintf(action, sizeof action, actions[sim_random(r, 8)],
             1 + sim_random(r, 6));
#pragma GCC diagnostic pop
    if (command == OFPFC_ADD || sim_chance(r, 50)) {
        snprintf(cookie, sizeof cookie, ",cookie=0x%x%s", sim_random(r, 4),
                 command == OFPFC_ADD ? "" : "/0x3");
    }
    snprintf(text, size, "table=%u%s%s,%s%s%s", 40 + sim_random(r, 2), cookie,
             !strict             ? ""
             : sim_chance(r, 50) ? ",priority=1"
                                 : ",priority=2",
             match, deletes ? "" : ",actions=", deletes ? "" : action);
}

static struct ofpbuf *
random_flow_mod(struct oracle *o, bool may_be_loose)
{
    static const int commands[] = {
        OFPFC_ADD,           OFPFC_ADD,    OFPFC_ADD,   OFPFC_MODIFY_STRICT,
        OFPFC_DELETE_STRICT, OFPFC_MODIFY, OFPFC_DELETE};
    struct sim_random *r = &o->random;
    int command = commands[sim_random(r, may_be_loose ? 7 : 5)];
    bool deletes = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT;
    struct ofputil_flow_mod fm;
    enum ofputil_protocol usable;
    char text[300];

    random_flow_text(o, command, text, sizeof text);

    char *error =
        parse_ofp_flow_mod_str(&fm, text, NULL, NULL, command, &usable);

    if (error) {
        fprintf(stderr, "%s: %s", text, error);
        exit(1);
    }
    if (deletes && sim_chance(r, 30)) {
        fm.out_group = 1 + sim_random(r, 6);
    } else if (deletes && sim_chance(r, 30)) {
        fm.out_port = OFP_PORT_C(1);
    }
    if (command == OFPFC_ADD && sim_chance(r, 30)) {
        fm.flags |= OFPUTIL_FF_SEND_FLOW_REM;
    }

    struct ofpbuf *msg = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF13_OXM);

    minimatch_destroy(&fm.match);
    free(fm.ofpacts);
    return msg;
}

static struct ofpbuf *
random_group_mod(struct oracle *o, bool may_delete)
{
    struct sim_random *r = &o->random;
    static const int commands[] = {OFPGC11_ADD, OFPGC11_ADD, OFPGC11_MODIFY,
                                   OFPGC11_DELETE};
    int command = commands[sim_random(r, may_delete ? 4 : 3)];
    char text[300];
    struct ofputil_group_mod gm;
    enum ofputil_protocol usable;

    snprintf(text, sizeof text, "group_id=%u%s", 1 + sim_random(r, 6),
             command == OFPGC11_DELETE ? "" : ",type=all");
    for (uint32_t n = sim_random(r, 3); n && command != OFPGC11_DELETE; n--) {
        size_t at = strlen(text);

        snprintf(text + at, sizeof text - at,
                 ",bucket=set_field:10.0.0.%u->ip_src,output:%u",
                 1 + sim_random(r, 3), 1 + sim_random(r, 9));
    }

    char *error =
        parse_ofp_group_mod_str(&gm, command, text, NULL, NULL, &usable);

    if (error) {
        fprintf(stderr, "%s: %s", text, error);
        exit(1);
    }

    struct ofpbuf *msg = ofputil_encode_group_mod(OFP13_VERSION, &gm, NULL, 0);

    ofputil_uninit_group_mod(&gm);
    if (sim_chance(r, 5)) { /* Weights are for groups of type select. */
        ((uint8_t *) msg->data)[msg->size > 19 ? 19 : 15] = 7;
    }
    return msg;
}

static struct ofpbuf *
random_mod(struct oracle *o, bool may_delete_groups, bool may_be_loose)
{
    struct ofpbuf *msg = sim_chance(&o->random, 60)
                             ? random_flow_mod(o, may_be_loose)
                             : random_group_mod(o, may_delete_groups);

    ofpmsg_update_length(msg);
    return msg;
}

static void
control(struct oracle *o, uint16_t type, uint16_t flags)
{
    struct ofputil_bundle_ctrl_msg ctrl = {
        .bundle_id = 9, .type = type, .flags = flags};

    o->next_xid++;
    oracle_send(o, ofputil_encode_bundle_ctrl_request(OFP13_VERSION, &ctrl));
}

/* Groups are deleted last: where a bundle fails after it has deleted a group
 * that flows named, ovs-vswitchd 3.1.0 aborts (ofproto_group_mod_revert()
 * restores the flows before the group can be found again).  And no loose
 * commands: in a bundle they do not see what the same bundle has added. */
static void
random_bundle(struct oracle *o)
{
    uint16_t flags = OFPBF_ORDERED | OFPBF_ATOMIC;
    uint16_t end = sim_chance(&o->random, 80) ? OFPBCT_COMMIT_REQUEST
                                              : OFPBCT_DISCARD_REQUEST;

    if (sim_chance(&o->random, 90)) {
        control(o, OFPBCT_OPEN_REQUEST, flags);
    }
    for (uint32_t n = sim_random(&o->random, 6); n; n--) {
        struct ofpbuf *msg = random_mod(o, n == 1, false);
        struct ofputil_bundle_add_msg add = {
            .bundle_id = 9, .flags = flags, .msg = msg->data};

        if (sim_chance(&o->random, 3)) {
            add.flags = OFPBF_ORDERED;
        }
        ((struct ofp_header *) msg->data)->xid = htonl(++o->next_xid);
        oracle_send(o, ofputil_encode_bundle_add(OFP13_VERSION, &add));
        ofpbuf_delete(msg);
    }
    if (sim_chance(&o->random, 10)) {
        control(o, OFPBCT_CLOSE_REQUEST, flags);
    }
    control(o, end, sim_chance(&o->random, 95) ? flags : OFPBF_ORDERED);
}

static void
step(struct oracle *o)
{
    o->next_xid++;
    if (sim_chance(&o->random, 30)) {
        random_bundle(o);
    } else {
        oracle_send(o, random_mod(o, true, true));
    }
    oracle_compare_answers(o);
    if (!(o->step % 20)) {
        struct ofputil_flow_stats_request fsr = {
            .out_port = OFPP_ANY, .out_group = OFPG_ANY, .table_id = 0xff};

        match_init_catchall(&fsr.match);
        compare_tables(
            o, ofputil_encode_flow_stats_request(&fsr, OFPUTIL_P_OF13_OXM));
        compare_tables(
            o, ofputil_encode_group_desc_request(OFP13_VERSION, OFPG_ALL));
    }
}

int
main(int argc, char *argv[])
{
    static const struct fake_switch_ops ops = {.send = fake_send,
                                               .output = fake_output};
    struct ofputil_switch_config config = {.frag = OFPUTIL_FRAG_NORMAL,
                                           .miss_send_len = 0xffff};
    struct oracle o;
    uint64_t n_steps = sim_setting("OFM_STEPS", 5000);

    if (argc != 3) {
        oracle_die("usage: oracle BRIDGE.mgmt DIRECTORY");
    }
    memset(&o, 0, sizeof o);
    sim_random_init(&o.random, sim_setting("OFM_SEED", 1));
    ofpbuf_init(&o.real_bytes, 0);
    ofpbuf_init(&o.fake_bytes, 0);
    shash_init(&o.removed);
    o.fd = oracle_connect(argv[1]);
    o.fake = fake_switch_create(1, &ops, &o);
    fake_switch_connect(o.fake);
    oracle_send(&o, ofputil_encode_hello(1u << OFP13_VERSION));
    free(take(&o.fake_bytes));
    /* Only who says so is told of frames, and of flows that end, on a
     * connection of this kind. */
    oracle_send(&o, ofputil_encode_set_config(&config, OFP13_VERSION));
    for (o.step = 1; o.step <= n_steps; o.step++) {
        step(&o);
    }
    oracle_frames(&o, argv[2], sim_setting("OFM_FRAME_STEPS", 300));
    fake_switch_destroy(o.fake);
    ofpbuf_uninit(&o.real_bytes);
    ofpbuf_uninit(&o.fake_bytes);
    shash_destroy(&o.removed);
    close(o.fd);
    printf("%" PRIu64 " steps, no difference\n", n_steps);
    return 0;
}
