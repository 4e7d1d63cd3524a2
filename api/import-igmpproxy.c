/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* igmpproxy.conf(5), and what its fork for MUT (multicast to unicast) adds:
 *
 *     quickleave
 *     mut_init
 *     phyint IF upstream | downstream | disabled [ratelimit N] [threshold TTL]
 *            [altnet A.B.C.D/N ...] [whitelist A.B.C.D/N ...]
 *     chroot DIRECTORY
 *     user NAME
 *
 * Words may be spread over lines.  Its interfaces become ports of the
 * configuration; the upstream one is a router port. */

#include "api/import.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

enum { MAX_PHYINTS = 4096 };

enum role { DOWNSTREAM, UPSTREAM, DISABLED };

struct phyint {
    int line;
    char *port;
    enum role role;
    char *permit; /* "239.1.0.0/16, 239.2.0.0/16", "" if none. */
};

struct reader {
    struct import *import;
    const char *file;
    struct import_words words;
    const char *word; /* The next, NULL at the end. */
    bool quickleave, mut;
    int upstream_line; /* 0: none yet. */
    struct phyint *phyints;
    size_t n_phyints, allocated_phyints;
};

static void
next(struct reader *r)
{
    r->word = import_next_word(&r->words, false);
}

/* The word behind a keyword; NULL with an error if the file ends. */
static const char *
take(struct reader *r, const char *keyword)
{
    int line = r->words.line;

    next(r);
    if (!r->word) {
        import_error(r->import, r->file, line, "nothing stands behind %s",
                     keyword);
    }
    return r->word;
}

static void
read_threshold(struct reader *r)
{
    const char *word = take(r, "threshold");
    int ttl;

    if (word && !import_read_number(word, 1, 255, &ttl)) {
        import_error(r->import, r->file, r->words.line,
                     "threshold: '%s' is not a number from 1 to 255", word);
    } else if (word && ttl > 1) {
        import_note(r->import, r->file, r->words.line,
                    "threshold %d is not carried over: a copy leaves "
                    "whatever its TTL is",
                    ttl);
    }
}

static void
read_ratelimit(struct reader *r)
{
    const char *word = take(r, "ratelimit");
    int limit;

    if (word && !import_read_number(word, 0, 999999999, &limit)) {
        import_error(r->import, r->file, r->words.line,
                     "ratelimit: '%s' is not a number from 0 on", word);
    } else if (word && limit) {
        import_note(r->import, r->file, r->words.line,
                    "ratelimit %d is not carried over: see the QoS settings "
                    "of Open vSwitch",
                    limit);
    }
}

/* "altnet" and "whitelist" take one network or several.  The word behind the
 * last is the next. */
static void
read_networks(struct reader *r, struct phyint *p, bool whitelist)
{
    const char *keyword = whitelist ? "whitelist" : "altnet";
    char out[IP_PREFIX_STRLEN];
    int n = 0, line = r->words.line;

    next(r);
    while (r->word && *r->word >= '0' && *r->word <= '9') {
        enum import_address_kind kind = import_read_address(
            r->import, r->file, r->words.line, r->word, out);
        if (whitelist && kind == IMPORT_MULTICAST) {
            char *old = p->permit;
            p->permit = xasprintf("%s%s%s", old, *old ? ", " : "", out);
            free(old);
        } else if (whitelist && kind != IMPORT_BAD) {
            import_error(r->import, r->file, r->words.line,
                         "whitelist: %s is not within 224.0.0.0/4", r->word);
        }
        n++;
        next(r);
    }
    if (!n) {
        import_error(r->import, r->file, line,
                     "nothing like A.B.C.D/N stands behind %s", keyword);
    }
}

/* A word of a phyint; false if it is none.  The next word is there then. */
static bool
read_option(struct reader *r, struct phyint *p)
{
    static const char *const roles[] = {"downstream", "upstream", "disabled"};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (!strcmp(r->word, roles[i])) {
            p->role = (enum role) i;
            next(r);
            return true;
        }
    }
    if (!strcmp(r->word, "altnet") || !strcmp(r->word, "whitelist")) {
        read_networks(r, p, *r->word == 'w');
        return true;
    }
    if (!strcmp(r->word, "threshold")) {
        read_threshold(r);
    } else if (!strcmp(r->word, "ratelimit")) {
        read_ratelimit(r);
    } else {
        return false;
    }
    if (r->word) {
        next(r);
    }
    return true;
}

static void
add_phyint(struct reader *r, const struct phyint *p)
{
    for (size_t i = 0; i < r->n_phyints; i++) {
        if (!strcmp(r->phyints[i].port, p->port)) {
            import_error(r->import, r->file, p->line,
                         "phyint %s stands at line %d already", p->port,
                         r->phyints[i].line);
        }
    }
    if (p->role == UPSTREAM && r->upstream_line) {
        import_error(r->import, r->file, p->line,
                     "%s is a second upstream interface; the first stands at "
                     "line %d",
                     p->port, r->upstream_line);
    }
    if (p->role == UPSTREAM && !r->upstream_line) {
        r->upstream_line = p->line;
    }
    r->phyints = xgrow(r->phyints, r->n_phyints, &r->allocated_phyints,
                       sizeof *r->phyints);
    r->phyints[r->n_phyints++] = *p;
}

static void
read_phyint(struct reader *r)
{
    struct phyint p = {.line = r->words.line};
    const char *name = take(r, "phyint");

    if (!name) {
        return;
    }
    p.port = xstrdup(name);
    p.permit = xstrdup("");
    bool good = import_check_port(r->import, r->file, p.line, name);
    next(r);
    while (r->word && read_option(r, &p)) {
    }
    if (!good) {
        free(p.port);
        free(p.permit);
    } else {
        add_phyint(r, &p);
    }
}

static void
read_directive(struct reader *r)
{
    if (!strcmp(r->word, "phyint")) {
        read_phyint(r);
        return;
    }
    if (!strcmp(r->word, "quickleave")) {
        r->quickleave = true;
    } else if (!strcmp(r->word, "mut_init")) {
        r->mut = true;
    } else if (!strcmp(r->word, "chroot") || !strcmp(r->word, "user")) {
        import_note(r->import, r->file, r->words.line,
                    "%s is not carried over: it is a matter of how ofmcastd "
                    "is started",
                    r->word);
        take(r, r->word);
    } else {
        import_error(r->import, r->file, r->words.line,
                     "unknown directive '%s'", r->word);
        import_skip_line(&r->words);
    }
    if (r->word) {
        next(r);
    }
}

/* A port is a line of YAML. Its name is quoted: it may be "on" or "1". */
static void
add_port(struct reader *r, const struct phyint *p)
{
    struct import *im = r->import;

    import_add_config(im, "%s  - {dpid: \"\", port: \"%s\", role: host",
                      im->config ? "" : "ports:\n", p->port);
    if (p->role == DISABLED) {
        import_add_config(im, ", deny: [224.0.0.0/4]}\n");
        return;
    }
    if (r->quickleave) {
        import_add_config(im, ", leave: tracked");
    }
    if (r->mut) {
        import_add_config(im, ", delivery: unicast");
    }
    if (*p->permit) {
        import_add_config(im, ", permit: [%s]", p->permit);
    }
    import_add_config(im, "}\n");
}

static void
finish_phyint(struct reader *r, const struct phyint *p)
{
    if (strchr(p->port, ':')) {
        import_note(r->import, r->file, p->line,
                    "%s is left out: an alias is an address more, not a port",
                    p->port);
    } else if (p->role != UPSTREAM) {
        add_port(r, p);
    } else {
        import_add_router(r->import, r->file, p->line, p->port);
        if (*p->permit) {
            import_note(r->import, r->file, p->line,
                        "the whitelist of %s is not carried over: a router "
                        "port is asked for all that members want; use the "
                        "others' permit",
                        p->port);
        }
    }
}

static void
finish(struct reader *r)
{
    for (size_t i = 0; i < r->n_phyints; i++) {
        finish_phyint(r, &r->phyints[i]);
    }
    if (!r->n_phyints && !r->import->n_errors) {
        import_error(r->import, r->file, 0, "has no phyint");
    }
}

void
import_read_igmpproxy(struct import *im, const char *file, char *text)
{
    struct reader r = {.import = im, .file = file};

    import_words_init(&r.words, text);
    next(&r);
    while (r.word && !import_is_lost(im) && r.n_phyints < MAX_PHYINTS) {
        read_directive(&r);
    }
    if (r.word && r.n_phyints == MAX_PHYINTS) {
        import_error(im, file, r.words.line, "more than %d phyints",
                     MAX_PHYINTS);
    }
    finish(&r);
    for (size_t i = 0; i < r.n_phyints; i++) {
        free(r.phyints[i].port);
        free(r.phyints[i].permit);
    }
    free(r.phyints);
}
