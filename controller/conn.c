/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "controller/listen.h"
#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(conn);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

enum {
    /* Bytes taken in one go: bounds what one switch can hold up others. */
    READ_CHUNK = 256 << 10,
    ACCEPT_RETRY_MS = 200,
    PEER_SIZE = 64
};

struct listener {
    struct loop *loop;
    struct evconnlistener *evl;
    int64_t probe_interval;
    const struct conn_ops *ops;
    void *aux;
    struct conn *conns; /* utlist. */
    size_t n_conns;
    struct loop_timer retry; /* Listening again after an error. */
};

struct conn {
    struct listener *listener;
    struct conn *prev, *next;
    struct bufferevent *bev;
    struct ofp_session *session;
    struct loop_timer timer;
    char peer[PEER_SIZE];
    void *owner; /* NULL until adopted. */
    char reason[128];
    bool closing;

    /* Ports told before the session is ready. */
    struct ofp_port *ports;
    size_t n_ports, allocated_ports;
};

static void
conn_destroy(struct conn *c)
{
    struct listener *l = c->listener;
    DL_DELETE(l->conns, c);
    l->n_conns--;
    loop_timer_clear(l->loop, &c->timer);
    ofp_session_destroy(c->session);
    bufferevent_free(c->bev);
    free(c->ports);
    free(c);
}

/* Ends the connection now: only from the top of an event. */
static void
conn_end(struct conn *c)
{
    const char *reason = c->reason[0] ? c->reason : "closed";
    VLOG_INFO_RL(&rl, "%s: %s", c->peer, reason);
    if (c->owner) {
        c->listener->ops->closed(c->owner, reason);
    }
    loop_want_turn(c->listener->loop);
    conn_destroy(c);
}

void
conn_close_soon(struct conn *c, const char *reason)
{
    if (!c->closing) {
        c->closing = true;
        snprintf(c->reason, sizeof c->reason, "%s", reason);
        loop_timer_set(c->listener->loop, &c->timer, 0);
    }
}

/* What stands at the end of each event of a connection. */
static void
conn_settle(struct conn *c)
{
    const char *reason = ofp_session_reason(c->session);
    if (!c->closing && reason) {
        conn_close_soon(c, reason);
    }
    if (c->closing) {
        conn_end(c);
        return;
    }
    struct loop *loop = c->listener->loop;
    loop_timer_set(loop, &c->timer, ofp_session_deadline(c->session));
    loop_want_turn(loop);
}

static void
timer_cb(void *c_, int64_t now)
{
    struct conn *c = c_;
    if (!c->closing) {
        ofp_session_run(c->session, now);
    }
    conn_settle(c);
}

static void
read_cb(struct bufferevent *bev, void *c_)
{
    struct conn *c = c_;
    struct evbuffer *in = bufferevent_get_input(bev);
    int64_t now = loop_now(c->listener->loop);

    while (!c->closing) {
        size_t n = evbuffer_get_contiguous_space(in);
        if (!n) {
            break;
        }
        if (!ofp_session_input(c->session, evbuffer_pullup(in, (ssize_t) n), n,
                               now)) {
            break;
        }
        evbuffer_drain(in, n);
    }
    conn_settle(c);
}

static void
event_cb(struct bufferevent *bev, short what, void *c_)
{
    (void) bev;
    struct conn *c = c_;
    if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))) {
        return;
    }
    if (!c->closing) {
        c->closing = true;
        snprintf(c->reason, sizeof c->reason, "%s",
                 what & BEV_EVENT_EOF
                     ? "the switch closed the connection"
                     : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    }
    conn_end(c);
}

/* The session's ops. */

static void
session_send(void *c_, const void *bytes, size_t size)
{
    struct conn *c = c_;
    if (c->closing) {
        return;
    }
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (evbuffer_get_length(out) + size > CONN_MAX_OUTPUT) {
        conn_close_soon(c, "the switch does not read what it is sent");
        return;
    }
    evbuffer_add(out, bytes, size);
}

static void
session_ready(void *c_, const struct ofp_features *features)
{
    struct conn *c = c_;
    const struct conn_ops *ops = c->listener->ops;
    if (!ops->ready(c->listener->aux, c, features, c->ports, c->n_ports)) {
        conn_close_soon(c, "another connection of this switch is alive");
    }
    free(c->ports);
    c->ports = NULL;
    c->n_ports = c->allocated_ports = 0;
}

static void
session_port_changed(void *c_, enum ofp_port_change change,
                     const struct ofp_port *port)
{
    struct conn *c = c_;
    if (c->owner) {
        c->listener->ops->port_changed(c->owner, change, port);
    } else if (change != OFP_PORT_DELETED) {
        c->ports =
            xgrow(c->ports, c->n_ports, &c->allocated_ports, sizeof *c->ports);
        c->ports[c->n_ports++] = *port;
    }
}

static void
session_packet_in(void *c_, const struct ofp_packet_in *pin)
{
    struct conn *c = c_;
    if (c->owner) {
        c->listener->ops->packet_in(c->owner, pin);
    }
}

static void
session_flow_removed(void *c_, const struct ofp_flow_removed *removed)
{
    struct conn *c = c_;
    if (c->owner) {
        c->listener->ops->flow_removed(c->owner, removed);
    }
}

static void
session_reply(void *c_, const void *msg, size_t size)
{
    struct conn *c = c_;
    if (c->owner) {
        c->listener->ops->reply(c->owner, msg, size);
    }
}

static const struct ofp_session_ops session_ops = {
    .send = session_send,
    .ready = session_ready,
    .port_changed = session_port_changed,
    .packet_in = session_packet_in,
    .flow_removed = session_flow_removed,
    .reply = session_reply,
};

/* Accepting. */

static void
format_peer(const struct sockaddr *sa, char peer[PEER_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *) sa;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(peer, PEER_SIZE, "%s:%u", host, ntohs(in->sin_port));
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) sa;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(peer, PEER_SIZE, "[%s]:%u", host, ntohs(in6->sin6_port));
    }
}

void
listener_take(struct listener *l, int fd, const char *peer)
{
    struct conn *c = xcalloc(1, sizeof *c);
    c->listener = l;
    snprintf(c->peer, sizeof c->peer, "%s", peer);
    loop_timer_init(&c->timer, timer_cb, c);
    DL_APPEND(l->conns, c);
    l->n_conns++;
    c->bev =
        bufferevent_socket_new(loop_base(l->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_set_max_single_read(c->bev, READ_CHUNK);
    bufferevent_set_max_single_write(c->bev, CONN_MAX_OUTPUT);
    bufferevent_setcb(c->bev, read_cb, NULL, event_cb, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    c->session = ofp_session_create(&session_ops, c, l->probe_interval,
                                    loop_now(l->loop));
    VLOG_DBG("%s: connected", c->peer);
    conn_settle(c);
}

static void
accept_cb(struct evconnlistener *evl, int fd, struct sockaddr *sa, int size,
          void *l_)
{
    (void) evl;
    (void) size;
    struct listener *l = l_;
    if (l->n_conns >= CONN_MAX) {
        VLOG_WARN_RL(&rl, "over %d connections: one more is refused",
                     CONN_MAX);
        close(fd);
        return;
    }
    /* A join is one small message: waiting to fill a segment would cost more
     * than everything else. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));

    char peer[PEER_SIZE];
    format_peer(sa, peer);
    listener_take(l, fd, peer);
}

static void
retry_cb(void *l_, int64_t now)
{
    (void) now;
    struct listener *l = l_;
    evconnlistener_enable(l->evl);
}

/* Out of file descriptors, most likely: the waiting connection would wake us
 * again at once, so stop listening for a moment instead of spinning. */
static void
accept_error_cb(struct evconnlistener *evl, void *l_)
{
    struct listener *l = l_;
    VLOG_ERR_RL(&rl, "cannot accept a connection: %s",
                evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(evl);
    loop_timer_set(l->loop, &l->retry, loop_now(l->loop) + ACCEPT_RETRY_MS);
}

struct listener *
listener_create(struct loop *loop, const struct config_listen *listen,
                int64_t probe_interval, const struct conn_ops *ops, void *aux,
                char error[CONFIG_ERROR_SIZE])
{
    struct sockaddr_storage ss;
    int size = listen_sockaddr(listen, &ss);
    if (!size) {
        snprintf(error, CONFIG_ERROR_SIZE, "%s is no address to listen on",
                 listen->host);
        return NULL;
    }

    struct listener *l = xcalloc(1, sizeof *l);
    l->loop = loop;
    l->probe_interval = probe_interval;
    l->ops = ops;
    l->aux = aux;
    l->evl = evconnlistener_new_bind(loop_base(loop), accept_cb, l,
                                     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE
                                         | LEV_OPT_CLOSE_ON_EXEC,
                                     1024, (struct sockaddr *) &ss, size);
    if (!l->evl) {
        snprintf(error, CONFIG_ERROR_SIZE,
                 "cannot listen for OpenFlow on %s port %u: %s", listen->host,
                 listen->port, strerror(errno));
        free(l);
        return NULL;
    }
    evconnlistener_set_error_cb(l->evl, accept_error_cb);
    loop_timer_init(&l->retry, retry_cb, l);
    return l;
}

void
listener_destroy(struct listener *l)
{
    if (!l) {
        return;
    }
    loop_timer_clear(l->loop, &l->retry);
    evconnlistener_free(l->evl);
    while (l->conns) {
        conn_destroy(l->conns);
    }
    free(l);
}

uint16_t
listener_port(const struct listener *l)
{
    struct sockaddr_storage ss = {0};
    socklen_t size = sizeof ss;
    getsockname(evconnlistener_get_fd(l->evl), (struct sockaddr *) &ss, &size);
    return ntohs(ss.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *) &ss)->sin6_port
                     : ((struct sockaddr_in *) &ss)->sin_port);
}

void
listener_set_probe_interval(struct listener *l, int64_t probe_interval)
{
    l->probe_interval = probe_interval;
}

void
conn_set_owner(struct conn *c, void *owner)
{
    c->owner = owner;
}

struct ofp_session *
conn_session(struct conn *c)
{
    return c->session;
}

const char *
conn_peer(const struct conn *c)
{
    return c->peer;
}

void
conn_challenge(struct conn *c)
{
    struct loop *loop = c->listener->loop;
    if (!c->closing) {
        ofp_session_challenge(c->session, loop_now(loop));
        loop_timer_set(loop, &c->timer, ofp_session_deadline(c->session));
    }
}
