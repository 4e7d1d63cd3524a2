/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-net.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "lib/xalloc.h"
#include "tests/sim/sim-clock.h"

enum { SETTLE_MS = 20000 };

static const uint8_t echo[] = {4, 2, 0, 8, 0xec, 0, 0, 0};

/* Bytes to and from the controller. */

static void
try_write(struct sim_switch *s)
{
    while (s->fd >= 0 && s->out_size) {
        ssize_t n = send(s->fd, s->out, s->out_size, MSG_NOSIGNAL);

        if (n <= 0) {
            if (n < 0 && errno != EAGAIN && errno != EINTR) {
                s->out_size = 0; /* The end shows when reading. */
            }
            break;
        }
        s->out_size -= (size_t) n;
        memmove(s->out, s->out + n, s->out_size);
    }
    if (s->fd >= 0 && s->out_size) {
        event_add(s->writable, NULL);
    }
}

static void
put(struct sim_switch *s, const void *bytes, size_t size)
{
    if (s->out_allocated - s->out_size < size) {
        s->out_allocated = (s->out_size + size) * 2;
        s->out = xrealloc(s->out, s->out_allocated);
    }
    memcpy(s->out + s->out_size, bytes, size);
    s->out_size += size;
}

static void
switch_send(void *s_, const void *bytes, size_t size)
{
    struct sim_switch *s = s_;

    put(s, bytes, size);
    try_write(s);
}

static void
switch_output(void *s_, uint32_t port, const void *frame, size_t size)
{
    struct sim_switch *s = s_;

    if (s->net->output) {
        s->net->output(s->net->aux, s, port, frame, size);
    }
}

static void
switch_changed(void *s_)
{
    struct sim_switch *s = s_;

    if (s->net->changed) {
        s->net->changed(s->net->aux, s);
    }
}

static void
on_writable(evutil_socket_t fd, short what, void *s)
{
    (void) fd, (void) what;
    try_write(s);
}

static void
on_readable(evutil_socket_t fd, short what, void *s_)
{
    struct sim_switch *s = s_;
    uint8_t buf[65536];
    size_t room =
        s->net->may_read ? s->net->may_read(s->net->aux, s) : sizeof buf;
    ssize_t n;

    (void) what;
    if (!room) {
        return;
    }
    n = recv(fd, buf, room < sizeof buf ? room : sizeof buf, 0);
    if (n > 0) {
        fake_switch_run(s->fake, sim_clock_now());
        fake_switch_input(s->fake, buf, (size_t) n);
    } else if (!n || (errno != EAGAIN && errno != EINTR)) {
        sim_net_disconnect(s);
    }
}

/* Connecting. */

void
sim_net_connect(struct sim_switch *s)
{
    int fds[2];
    char peer[16];

    if (s->fd >= 0) {
        return;
    }
    assert_int_equal(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                fds),
                     0);
    s->fd = fds[0];
    s->readable =
        event_new(s->net->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
    s->writable = event_new(s->net->base, s->fd, EV_WRITE, on_writable, s);
    event_add(s->readable, NULL);
    s->out_size = 0;
    snprintf(peer, sizeof peer, "s%" PRIu64, s->dpid);
    ctl_take_switch(s->net->ctl, fds[1], peer);
    fake_switch_connect(s->fake);
}

void
sim_net_disconnect(struct sim_switch *s)
{
    if (s->fd >= 0) {
        event_free(s->readable);
        event_free(s->writable);
        close(s->fd);
        s->fd = -1;
        fake_switch_disconnect(s->fake);
    }
}

/* The controller. */

static void
start_controller(struct sim_net *net)
{
    char error[CONFIG_ERROR_SIZE];

    net->ctl = ctl_create(net->base, net->config, error);
    if (!net->ctl) {
        fail_msg("%s", error);
    }
}

void
sim_net_restart_controller(struct sim_net *net)
{
    for (int i = 0; i < net->n_switches; i++) {
        sim_net_disconnect(&net->switches[i]);
    }
    ctl_destroy(net->ctl);
    start_controller(net);
}

static struct config *
parse(const struct sim_net *net, const char *yaml)
{
    char error[CONFIG_ERROR_SIZE];
    char *text = xasprintf("state_dir: %s\n"
                           "openflow: {listen: \"tcp:127.0.0.1:0\"}\n%s",
                           net->dir, yaml);
    struct config *config = config_parse("test", text, strlen(text), error);

    if (!config) {
        fail_msg("%s", error);
    }
    free(text);
    /* Shorter than a file may say, so that leaving takes no time. */
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        config->vlan_default.igmp[f].last_member_interval = 10;
    }
    return config;
}

void
sim_net_reconfigure(struct sim_net *net, const char *yaml)
{
    char notice[CONFIG_ERROR_SIZE];
    struct config *config = parse(net, yaml);

    ctl_reconfigure(net->ctl, config, notice);
    config_destroy(net->config);
    net->config = config;
}

static void
on_tick(evutil_socket_t fd, short what, void *aux)
{
    (void) fd, (void) what, (void) aux;
}

void
sim_net_init(struct sim_net *net, const char *yaml, int n_switches,
             uint32_t n_ports)
{
    static const struct fake_switch_ops ops = {
        .send = switch_send,
        .output = switch_output,
        .changed = switch_changed,
    };
    const struct timeval millisecond = {0, 1000};

    signal(SIGPIPE, SIG_IGN); /* As the daemon does. */
    memset(net, 0, sizeof *net);
    snprintf(net->dir, sizeof net->dir, "/tmp/ofmcast-sim.XXXXXX");
    assert_non_null(mkdtemp(net->dir));

    net->config = parse(net, yaml);
    net->base = event_base_new();
    net->tick = event_new(net->base, -1, EV_PERSIST, on_tick, NULL);
    event_add(net->tick, &millisecond);
    start_controller(net);
    net->n_switches = n_switches;
    for (int i = 0; i < n_switches; i++) {
        struct sim_switch *s = &net->switches[i];

        s->net = net;
        s->dpid = (uint64_t) i + 1;
        s->n_ports = n_ports;
        s->fd = -1;
        s->fake = fake_switch_create(s->dpid, &ops, s);
        for (uint32_t port = 1; port <= n_ports; port++) {
            char name[32];

            snprintf(name, sizeof name, "s%d-eth%u", i + 1, port);
            fake_switch_add_port(s->fake, port, name);
        }
    }
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st, (void) flag, (void) ftw;
    return remove(path);
}

void
sim_net_uninit(struct sim_net *net)
{
    for (int i = 0; i < net->n_switches; i++) {
        sim_net_disconnect(&net->switches[i]);
        fake_switch_destroy(net->switches[i].fake);
        free(net->switches[i].out);
    }
    ctl_destroy(net->ctl);
    config_destroy(net->config);
    event_free(net->tick);
    event_base_free(net->base);
    nftw(net->dir, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* Waiting. */

bool
sim_net_wait(struct sim_net *net, sim_condition *done, void *aux,
             int64_t timeout_ms)
{
    int64_t give_up = sim_clock_now() + timeout_ms;

    while (!done(aux)) {
        if (sim_clock_now() > give_up) {
            return false;
        }
        event_base_loop(net->base, EVLOOP_ONCE);
        for (int i = 0; i < net->n_switches; i++) {
            fake_switch_run(net->switches[i].fake, sim_clock_now());
        }
        if (net->turn) {
            net->turn(net->aux);
        }
    }
    return true;
}

struct unsettled {
    struct sim_net *net;
    uint64_t want_echoes[SIM_MAX_SWITCHES];
    bool settled;
};

static uint64_t
n_echoes(const struct sim_switch *s)
{
    struct fake_switch_counters counters;

    fake_switch_counters(s->fake, &counters);
    return counters.echo_replies;
}

static bool
echoes_answered(void *u_)
{
    struct unsettled *u = u_;

    for (int i = 0; i < u->net->n_switches; i++) {
        const struct sim_switch *s = &u->net->switches[i];

        if (s->fd >= 0 && n_echoes(s) < u->want_echoes[i]) {
            return false;
        }
    }
    return true;
}

static void
exchange_echoes(struct unsettled *u)
{
    for (int i = 0; i < u->net->n_switches; i++) {
        struct sim_switch *s = &u->net->switches[i];

        u->want_echoes[i] = n_echoes(s) + 1;
        if (s->fd >= 0) {
            put(s, echo, sizeof echo);
            try_write(s);
        }
    }
}

static bool
look(void *u_, const struct view_switch *v)
{
    struct unsettled *u = u_;

    for (int i = 0; i < u->net->n_switches; i++) {
        const struct sim_switch *s = &u->net->switches[i];

        if (s->dpid == v->dpid && s->fd >= 0
            && (!v->connected || !v->synced || v->pending)) {
            u->settled = false;
        }
    }
    return true;
}

static bool
nothing_pending(void *u_)
{
    struct unsettled *u = u_;

    u->settled = true;
    view_switches(u->net->ctl, look, u);
    return u->settled;
}

bool
sim_net_settle(struct sim_net *net)
{
    struct unsettled u = {.net = net};

    /* Twice: the first answer comes before the turn that compiles what was
     * ahead of it. */
    for (int i = 0; i < 2; i++) {
        exchange_echoes(&u);
        if (!sim_net_wait(net, echoes_answered, &u, SETTLE_MS)
            || !sim_net_wait(net, nothing_pending, &u, SETTLE_MS)) {
            return false;
        }
    }
    return true;
}
