/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_REQUEST_H
#define API_API_REQUEST_H 1

/* An HTTP request and its answer as plain values, without a server.
 *
 * api-server.c makes an api_request out of what evhttp read and sends the
 * api_response; everything between the two (api-dispatch.h) knows nothing of
 * sockets, so that tests and fuzzers drive it with structs.
 *
 * Ownership: a request borrows its strings; a target and a response own
 * theirs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum api_method {
    API_GET,
    API_HEAD,
    API_PUT,
    API_DELETE,
    API_OPTIONS,
    API_OTHER, /* POST, PATCH, TRACE...: no resource here takes them. */
    API_N_METHODS
};

const char *api_method_name(enum api_method);

/* Header fields are NULL where absent. */
struct api_request {
    enum api_method method;
    const char *target; /* As sent: "/v1/groups?limit=10". */
    bool needs_host;    /* HTTP/1.1 (RFC 9112 3.2). */
    const char *host, *origin;
    const char *content_type, *content_encoding;
    const char *if_match, *if_none_match;
    const char *last_event_id;
    const char *body; /* Not NUL-terminated. */
    size_t body_size;
};

/* A target taken apart, percent-decoding done. */
enum { API_MAX_SEGMENTS = 8, API_MAX_PARAMS = 8, API_MAX_TARGET = 4096 };

struct api_param {
    const char *name, *value;
};

struct api_target {
    size_t n_segments; /* 0: "/". */
    const char *segments[API_MAX_SEGMENTS];
    size_t n_params;
    struct api_param params[API_MAX_PARAMS];
    char *text; /* What the pointers above point into. */
};

/* NULL, or what is wrong with 's' as a sentence; then there is nothing to
 * uninit. */
const char *api_target_parse(struct api_target *, const char *s);
void api_target_uninit(struct api_target *);
/* NULL if there is no such parameter. */
const char *api_target_param(const struct api_target *, const char *name);

enum { API_ETAG_SIZE = 24, API_ALLOW_SIZE = 48 };

struct api_response {
    int status;
    const char *type; /* Content-Type; NULL: no body. */
    char *body;       /* NULL: none.  The answer to HEAD has one: 'head'. */
    size_t size;
    bool head;                  /* Send the length but not the body. */
    char etag[API_ETAG_SIZE];   /* With its quotes; "" = none. */
    char allow[API_ALLOW_SIZE]; /* "" = none. */
    char *location;             /* NULL = none. */
    int retry_after;            /* Seconds, 0 = none. */
    bool stream;                /* An event stream follows; no body here. */
};

void api_response_uninit(struct api_response *);
/* The reason phrase of RFC 9110 for 'status'. */
const char *api_status_text(int status);

/* Entity tags. */
uint64_t api_hash(const char *, uint64_t seed);
void api_etag_format(uint64_t hash, char etag[API_ETAG_SIZE]);
/* Whether 'field' (an If-Match or If-None-Match) names 'etag'; "*" names
 * every one that exists (etag is not "").  Weak tags count if 'weak'. */
bool api_etag_match(const char *field, const char *etag, bool weak);

#endif
