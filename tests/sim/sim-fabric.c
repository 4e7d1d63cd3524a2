/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-fabric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "igmp/igmp-msg.h"
#include "controller/view-fabric.h"
#include "lib/arp.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-clock.h"
#include "tests/sim/sim-frame.h"

/* Addresses. */

struct ip_addr
sim_fabric_group(int g)
{
    return ip_addr_v4(UINT32_C(0xe2020200) + (uint32_t) g);
}

struct ip_addr
sim_fabric_source(int stream)
{
    return ip_addr_v4(UINT32_C(0x0a020000) + 1 + (uint32_t) stream);
}

static struct mac_addr
host_mac(int sw, uint32_t port)
{
    return (struct mac_addr){{2, 0, 0, 1, (uint8_t) sw, (uint8_t) port}};
}

static struct ip_addr
host_ip(int sw, uint32_t port)
{
    return ip_addr_v4(UINT32_C(0x0a010000) + ((uint32_t) sw << 8) + port);
}

/* Frames. */

static void
put_mac(uint8_t *at, struct mac_addr mac)
{
    memcpy(at, mac.b, sizeof mac.b);
}

size_t
sim_fabric_stream_frame(const struct sim_fabric *f, int stream, uint8_t *frame)
{
    bool routed = stream == FABRIC_ROUTED;
    struct sim_frame s = {.source = sim_fabric_source(routed ? 0 : stream),
                          .group = sim_fabric_group(stream / 2),
                          .udp_dst = 5004,
                          .ttl = 9};
    size_t size = sim_frame_build(&s, frame);

    (void) f;
    put_mac(frame + 6, (struct mac_addr){{2, 0, 0, 2, 0, (uint8_t) stream}});
    return size;
}

size_t
sim_fabric_arp_frame(const struct wires_end *from, const struct wires_end *to,
                     uint8_t *frame)
{
    struct arp arp = {.eth_src = host_mac(from->sw, from->port),
                      .eth_dst = {{255, 255, 255, 255, 255, 255}},
                      .sender_mac = host_mac(from->sw, from->port),
                      .sender_ip = host_ip(from->sw, from->port),
                      .target_ip = host_ip(to->sw, to->port)};

    return arp_encode(&arp, frame, SIM_FRAME_SIZE);
}

size_t
sim_fabric_unicast_frame(const struct wires_end *from,
                         const struct wires_end *to, uint8_t *frame)
{
    struct sim_frame s = {.source = host_ip(from->sw, from->port),
                          .group = host_ip(to->sw, to->port),
                          .eth_dst = host_mac(to->sw, to->port),
                          .udp_dst = 53,
                          .ttl = 64};
    size_t size = sim_frame_build(&s, frame);

    put_mac(frame + 6, host_mac(from->sw, from->port));
    return size;
}

/* Frames under way. */

static void
enqueue(struct sim_fabric *f, int sw, uint32_t port, int hops,
        const void *frame, size_t size)
{
    struct fabric_frame *q = &f->queue[(f->head + f->n_queued) % FABRIC_QUEUE];

    if (size > FABRIC_FRAME_SIZE || f->wires.down[sw][port]) {
        return;
    }
    if (hops > FABRIC_MAX_HOPS || f->n_queued == FABRIC_QUEUE) {
        if (!f->problem[0]) {
            snprintf(f->problem, sizeof f->problem,
                     "a frame runs for ever: s%d:%u, type %02x%02x", sw + 1,
                     port, ((const uint8_t *) frame)[12],
                     ((const uint8_t *) frame)[13]);
        }
        return;
    }
    q->sw = sw;
    q->in_port = port;
    q->hops = hops;
    q->size = size;
    memcpy(q->bytes, frame, size);
    f->n_queued++;
}

void
sim_fabric_send(struct sim_fabric *f, int sw, uint32_t port, const void *frame,
                size_t size)
{
    enqueue(f, sw, port, 0, frame, size);
}

static void
hear(struct sim_fabric *f, int sw, uint32_t port, const void *frame,
     size_t size)
{
    struct ip_addr ip = host_ip(sw, port);
    struct igmp_msg msg;
    struct arp arp;

    if (igmp_msg_decode(frame, size, &msg) == IGMP_OK
        && msg.kind == IGMP_QUERY) {
        for (int g = 0; g < FABRIC_GROUPS; g++) {
            struct ip_addr group = sim_fabric_group(g);

            if (ip_addr_is_any(&msg.group)
                || ip_addr_equal(&group, &msg.group)) {
                sim_fabric_say_filter(f, sw, port, g, false);
            }
        }
    } else if (arp_decode(frame, size, &arp) && !arp.reply
               && ip_addr_equal(&arp.target_ip, &ip)) {
        uint8_t answer[ARP_MAX_SIZE];

        arp.reply = true;
        arp.eth_dst = arp.target_mac = arp.sender_mac;
        arp.target_ip = arp.sender_ip;
        arp.eth_src = arp.sender_mac = host_mac(sw, port);
        arp.sender_ip = ip;
        sim_fabric_send(f, sw, port, answer,
                        arp_encode(&arp, answer, sizeof answer));
    }
}

static void
leave_port(struct sim_fabric *f, int sw, uint32_t port, const void *frame,
           size_t size)
{
    const struct wires_end *peer = wires_peer(&f->wires, sw, port);

    if (peer) {
        enqueue(f, peer->sw, peer->port, f->hops + 1, frame, size);
    } else if (port <= FABRIC_HOSTS && !f->wires.down[sw][port]) {
        hear(f, sw, port, frame, size);
    }
}

/* By order of the controller: a journey of its own. */
static void
on_output(void *f_, struct sim_switch *s, uint32_t port, const void *frame,
          size_t size)
{
    struct sim_fabric *f = f_;
    int hops = f->hops;

    f->hops = 0;
    leave_port(f, (int) (s - f->net.switches), port, frame, size);
    f->hops = hops;
}

struct forwarding {
    struct sim_fabric *f;
    int sw;
};

static void
on_forward(void *w_, uint32_t port, const void *frame, size_t size)
{
    struct forwarding *w = w_;

    leave_port(w->f, w->sw, port, frame, size);
}

static void
on_turn(void *f_)
{
    struct sim_fabric *f = f_;

    f->n_turns++;
    if (sim_chance(&f->random, 10)) {
        sim_clock_pass(1); /* Work takes time. */
    }
    for (int n = f->n_queued; n > 0; n--) {
        struct fabric_frame q = f->queue[f->head];
        struct forwarding w = {f, q.sw};

        f->head = (f->head + 1) % FABRIC_QUEUE;
        f->n_queued--;
        f->hops = q.hops;
        fake_switch_packet(f->wires.switches[q.sw], q.in_port, q.bytes, q.size,
                           on_forward, &w);
        f->hops = 0;
    }
}

/* Each switch is held back now and then, and takes a part of what there is, so
 * that many orders between switches are seen. */
static size_t
may_read(void *f_, struct sim_switch *s)
{
    struct sim_fabric *f = f_;
    int *held = &f->held[s - f->net.switches];

    if (f->prompt) {
        return 65536;
    }
    if (*held > 0) {
        --*held;
        return 0;
    }
    if (sim_chance(&f->random, 25)) {
        *held = 1 + (int) sim_random(&f->random, 8);
    }
    return sim_chance(&f->random, 50) ? 1 + sim_random(&f->random, 600)
                                      : 65536;
}

/* What hosts say. */

void
sim_fabric_say_filter(struct sim_fabric *f, int sw, uint32_t port, int g,
                      bool is_change)
{
    const struct fabric_filter *filter = &f->filters[sw][port][g];
    struct ip_addr sources[2];
    struct igmp_report_record record = {.group = sim_fabric_group(g),
                                        .sources = sources};
    struct igmp_report report = {.family = IGMP_IPV4,
                                 .version = 3,
                                 .eth_src = host_mac(sw, port),
                                 .ip_src = host_ip(sw, port),
                                 .records = &record,
                                 .n_records = 1};
    uint8_t frame[FABRIC_FRAME_SIZE];

    for (int i = 0; i < 2; i++) {
        if (filter->sources & 1U << i) {
            sources[record.n_sources++] = sim_fabric_source(2 * g + i);
        }
    }
    if (!is_change && !filter->exclude && !filter->sources) {
        return;
    }
    record.type = is_change         ? filter->exclude ? IGMP_CHANGE_TO_EXCLUDE
                                                      : IGMP_CHANGE_TO_INCLUDE
                  : filter->exclude ? IGMP_MODE_IS_EXCLUDE
                                    : IGMP_MODE_IS_INCLUDE;
    sim_fabric_send(f, sw, port, frame,
                    igmp_report_encode(&report, frame, sizeof frame));
}

void
sim_fabric_say_all(struct sim_fabric *f, int sw)
{
    for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
        struct wires_end self = {sw, port};
        uint8_t frame[SIM_FRAME_SIZE];

        sim_fabric_send(f, sw, port, frame,
                        sim_fabric_arp_frame(&self, &self, frame));
        for (int g = 0; g < FABRIC_GROUPS; g++) {
            sim_fabric_say_filter(f, sw, port, g, true);
        }
    }
}

bool
sim_fabric_gets(const struct sim_fabric *f, int stream, int sw, uint32_t port)
{
    bool routed = stream == FABRIC_ROUTED;
    int of = routed ? 0 : stream;

    return (routed && f->is_fabric && sw == 1 && port == 1)
           || (sim_fabric_wants(&f->filters[sw][port][of / 2], of % 2)
               && (!routed || f->is_fabric));
}

bool
sim_fabric_wants(const struct fabric_filter *filter, int source)
{
    return filter->exclude
           != (source >= 0 && (filter->sources & 1U << source));
}

/* Making one. */

/* The graph numbered 'which' of those with n nodes, as its set of edges; false
 * if it is not connected. */
static bool
connect_cables(struct wires *w, unsigned int which)
{
    uint32_t next[FABRIC_SWITCHES];
    int edge = 0;

    for (int i = 0; i < FABRIC_SWITCHES; i++) {
        next[i] = FABRIC_HOSTS + 1;
    }
    for (int a = 0; a < w->n_switches; a++) {
        for (int b = a + 1; b < w->n_switches; b++, edge++) {
            if (which & 1U << edge) {
                wires_connect(w, a, next[a]++, b, next[b]++);
            }
        }
    }
    for (int sw = 1; sw < w->n_switches; sw++) {
        if (!wires_reach(w, 0, sw)) {
            return false;
        }
    }
    return true;
}

static void
make_topology(struct sim_fabric *f)
{
    struct wires *w = &f->wires;
    int n = 2 + (int) (f->seed % 4);

    if (!f->is_fabric) {
        n = 1;
    }
    do {
        wires_init(w);
        w->n_switches = n;
    } while (
        !connect_cables(w, sim_random(&f->random, 1U << n * (n - 1) / 2)));
}

static void
plug_in(struct sim_fabric *f)
{
    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        struct fake_switch *fake = f->net.switches[sw].fake;
        f->wires.switches[sw] = fake;
        fake_switch_faults(fake)->removed_late_ms =
            sim_chance(&f->random, 50) ? sim_random(&f->random, 200) : 0;
    }
    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        for (uint32_t port = FABRIC_HOSTS + 1; port <= WIRES_PORTS; port++) {
            if (f->wires.peers[sw][port].sw < 0) {
                f->wires.down[sw][port] = true;
                fake_switch_set_port(f->wires.switches[sw], port, false);
            }
        }
        assert_true(fake_switch_ofctl(f->wires.switches[sw], "add-flow",
                                      "table=100,cookie=0x1234,priority=7,"
                                      "udp,actions=drop"));
        sim_net_connect(&f->net.switches[sw]);
    }
}

static void
written(void *aux, const struct ctl_result *result)
{
    (void) aux;
    assert_string_equal(result->detail, "");
}

static void
put_route(struct sim_fabric *f)
{
    struct route_target targets[] = {
        {.kind = ROUTE_TO_MEMBERS},
        {.kind = ROUTE_TO_PORT, .has_dpid = true, .dpid = 2, .port = "1"}};
    const struct route route = {
        .name = "routed",
        .match = {.group = {sim_fabric_group(FABRIC_ROUTED / 2), 128}},
        .set = {.has_group = true, .group = sim_fabric_group(0)},
        .targets = targets,
        .n_targets = 2};

    ctl_route_put(f->net.ctl, &route, CTL_WAIT_STORED, 0, written, NULL);
}

void
sim_fabric_init(struct sim_fabric *f, uint64_t seed)
{
    const char *l2 = getenv("OFM_L2") ? getenv("OFM_L2") : "fabric";
    char yaml[512];

    memset(f, 0, sizeof *f);
    f->seed = seed;
    f->is_fabric = !strcmp(l2, "fabric");
    f->queue = xcalloc(FABRIC_QUEUE, sizeof *f->queue);
    sim_random_init(&f->random, seed);
    make_topology(f);
    f->asker.port = f->asked.port = 1;
    snprintf(yaml, sizeof yaml,
             "l2: %s\n%s"
             "vlans:\n"
             "  default: {querier_address: 10.0.0.1, last_member_count: 1}\n",
             l2,
             f->is_fabric
                 ? "fabric: {probe_interval: 1, host_probe_interval: 1,"
                   " echo_interval: 0.15, hold_time: 0.2}\n"
                 : "");
    sim_net_init(&f->net, yaml, f->wires.n_switches, WIRES_PORTS);
    f->net.aux = f;
    f->net.changed = sim_fabric_check;
    f->net.output = on_output;
    f->net.may_read = may_read;
    f->net.turn = on_turn;
    for (int i = 0; i < FABRIC_STREAMS; i++) {
        f->streams[i] = (struct fabric_stream){
            .sw = (int) sim_random(&f->random, (uint32_t) f->wires.n_switches),
            .port = 1 + sim_random(&f->random, FABRIC_HOSTS),
            .on = sim_chance(&f->random, 70),
            .is_new = true};
    }
    ctl_set_event_listener(f->net.ctl, sim_fabric_trace, f);
    if (f->is_fabric) {
        put_route(f);
    }
    plug_in(f);
    sim_fabric_rest(f);
}

void
sim_fabric_uninit(struct sim_fabric *f)
{
    f->watching = false;
    sim_net_uninit(&f->net);
    free(f->queue);
}

void
sim_fabric_trace(void *f_, const char *type, const char *text)
{
    const struct sim_fabric *f = f_;

    if (getenv("OFM_TRACE_STEPS")) {
        fprintf(stderr, "%" PRIu64 "/%" PRIu64 " %" PRId64 " ms: %s %s\n",
                f->seed, f->step, sim_clock_now(), type, text);
    }
}

void
sim_fabric_fail(struct sim_fabric *f, const char *problem)
{
    char text[1024];

    struct view_fabric view;

    view_fabric(f->net.ctl, &view);
    fprintf(stderr,
            "fabric: %s, %zu links in %zu parts, %zu trees, %zu draining, %zu "
            "to move%s\n",
            view.settled ? "settled" : "not settled", view.n_links,
            view.n_parts, view.n_trees, view.n_draining, view.n_to_move,
            view.at_rest ? ", at rest" : "");
    wires_format(&f->wires, text, sizeof text);
    fprintf(stderr,
            "seed %" PRIu64 " step %" PRIu64 " (%s): %s\n  topology: %s\n",
            f->seed, f->step, f->what, problem, text);
    for (int i = 0; i < FABRIC_STREAMS; i++) {
        fprintf(stderr, "  stream %d: group %d from s%d:%u%s\n", i, i / 2,
                f->streams[i].sw + 1, f->streams[i].port,
                f->streams[i].on ? "" : " (off)");
    }
    for (int sw = 0; getenv("OFM_DUMP") && sw < f->wires.n_switches; sw++) {
        char *flows = fake_switch_dump_flows(f->wires.switches[sw]);
        char *groups = fake_switch_dump_groups(f->wires.switches[sw]);

        fprintf(stderr, "s%d:\n%s%s", sw + 1, flows, groups);
        free(flows);
        free(groups);
    }
    fail();
}
