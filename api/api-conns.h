/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_CONNS_H
#define API_API_CONNS_H 1

/* The connections of the REST server, counted.
 *
 * evhttp bounds the size of a request and the time without a byte, but not
 * the number of connections, nor the time that a client may take to send a
 * request byte by byte.  It does not tell when a connection ends either.  So
 * every connection's bufferevent is made here and a reference is kept:
 * evhttp's freeing it then shows (its callbacks are gone), and the socket is
 * closed up to a second after evhttp has shut it down, by which time a client
 * that was refused in the middle of its body has read why.
 *
 * Limits: 'max' connections.  At the limit the one that has been idle, or busy
 * sending its request, for longest goes.  At twice the limit, which takes more
 * than 'max' requests that wait for their answer, nobody is let in. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_conns;
struct bufferevent;
struct evconnlistener;
struct event_base;

struct api_conns *api_conns_create(struct event_base *, size_t max,
                                   int64_t request_timeout_ms);
/* After evhttp_free(). */
void api_conns_destroy(struct api_conns *);
/* The listener takes a rest while there is no room, and when accept() fails
 * (no descriptors left): libevent would try again at once, for ever. */
void api_conns_set_listener(struct api_conns *, struct evconnlistener *);
/* A bufferevent for a connection that comes in. */
struct bufferevent *api_conns_add(struct api_conns *);
/* From a whole request until its whole answer a connection is in use. */
void api_conns_set_in_use(struct api_conns *, const struct bufferevent *,
                          bool in_use);
size_t api_conns_count(const struct api_conns *);

#endif
