/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_DISPATCH_H
#define API_API_DISPATCH_H 1

/* From a request to its answer, without a server.
 *
 * api_dispatch() finds the resource in a table, checks what holds for every
 * resource (who asks, method, parameters, preconditions) and lets the
 * resource's handler answer: at once, or, for a write that waits for a switch,
 * later.  The answer goes to a callback, exactly once, unless the call is
 * abandoned (its client has gone).
 *
 * Who may ask (on loopback everybody on this machine can, and so can each web
 * page that somebody on it looks at): a Host that is neither localhost nor an
 * address is refused while the server listens on loopback, against DNS
 * rebinding; a write whose Origin is another site is refused always. */

#include "api/api-request.h"

struct api_call;
struct api_groups;
struct ctl;

/* What the API serves.  The owner keeps it alive until every call has been
 * answered or abandoned; ctl may finish an abandoned write later still. */
struct api {
    struct ctl *ctl;
    bool loopback;             /* Listens on a loopback address. */
    struct api_groups *groups; /* See api-groups.h; NULL: none. */
};

typedef void api_reply_cb(void *aux, struct api_response *);

/* 'request' is not used after the return.  Returns the call if the callback
 * has not run yet, else NULL.  The callback may take the body out of the
 * response by setting it to NULL. */
struct api_call *api_dispatch(const struct api *, const struct api_request *,
                              api_reply_cb *, void *aux);
/* The callback will not run any more. */
void api_call_abandon(struct api_call *);

/* A JSON description (OpenAPI 3.1) of the same table; for free(). */
char *api_openapi(size_t *size);

#endif
