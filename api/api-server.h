/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_SERVER_H
#define API_API_SERVER_H 1

/* The REST server: evhttp around api-dispatch.h.
 *
 * A client that goes away while its write waits, or a server that is destroyed
 * then, abandons the call: the write goes on, its answer is dropped.
 *
 * Limits: see the enum; beyond them a client is refused, cut off or has to
 * wait, and nobody else notices.
 *
 * Ownership: the server borrows event base and ctl.  Destroy it before ctl:
 * it takes ctl's event listener away.  The process must ignore SIGPIPE. */

#include <stdint.h>

#include "controller/config.h"

struct api_server;
struct ctl;
struct event_base;

enum {
    API_MAX_BODY = 1 << 20,     /* Bytes. */
    API_MAX_HEADER = 16 << 10,  /* Bytes, of all fields. */
    API_MAX_CONNECTIONS = 256,  /* Then the longest idle one goes. */
    API_MAX_LISTENERS = 32,     /* Of /v1/events. */
    API_MAX_BACKLOG = 1 << 20,  /* Bytes that one of them may lag. */
    API_MAX_UNREAD = 64 << 20,  /* Bytes, of all long answers together. */
    API_LONG_ANSWER = 64 << 10, /* Bytes; shorter ones do not count. */
    API_IDLE_TIMEOUT_S = 30,    /* No byte for so long. */
    API_REQUEST_TIMEOUT_S = 60, /* A request not complete by then. */
    API_EVENTS_PING_S = 15,     /* So that dead listeners show. */
    API_EVENTS_KEEP_S = 600     /* Without a listener. */
};

/* NULL with 'error' filled in. */
struct api_server *api_server_create(struct event_base *, struct ctl *,
                                     const struct config_listen *,
                                     char error[CONFIG_ERROR_SIZE]);
void api_server_destroy(struct api_server *); /* NULL is fine. */
/* The port that it got (of use with port 0). */
uint16_t api_server_port(const struct api_server *);

#endif
