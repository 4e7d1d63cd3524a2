/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_CLIENT_H
#define API_CTL_CLIENT_H 1

/* HTTP for ofmcastctl: one blocking request at a time.
 *
 * It speaks HTTP/1.0, to which the server answers without chunks and by
 * closing the connection: all that a command needs.
 *
 * Ownership: a reply owns its body. */

#include <stdbool.h>
#include <stddef.h>

enum { CTL_MAX_REPLY = 256 << 20 }; /* Bytes. */

struct ctl_client {
    char host[256];
    char port[8];
    char url[300];  /* For messages. */
    double timeout; /* Seconds without a byte. */
};

struct ctl_reply {
    int status; /* 0: the daemon is away, see 'error'. */
    char *body; /* NUL-terminated. */
    size_t size;
    char error[400];
};

/* "http://HOST[:PORT][/]" or "HOST[:PORT]"; false if it is neither. */
bool ctl_client_init(struct ctl_client *, const char *url, double timeout);
void ctl_client_request(const struct ctl_client *, const char *method,
                        const char *target, const char *body,
                        struct ctl_reply *);
void ctl_reply_uninit(struct ctl_reply *);

/* A reply that comes line by line, without the line ends, until the server
 * ends it or 'cb' returns false.  'reply' is what an ordinary one would be,
 * if the status is not 200. */
typedef bool ctl_line_cb(void *aux, const char *line);
void ctl_client_stream(const struct ctl_client *, const char *target,
                       const char *headers, ctl_line_cb *, void *aux,
                       struct ctl_reply *reply);

#endif
