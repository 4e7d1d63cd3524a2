/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/oracle.h"

/* Frames through random tables, of the fake switch and of a real one.
 *
 * The ports of the bridge are sockets on which each frame follows its size.
 * After each frame or PACKET_OUT comes a marker, which a flow of its own sends
 * to every port and to the controller: what came before it is all there is to
 * compare.  Frames of one port keep their order in the dummy datapath. */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofp-packet.h>
#include <openvswitch/ofp-util.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "tests/sim/fake-switch.h"

enum {
    N_PORTS = 4,
    N_TABLES = 4,
    N_GROUPS = 2,
    FRAME_SIZE = 128,
    MARKER_SIZE = 60,
    OUTPUT_SIZE = 16384, /* Of what leaves by one port, as text. */
    TEXT_SIZE = 1024
};

struct frames {
    struct oracle *o;
    int fds[N_PORTS + 1]; /* From 1. */
    struct ofpbuf bytes[N_PORTS + 1];
    uint32_t marker;
    char what[TEXT_SIZE]; /* What is being tried, for a person. */
    char setup[16384];
    /* What left by each port; [0] is the controller. */
    char real[N_PORTS + 1][OUTPUT_SIZE], fake[N_PORTS + 1][OUTPUT_SIZE];
    uint64_t n_frames, n_copies;
};

static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
append(char *text, size_t size, const char *format, ...)
{
    size_t n = strlen(text);
    va_list args;

    va_start(args, format);
    if ((size_t) vsnprintf(text + n, size - n, format, args) >= size - n) {
        oracle_die("too much text");
    }
    va_end(args);
}

static void
append_frame(char *text, const void *frame, size_t size)
{
    const uint8_t *bytes = frame;
    char hex[4 * FRAME_SIZE] = "";

    if (size >= sizeof hex / 2) {
        oracle_die("too long a frame");
    }
    for (size_t i = 0; i < size; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
    append(text, OUTPUT_SIZE, "%s\n", hex);
}

/* Tables. */

static void
send_flow(struct frames *f, int command, const char *text)
{
    enum ofputil_protocol usable;
    struct ofputil_flow_mod fm;
    char *error =
        parse_ofp_flow_mod_str(&fm, text, NULL, NULL, command, &usable);

    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        exit(1);
    }
    append(f->setup, sizeof f->setup, "%s\n", text);
    oracle_send(f->o, ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF13_OXM));
    minimatch_destroy(&fm.match);
    free(fm.ofpacts);
}

static void
send_group(struct frames *f, int command, const char *text)
{
    enum ofputil_protocol usable;
    struct ofputil_group_mod gm;
    char *error =
        parse_ofp_group_mod_str(&gm, command, text, NULL, NULL, &usable);

    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        exit(1);
    }
    append(f->setup, sizeof f->setup, "%s\n", text);
    oracle_send(f->o, ofputil_encode_group_mod(OFP13_VERSION, &gm, NULL, 0));
    ofputil_uninit_group_mod(&gm);
}

static void
random_group(struct frames *f, uint32_t id)
{
    static const char *const changes[] = {
        "",
        "",
        "pop_vlan,",
        "set_field:4116->vlan_vid,",
        "push_vlan:0x8100,set_field:4116->vlan_vid,",
        "set_field:02:00:00:00:00:77->eth_dst,"};
    struct sim_random *r = &f->o->random;
    char text[TEXT_SIZE] = "";

    append(text, sizeof text, "group_id=%u,type=all", id);
    for (uint32_t n = sim_random(r, 6); n; n--) {
        append(text, sizeof text, ",bucket=%s", changes[sim_random(r, 6)]);
        if (sim_chance(r, 20)) {
            append(text, sizeof text, "in_port");
        } else {
            append(text, sizeof text, "output:%u", 1 + sim_random(r, N_PORTS));
        }
    }
    send_group(f, OFPGC11_ADD, text);
}

/* The vlan decides what may be done to the tag. */
static void
random_match(struct frames *f, int table, char *text, bool *tagged,
             bool *untagged)
{
    struct sim_random *r = &f->o->random;

    *tagged = sim_chance(r, 30);
    *untagged = !*tagged && sim_chance(r, 40);
    if (*tagged) {
        append(text, TEXT_SIZE, ",dl_vlan=%u", 10 * (1 + sim_random(r, 2)));
    } else if (*untagged) {
        append(text, TEXT_SIZE, ",vlan_tci=0x0000/0x1fff");
    }
    if (sim_chance(r, 40)) {
        append(text, TEXT_SIZE, ",in_port=%u", 1 + sim_random(r, N_PORTS));
    }
    if (sim_chance(r, table ? 50 : 10)) {
        append(text, TEXT_SIZE, ",metadata=%u/0xff", sim_random(r, 3));
    }
    if (sim_chance(r, 25)) {
        append(text, TEXT_SIZE, ",dl_src=02:00:00:00:00:0%u",
               1 + sim_random(r, 3));
    }
    if (sim_chance(r, 15)) {
        append(text, TEXT_SIZE,
               ",dl_dst=01:00:00:00:00:00/"
               "01:00:00:00:00:00");
    }
    if (sim_chance(r, 20)) {
        append(text, TEXT_SIZE, ",ip");
    }
}

static void
random_actions(struct frames *f, int table, char *text, bool tagged,
               bool untagged)
{
    struct sim_random *r = &f->o->random;

    for (uint32_t n = sim_random(r, 4); n; n--) {
        switch (sim_random(r, 9)) {
        case 0:
            append(text, TEXT_SIZE, "in_port,");
            break;
        case 1:
            append(text, TEXT_SIZE, "controller,");
            break;
        case 2:
            append(text, TEXT_SIZE, "group:%u,", 1 + sim_random(r, N_GROUPS));
            break;
        case 3:
            append(text, TEXT_SIZE, "all,");
            break;
        case 4:
        case 5:
            if (tagged) {
                append(text, TEXT_SIZE, "pop_vlan,");
            } else if (untagged) {
                append(text, TEXT_SIZE,
                       "push_vlan:0x8100,set_field:4106->vlan_vid,");
            }
            untagged = tagged;
            tagged = false;
            break;
        case 6:
            append(text, TEXT_SIZE, "set_field:02:00:00:00:00:0%u->eth_src,",
                   1 + sim_random(r, 3));
            break;
        default:
            append(text, TEXT_SIZE, "output:%u,", 1 + sim_random(r, N_PORTS));
            break;
        }
    }
    if (sim_chance(r, 50)) {
        append(text, TEXT_SIZE, "write_metadata:%u/0xff,", sim_random(r, 3));
    }
    if (table < N_TABLES - 1 && sim_chance(r, 70)) {
        append(text, TEXT_SIZE, "goto_table:%u",
               table + 1 + (int) sim_random(r, N_TABLES - 1 - table));
    }
}

/* Priorities are of one flow each: which of two with the same one is found is
 * anybody's guess. */
static void
random_tables(struct frames *f)
{
    f->setup[0] = '\0';
    send_flow(f, OFPFC_DELETE, "");
    send_group(f, OFPGC11_DELETE, "");
    send_flow(f, OFPFC_ADD,
              "table=0,priority=60000,dl_type=0x88b5,"
              "actions=all,in_port,controller");
    for (uint32_t id = 1; id <= N_GROUPS; id++) {
        random_group(f, id);
    }
    for (int table = 0; table < N_TABLES; table++) {
        for (int i = 1; i <= 6; i++) {
            char text[TEXT_SIZE] = "";
            bool tagged, untagged;

            append(text, sizeof text, "table=%d,priority=%d,cookie=0x%d",
                   table, i, 10 * table + i);
            random_match(f, table, text, &tagged, &untagged);
            append(text, sizeof text, ",actions=");
            random_actions(f, table, text, tagged, untagged);
            send_flow(f, OFPFC_ADD, text);
        }
    }
    oracle_compare_answers(f->o);
}

/* Frames. */

static size_t
random_frame(struct frames *f, uint8_t *frame)
{
    struct sim_random *r = &f->o->random;
    struct wire_writer w;

    wire_writer_init(&w, frame, FRAME_SIZE);
    wire_put_u8(&w, sim_chance(r, 50) ? 3 : 2);
    wire_put(&w, "\0\0\0\0\x05\x02\0\0\0\0", 10);
    wire_put_u8(&w, 1 + sim_random(r, 3));
    if (sim_chance(r, 50)) {
        wire_put_be16(&w, 0x8100);
        wire_put_be16(&w, 10 * (1 + sim_random(r, 2)));
    }
    if (sim_chance(r, 50)) {
        wire_put_be16(&w, 0x0800);
        wire_put(&w,
                 "\x45\0\0\x24\0\1\0\0\x40\x11\x70\xa8\x0a\0\0\1"
                 "\xe2\2\2\2\x03\xe8\x13\x8c\0\x10\0\0",
                 28);
    } else {
        wire_put_be16(&w, 0x88b6);
    }
    wire_put_zeros(&w, 20);
    return w.at;
}

static void
inject(struct frames *f, uint32_t port, const void *frame, size_t size)
{
    uint8_t bytes[2 + FRAME_SIZE];

    bytes[0] = (uint8_t) (size >> 8);
    bytes[1] = (uint8_t) size;
    memcpy(bytes + 2, frame, size);
    if (send(f->fds[port], bytes, 2 + size, MSG_NOSIGNAL)
        != (ssize_t) (2 + size)) {
        oracle_die("cannot send a frame");
    }
}

static void
inject_marker(struct frames *f, uint32_t port)
{
    uint8_t frame[MARKER_SIZE] = {2};
    struct wire_writer w;

    wire_writer_init(&w, frame + 12, sizeof frame - 12);
    wire_put_be16(&w, 0x88b5);
    wire_put_be32(&w, ++f->marker);
    inject(f, port, frame, sizeof frame);
}

/* The number of a marker; 0 = another frame. */
static uint32_t
marker_number(const uint8_t *frame, size_t size)
{
    struct wire_reader r;

    wire_reader_init(&r, frame, size);
    wire_skip(&r, 12);
    return wire_get_be16(&r) == 0x88b5 ? wire_get_be32(&r) : 0;
}

/* Reads from 'port' up to the last marker.  Older ones are of the beginning:
 * see wait_for_ports(). */
static bool
read_port(struct frames *f, int port, int timeout)
{
    struct ofpbuf *b = &f->bytes[port];

    for (;;) {
        const uint8_t *p = b->data;
        size_t size = b->size < 2 ? 0 : (size_t) (p[0] << 8 | p[1]);

        if (b->size >= 2 && b->size >= 2 + size) {
            uint32_t number = marker_number(p + 2, size);

            if (!number) {
                append_frame(f->real[port], p + 2, size);
            }
            ofpbuf_pull(b, 2 + size);
            if (!b->size) {
                ofpbuf_clear(b);
            }
            if (number == f->marker) {
                return true;
            }
            continue;
        }

        struct pollfd pfd = {.fd = f->fds[port], .events = POLLIN};
        uint8_t buf[65536];

        if (poll(&pfd, 1, timeout) <= 0) {
            return false;
        }
        ssize_t n = recv(f->fds[port], buf, sizeof buf, 0);

        if (n <= 0) {
            oracle_die("the bridge closed a port");
        }
        ofpbuf_put(b, buf, (size_t) n);
    }
}

/* A frame to the controller, with all that is told of it.  Returns the number
 * if it is a marker. */
static uint32_t
describe_packet_in(const struct ofp_header *oh, char *text)
{
    struct ofputil_packet_in pin;
    uint32_t buffer_id, number;
    size_t total;

    if (ofputil_decode_packet_in(oh, true, NULL, NULL, &pin, &total,
                                 &buffer_id, NULL)) {
        oracle_die("undecodable packet-in");
    }
    number = marker_number(pin.packet, pin.packet_len);
    if (!number) {
        const struct flow *flow = &pin.flow_metadata.flow;

        append(text, OUTPUT_SIZE,
               "port %u table %u cookie %" PRIx64
               " reason %d metadata %" PRIx64 " ",
               (OVS_FORCE unsigned int) flow->in_port.ofp_port, pin.table_id,
               be64toh((OVS_FORCE uint64_t) pin.cookie), pin.reason,
               be64toh((OVS_FORCE uint64_t) flow->metadata));
        append_frame(text, pin.packet, pin.packet_len);
    }
    return number;
}

/* Reads what the real switch says, up to a packet-in of the last marker or,
 * if 'marker' is 0, a barrier reply. */
static void
read_controller(struct frames *f, uint32_t marker)
{
    enum { ERROR = 1, PACKET_IN = 10, BARRIER_REPLY = 21 };

    for (bool done = false; !done;) {
        struct ofp_header *oh = oracle_take_real(f->o);

        if (oh->type == ERROR) {
            oracle_die("the bridge refuses a message");
        } else if (oh->type == PACKET_IN) {
            uint32_t number = describe_packet_in(oh, f->real[0]);

            done = marker && number == marker;
        } else if (oh->type == BARRIER_REPLY) {
            done = !marker;
        }
        free(oh);
    }
}

static void
read_fake(struct frames *f)
{
    enum { ERROR = 1, PACKET_IN = 10 };
    struct ofp_header *oh;

    while ((oh = oracle_take_fake(f->o)) != NULL) {
        if (oh->type == ERROR) {
            oracle_die("the fake switch refuses a message");
        } else if (oh->type == PACKET_IN) {
            describe_packet_in(oh, f->fake[0]);
        }
        free(oh);
    }
}

/* The fake switch let a frame out. */
static void
fake_output(void *f_, uint32_t port, const void *frame, size_t size)
{
    struct frames *f = f_;

    if (port >= 1 && port <= N_PORTS) {
        append_frame(f->fake[port], frame, size);
        f->n_copies++;
    }
}

/* What both did since the last call. */
static void
compare(struct frames *f)
{
    inject_marker(f, 1);
    read_controller(f, f->marker);
    for (int port = 1; port <= N_PORTS; port++) {
        if (!read_port(f, port, 10000)) {
            oracle_die("a port is silent");
        }
    }
    read_fake(f);
    for (int port = 0; port <= N_PORTS; port++) {
        if (strcmp(f->real[port], f->fake[port])) {
            fprintf(stderr,
                    "frame %" PRIu64 ": %s\n%s\nport %d (0: controller): "
                    "OVS gives\n%s\nthe fake\n%s",
                    f->n_frames, f->what, f->setup, port, f->real[port],
                    f->fake[port]);
            exit(1);
        }
        f->real[port][0] = f->fake[port][0] = '\0';
    }
    f->n_frames++;
}

static void
try_frame(struct frames *f)
{
    uint32_t port = 1 + sim_random(&f->o->random, N_PORTS);
    uint8_t frame[FRAME_SIZE];
    size_t size = random_frame(f, frame);

    snprintf(f->what, sizeof f->what, "into port %u", port);
    inject(f, port, frame, size);
    fake_switch_packet(f->o->fake, port, frame, size, fake_output, f);
    /* The marker comes in by port 1, and may overtake it there. */
    if (port != 1) {
        inject_marker(f, port);
        read_controller(f, f->marker);
    }
    compare(f);
}

static void
try_packet_out(struct frames *f)
{
    struct sim_random *r = &f->o->random;
    uint8_t frame[FRAME_SIZE];
    ofp_port_t in_port = sim_chance(r, 40)
                             ? OFPP_CONTROLLER
                             : OFP_PORT_C(1 + sim_random(r, N_PORTS));
    struct ofputil_packet_out po = {.packet = frame, .buffer_id = UINT32_MAX};
    struct ofpbuf ofpacts;

    po.packet_len = random_frame(f, frame);
    match_init_catchall(&po.flow_metadata);
    match_set_in_port(&po.flow_metadata, in_port);
    ofpbuf_init(&ofpacts, 0);
    snprintf(f->what, sizeof f->what, "packet-out from %u to",
             (OVS_FORCE unsigned int) in_port);
    for (uint32_t n = 1 + sim_random(r, 4); n; n--) {
        ofp_port_t to = sim_chance(r, 30)   ? OFPP_TABLE
                        : sim_chance(r, 10) ? OFPP_IN_PORT
                        : sim_chance(r, 10)
                            ? OFPP_FLOOD
                            : OFP_PORT_C(1 + sim_random(r, N_PORTS));

        ofpact_put_OUTPUT(&ofpacts)->port = to;
        append(f->what, sizeof f->what, " %u", (OVS_FORCE unsigned int) to);
    }
    po.ofpacts = ofpacts.data;
    po.ofpacts_len = ofpacts.size;
    oracle_send(f->o, ofputil_encode_packet_out(&po, OFPUTIL_P_OF13_OXM));
    ofpbuf_uninit(&ofpacts);
    oracle_send(f->o,
                ofpraw_alloc(OFPRAW_OFPT11_BARRIER_REQUEST, OFP13_VERSION, 0));
    read_controller(f, 0);
    compare(f);
}

/* The bridge takes connections to its ports when it gets round to it: until a
 * marker comes out of each there is nobody at the other end. */
static void
wait_for_ports(struct frames *f)
{
    for (int port = 1, tries = 0; port <= N_PORTS;) {
        if (tries++ == 100) {
            oracle_die("a port does not answer");
        }
        inject_marker(f, 1);
        if (read_port(f, port, 100)) {
            port++;
        }
    }
}

static void
set_up(struct frames *f, const char *dir)
{
    for (uint32_t port = 1; port <= N_PORTS; port++) {
        char *path = xasprintf("%s/p%u.sock", dir, port);
        char *name = xasprintf("p%u", port);

        f->fds[port] = oracle_connect(path);
        ofpbuf_init(&f->bytes[port], 0);
        fake_switch_add_port(f->o->fake, port, name);
        free(name);
        free(path);
    }
    ofpbuf_clear(&f->o->fake_bytes);
    f->o->output = fake_output;
    f->o->aux = f;
    random_tables(f);
    wait_for_ports(f);
    strcpy(f->what, "nothing");
    compare(f);
    f->n_frames = 0;
}

void
oracle_frames(struct oracle *o, const char *dir, uint64_t n_steps)
{
    struct frames *f = xcalloc(1, sizeof *f);

    f->o = o;
    set_up(f, dir);
    for (uint64_t step = 0; step < n_steps; step++) {
        random_tables(f);
        for (int i = 0; i < 10; i++) {
            if (sim_chance(&o->random, 60)) {
                try_frame(f);
            } else {
                try_packet_out(f);
            }
        }
    }
    printf("%" PRIu64 " frames, %" PRIu64 " copies, no difference\n",
           f->n_frames, f->n_copies);
    for (int port = 1; port <= N_PORTS; port++) {
        close(f->fds[port]);
        ofpbuf_uninit(&f->bytes[port]);
    }
    free(f);
}
