/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <utlist.h>

#include "api/api-conns.h"
#include "api/api-dispatch.h"
#include "api/api-events.h"
#include "api/api-groups.h"
#include "api/api-problem.h"
#include "controller/ctl.h"
#include "controller/listen.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

/* A request whose answer is awaited. */
struct exchange {
    struct api_server *server;
    struct evhttp_request *req;
    struct api_call *call; /* NULL while api_dispatch() is on the stack. */
    struct exchange *prev, *next;
};

/* A client of /v1/events. */
struct listener {
    struct api_server *server;
    struct evhttp_request *req;
    struct listener *prev, *next;
};

/* Bytes of long answers that nobody has read yet.  A body may outlive the
 * server: libevent frees a connection's buffers when its loop gets to it. */
struct unread {
    size_t size;
    size_t n_users; /* Bodies, and the server. */
};

struct api_server {
    struct api api;
    struct event_base *base;
    struct evhttp *http;
    struct api_conns *conns;
    struct api_events *events;
    struct unread *unread;
    struct event *ping_timer;
    struct exchange *exchanges;
    struct listener *listeners;
    size_t n_listeners;
    bool hears;          /* ctl tells us its events. */
    unsigned idle_pings; /* Since the last listener went. */
    uint16_t port;
};

static struct bufferevent *
bev_of(struct evhttp_request *req)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(req);

    return evcon ? evhttp_connection_get_bufferevent(evcon) : NULL;
}

/* Answers. */

struct body {
    struct unread *unread;
    char *text;
    size_t size;
};

static void
unuse(struct unread *u)
{
    if (!--u->n_users) {
        free(u);
    }
}

static void
free_body(const void *data, size_t size, void *aux)
{
    struct body *b = aux;

    (void) data;
    (void) size;
    b->unread->size -= b->size;
    unuse(b->unread);
    free(b->text);
    free(b);
}

/* Takes the body out of 'r'. */
static struct evbuffer *
make_body(struct api_server *s, struct api_response *r)
{
    struct evbuffer *buffer = evbuffer_new();
    struct body *b = xmalloc(sizeof *b);

    *b = (struct body){s->unread, r->body,
                       r->size > API_LONG_ANSWER ? r->size : 0};
    b->unread->size += b->size;
    b->unread->n_users++;
    evbuffer_add_reference(buffer, r->body, r->size, free_body, b);
    r->body = NULL;
    return buffer;
}

/* Clients that ask for long lists and do not read them must not use up the
 * memory. */
static bool
is_too_much(const struct api_server *s, const struct api_response *r)
{
    return r->size > API_LONG_ANSWER && !r->head
           && s->unread->size + r->size > API_MAX_UNREAD;
}

static void
on_answer_sent(struct evhttp_request *req, void *server)
{
    struct api_server *s = server;

    api_conns_set_in_use(s->conns, bev_of(req), false);
}

/* evhttp does not read the body of these, and would take it for the next
 * request. */
static bool
has_unread_body(struct evhttp_request *req)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    const char *encoding = evhttp_find_header(in, "Transfer-Encoding");
    enum evhttp_cmd_type type = evhttp_request_get_command(req);

    if (encoding && strcasecmp(encoding, "chunked")) {
        return true;
    }
    return (type == EVHTTP_REQ_HEAD || type == EVHTTP_REQ_TRACE)
           && (encoding || evhttp_find_header(in, "Content-Length"));
}

static void
add_headers(struct evhttp_request *req, const struct api_response *r)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);
    char number[24];

    evhttp_add_header(out, "Cache-Control", "no-cache");
    evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
    if (r->type) {
        evhttp_add_header(out, "Content-Type", r->type);
    }
    if (*r->etag) {
        evhttp_add_header(out, "ETag", r->etag);
    }
    if (*r->allow) {
        evhttp_add_header(out, "Allow", r->allow);
    }
    if (r->location) {
        evhttp_add_header(out, "Location", r->location);
    }
    if (r->retry_after) {
        snprintf(number, sizeof number, "%d", r->retry_after);
        evhttp_add_header(out, "Retry-After", number);
    }
    if (!r->stream && r->status != 204 && r->status != 304) {
        snprintf(number, sizeof number, "%zu", r->size);
        evhttp_add_header(out, "Content-Length", number);
    }
    if (has_unread_body(req)) {
        evhttp_add_header(out, "Connection", "close");
    }
}

static void
send_answer(struct api_server *s, struct evhttp_request *req,
            struct api_response *r)
{
    struct evbuffer *body = NULL;

    evhttp_request_set_on_complete_cb(req, on_answer_sent, s);
    add_headers(req, r);
    if (r->body && r->size && !r->head) {
        body = make_body(s, r);
    }
    evhttp_send_reply(req, r->status, api_status_text(r->status), body);
    if (body) {
        evbuffer_free(body);
    }
}

static void
send_busy(struct api_server *s, struct evhttp_request *req, const char *detail)
{
    struct api_response r = {.retry_after = 5};

    api_problem_respond(&r, &(struct api_problem){503, "busy",
                                                  "The server is busy", detail,
                                                  NULL});
    send_answer(s, req, &r);
    api_response_uninit(&r);
}

/* Listeners to events. */

static void
send_chunk(struct evhttp_request *req, const char *text, size_t size)
{
    struct evbuffer *chunk = evbuffer_new();

    evbuffer_add(chunk, text, size);
    evhttp_send_reply_chunk(req, chunk);
    evbuffer_free(chunk);
}

/* Comes from evhttp_connection_free().  After an error evhttp has given the
 * request back to us before; otherwise it frees it with the connection. */
static void
on_listener_closed(struct evhttp_connection *evcon, void *aux)
{
    struct listener *l = aux;

    (void) evcon;
    DL_DELETE(l->server->listeners, l);
    l->server->n_listeners--;
    if (!evhttp_request_get_connection(l->req)) {
        evhttp_request_free(l->req);
    }
    free(l);
}

static void
add_listener(struct api_server *s, struct evhttp_request *req,
             const struct api_response *r)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(req);
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    struct listener *l = xmalloc(sizeof *l);
    size_t size;

    *l = (struct listener){.server = s, .req = req};
    DL_APPEND(s->listeners, l);
    s->n_listeners++;
    evhttp_connection_set_closecb(evcon, on_listener_closed, l);
    /* It will not say anything any more, and need not. */
    bufferevent_set_timeouts(evhttp_connection_get_bufferevent(evcon), NULL,
                             &(struct timeval){API_IDLE_TIMEOUT_S, 0});
    bufferevent_setwatermark(evhttp_connection_get_bufferevent(evcon), EV_READ,
                             0, 4096);
    add_headers(req, r);
    evhttp_send_reply_start(req, 200, "OK");
    char *text = api_events_since(
        s->events, evhttp_find_header(in, "Last-Event-ID"), &size);
    send_chunk(req, text, size);
    free(text);
}

/* One that reads more slowly than things happen, for long, is cut off: it may
 * come back with the last id that it saw. */
static void
send_to_listener(struct listener *l, const char *text, size_t size)
{
    struct evbuffer *output = bufferevent_get_output(bev_of(l->req));

    if (evbuffer_get_length(output) + size > API_MAX_BACKLOG) {
        evhttp_connection_free(evhttp_request_get_connection(l->req));
    } else {
        send_chunk(l->req, text, size);
    }
}

static void
send_to_listeners(struct api_server *s, const char *text, size_t size)
{
    struct listener *l, *next;

    DL_FOREACH_SAFE (s->listeners, l, next) {
        send_to_listener(l, text, size);
    }
}

static void
on_event(void *aux, const char *type, const char *json)
{
    struct api_server *s = aux;
    size_t size;
    const char *text = api_events_add(s->events, type, json, &size);

    send_to_listeners(s, text, size);
}

/* An event costs ctl its text: it is asked for events only while somebody
 * listens, or listened a while ago and may come back for what it missed. */
static void
set_hears(struct api_server *s, bool hears)
{
    uint64_t run; /* Not the time: two starts may fall into one second. */

    s->idle_pings = 0;
    if (hears && !s->hears) {
        evutil_secure_rng_get_bytes(&run, sizeof run);
        api_events_restart(s->events, run);
    }
    if (hears != s->hears) {
        s->hears = hears;
        ctl_set_event_listener(s->api.ctl, hears ? on_event : NULL,
                               hears ? s : NULL);
    }
}

static void
on_ping_timer(evutil_socket_t fd, short what, void *aux)
{
    static const char ping[] = ": ping\n\n";
    struct api_server *s = aux;

    (void) fd;
    (void) what;
    send_to_listeners(s, ping, sizeof ping - 1);
    if (!s->n_listeners
        && ++s->idle_pings * API_EVENTS_PING_S > API_EVENTS_KEEP_S) {
        set_hears(s, false);
    }
}

static void
start_stream(struct api_server *s, struct evhttp_request *req,
             struct api_response *r)
{
    if (r->head) {
        send_answer(s, req, r);
    } else if (s->n_listeners < API_MAX_LISTENERS) {
        set_hears(s, true);
        add_listener(s, req, r);
    } else {
        send_busy(s, req, "Too many listen to events already.");
    }
}

/* Requests. */

static void
on_reply(void *aux, struct api_response *r)
{
    struct exchange *x = aux;

    if (x->call) {
        DL_DELETE(x->server->exchanges, x);
    }
    if (r->stream) {
        start_stream(x->server, x->req, r);
    } else if (is_too_much(x->server, r)) {
        send_busy(x->server, x->req,
                  "Too many long answers have not been read yet.");
    } else {
        send_answer(x->server, x->req, r);
    }
    free(x);
}

static enum api_method
method_of(struct evhttp_request *req)
{
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        return API_GET;
    case EVHTTP_REQ_HEAD:
        return API_HEAD;
    case EVHTTP_REQ_PUT:
        return API_PUT;
    case EVHTTP_REQ_DELETE:
        return API_DELETE;
    case EVHTTP_REQ_OPTIONS:
        return API_OPTIONS;
    case EVHTTP_REQ_POST:
    case EVHTTP_REQ_TRACE:
    case EVHTTP_REQ_CONNECT:
    case EVHTTP_REQ_PATCH:
    default:
        return API_OTHER;
    }
}

static struct api_request
read_request(struct evhttp_request *req)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    size_t size = evbuffer_get_length(body);

    return (struct api_request){
        .method = method_of(req),
        .target = evhttp_request_get_uri(req),
        .needs_host = req->major > 1 || (req->major == 1 && req->minor >= 1),
        .host = evhttp_find_header(in, "Host"),
        .origin = evhttp_find_header(in, "Origin"),
        .content_type = evhttp_find_header(in, "Content-Type"),
        .content_encoding = evhttp_find_header(in, "Content-Encoding"),
        .if_match = evhttp_find_header(in, "If-Match"),
        .if_none_match = evhttp_find_header(in, "If-None-Match"),
        .last_event_id = evhttp_find_header(in, "Last-Event-ID"),
        .body = size ? (const char *) evbuffer_pullup(body, -1) : "",
        .body_size = size,
    };
}

static void
on_request(struct evhttp_request *req, void *server)
{
    struct api_server *s = server;
    struct api_request request = read_request(req);
    struct exchange *x = xmalloc(sizeof *x);

    *x = (struct exchange){.server = s, .req = req};
    api_conns_set_in_use(s->conns, bev_of(req), true);
    struct api_call *call = api_dispatch(&s->api, &request, on_reply, x);
    if (call) {
        x->call = call;
        DL_APPEND(s->exchanges, x);
    }
}

static struct bufferevent *
on_connection(struct event_base *base, void *server)
{
    struct api_server *s = server;

    (void) base;
    return api_conns_add(s->conns);
}

/* Life. */

static bool
is_loopback(const char *host)
{
    struct ip_addr ip;

    if (!ip_addr_parse(host, &ip)) {
        return !strcasecmp(host, "localhost");
    }
    if (ip_addr_is_v4(&ip)) {
        return ip_addr_to_v4(&ip) >> 24 == 127;
    }
    return !memcmp(ip.b, &in6addr_loopback, sizeof ip.b);
}

static uint16_t
port_of(struct evconnlistener *listener)
{
    struct sockaddr_storage ss;
    socklen_t size = sizeof ss;

    if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *) &ss,
                    &size)) {
        return 0;
    }
    if (ss.ss_family == AF_INET6) {
        return ntohs(((struct sockaddr_in6 *) &ss)->sin6_port);
    }
    return ntohs(((struct sockaddr_in *) &ss)->sin_port);
}

static void
set_up_http(struct api_server *s)
{
    s->http = evhttp_new(s->base);
    /* All, so that a resource says itself which it takes. */
    evhttp_set_allowed_methods(s->http, 0xffff);
    evhttp_set_max_body_size(s->http, API_MAX_BODY);
    evhttp_set_max_headers_size(s->http, API_MAX_HEADER);
    evhttp_set_timeout(s->http, API_IDLE_TIMEOUT_S);
    /* Reads, and forgets, the rest of a body that is too long, so that the
     * client gets to read the 413. */
    evhttp_set_flags(s->http, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_bevcb(s->http, on_connection, s);
    evhttp_set_gencb(s->http, on_request, s);
}

/* Not evhttp_bind_socket(), for what listen.h says of getaddrinfo(). */
static struct evconnlistener *
bind_to(struct event_base *base, const struct config_listen *listen,
        char error[CONFIG_ERROR_SIZE])
{
    struct sockaddr_storage ss;
    int size = listen_sockaddr(listen, &ss);
    struct evconnlistener *listener =
        size ? evconnlistener_new_bind(
            base, NULL, NULL,
            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
            SOMAXCONN, (struct sockaddr *) &ss, size)
             : NULL;
    if (!listener) {
        snprintf(error, CONFIG_ERROR_SIZE,
                 "cannot serve the API on %s port %u: %s", listen->host,
                 listen->port,
                 size ? strerror(errno) : "that is no IP address");
    }
    return listener;
}

struct api_server *
api_server_create(struct event_base *base, struct ctl *ctl,
                  const struct config_listen *listen,
                  char error[CONFIG_ERROR_SIZE])
{
    struct evconnlistener *listener = bind_to(base, listen, error);

    if (!listener) {
        return NULL;
    }
    struct api_server *s = xcalloc(1, sizeof *s);
    s->base = base;
    s->api = (struct api){.ctl = ctl,
                          .loopback = is_loopback(listen->host),
                          .groups = api_groups_create()};
    s->conns = api_conns_create(base, API_MAX_CONNECTIONS,
                                API_REQUEST_TIMEOUT_S * 1000);
    s->events = api_events_create(0);
    s->unread = xcalloc(1, sizeof *s->unread);
    s->unread->n_users = 1;
    set_up_http(s);
    s->ping_timer = event_new(base, -1, EV_PERSIST, on_ping_timer, s);
    event_add(s->ping_timer, &(struct timeval){API_EVENTS_PING_S, 0});
    s->port = port_of(listener);
    evhttp_bind_listener(s->http, listener);
    api_conns_set_listener(s->conns, listener);
    return s;
}

/* evhttp frees connections with their requests: nothing may answer these
 * afterwards. */
void
api_server_destroy(struct api_server *s)
{
    struct exchange *x, *next;

    if (!s) {
        return;
    }
    set_hears(s, false);
    DL_FOREACH_SAFE (s->exchanges, x, next) {
        api_call_abandon(x->call);
        free(x);
    }
    evhttp_free(s->http);
    api_conns_destroy(s->conns);
    api_events_destroy(s->events);
    api_groups_destroy(s->api.groups);
    unuse(s->unread);
    event_free(s->ping_timer);
    free(s);
}

uint16_t
api_server_port(const struct api_server *s)
{
    return s->port;
}
