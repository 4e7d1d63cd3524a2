/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* smcroute.conf, as smcroute.conf(5) of SMCRoute 2.5 and 2.6 has it:
 *
 *     phyint IFNAME [enable | disable] [mrdisc] [ttl-threshold TTL]
 *     mgroup from IIF [source ADDR[/LEN]] group GROUP[/LEN]
 *     mroute from IIF [source ADDR[/LEN]] group GROUP[/LEN] [to OIF...]
 *     include PATTERN
 *
 * An mroute becomes a route; without "to" it is a stop filter.  An mgroup is a
 * join: here a route asks upstream for its group by itself, so that an mgroup
 * only tells whether a route lacks. */

#include "api/import.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

enum {
    MAX_INCLUDES = 8, /* In each other. */
    MAX_FILES = 1000  /* Files that include many that include many... */
};

/* An mgroup, until all routes are known. */
struct join {
    const char *file;
    int line;
    char *port, *group;
    bool is_range;
};

struct phyint {
    char *port; /* "eth*": all whose names begin so. */
    bool disabled;
};

/* What counts over all files, as if the first included the others. */
struct import_smcroute {
    struct import *import;
    int depth, n_files;
    struct phyint *phyints; /* Of those that fit a name the last counts. */
    size_t n_phyints, allocated_phyints;
    struct join *joins;
    size_t n_joins, allocated_joins;
};

/* A line that is read. */
struct line {
    struct import_smcroute *reader;
    const char *file;
    int number;
    struct import_words *words;
    bool failed;
    char *from;
    char source[IP_PREFIX_STRLEN], group[IP_PREFIX_STRLEN];
    bool has_outputs; /* "to" was there. */
    struct cJSON *to;
};

/* Is 'port' 'pattern', or one of those that it stands for? */
static bool
fits(const char *pattern, const char *port)
{
    size_t n = strlen(pattern);

    return !strcmp(pattern, port)
           || (n && pattern[n - 1] == '*' && !strncmp(pattern, port, n - 1));
}

static bool
is_disabled(const struct import_smcroute *r, const char *port)
{
    for (size_t i = r->n_phyints; i-- > 0;) {
        if (fits(r->phyints[i].port, port)) {
            return r->phyints[i].disabled;
        }
    }
    return false;
}

static void
set_disabled(struct import_smcroute *r, const char *port, bool disabled)
{
    r->phyints = xgrow(r->phyints, r->n_phyints, &r->allocated_phyints,
                       sizeof *r->phyints);
    r->phyints[r->n_phyints++] = (struct phyint){xstrdup(port), disabled};
}

/* "eth+" is any interface whose name begins so: "eth*" here.  For free();
 * NULL if it has complained. */
static char *
read_port(struct line *l, const char *word, bool wildcard)
{
    struct import *im = l->reader->import;
    size_t length = strlen(word);

    if (!import_check_port(im, l->file, l->number, word)) {
        return NULL;
    }
    char *port = xstrdup(word);
    if (length > 1 && word[length - 1] == '+') {
        port[length - 1] = '*';
        if (!wildcard) {
            import_error(im, l->file, l->number,
                         "'%s': only an interface behind \"from\" may be a "
                         "wildcard",
                         word);
        }
    }
    return port;
}

static void
fail_word(struct line *l, const char *directive, const char *word)
{
    import_error(l->reader->import, l->file, l->number,
                 "unknown word '%s' in %s", word, directive);
    l->failed = true;
}

static const char *
need_word(struct line *l, const char *behind, const char *what)
{
    const char *word = import_next_word(l->words, true);

    if (!word) {
        import_error(l->reader->import, l->file, l->number,
                     "\"%s\" without %s", behind, what);
        l->failed = true;
    }
    return word;
}

static void
read_ttl(struct line *l, const char *port)
{
    const char *word = need_word(l, "ttl-threshold", "a number");
    struct import *im = l->reader->import;
    int ttl;

    if (word && !import_read_number(word, 1, 255, &ttl)) {
        import_error(im, l->file, l->number,
                     "ttl-threshold: '%s' is not a number from 1 to 255",
                     word);
    } else if (word && ttl > 1) {
        import_note(im, l->file, l->number,
                    "ttl-threshold %d of %s is not carried over: a copy "
                    "leaves whatever its TTL is",
                    ttl, port);
    }
}

static void
read_phyint(struct line *l)
{
    const char *word = need_word(l, "phyint", "an interface");
    struct import *im = l->reader->import;
    char *port = word ? read_port(l, word, true) : NULL;

    l->failed |= !port;
    while (port && !l->failed && (word = import_next_word(l->words, true))) {
        if (!strcmp(word, "disable") || !strcmp(word, "enable")) {
            set_disabled(l->reader, port, *word == 'd');
        } else if (!strcmp(word, "mrdisc")) {
            import_note(im, l->file, l->number,
                        "mrdisc is not carried over: routes and members ask "
                        "upstream for their groups instead");
        } else if (!strcmp(word, "ttl-threshold")
                   || !strcmp(word, "threshold")) {
            read_ttl(l, port);
        } else {
            fail_word(l, "phyint", word);
        }
    }
    free(port);
}

/* An address of either family, and what it is. */
static enum import_address_kind
read_address(struct line *l, const char *word, char out[IP_PREFIX_STRLEN])
{
    struct import *im = l->reader->import;
    enum import_address_kind kind =
        import_read_address(im, l->file, l->number, word, out);
    struct ip_prefix prefix;

    if (kind != IMPORT_IPV6 || !ip_prefix_parse(out, &prefix)) {
        return kind;
    }
    if (ip_addr_is_any(&prefix.addr)) {
        return IMPORT_ANY;
    }
    if (prefix.len % 4) {
        import_error(im, l->file, l->number,
                     "%s: the length of an IPv6 prefix must be a multiple of "
                     "4 here, whole digits",
                     word);
        return IMPORT_BAD;
    }
    return ip_addr_is_multicast(&prefix.addr) ? IMPORT_MULTICAST
                                              : IMPORT_UNICAST;
}

static void
read_source(struct line *l, const char *word)
{
    struct import *im = l->reader->import;

    switch (read_address(l, word, l->source)) {
    case IMPORT_ANY:
        l->source[0] = '\0';
        break;
    case IMPORT_MULTICAST:
        import_error(im, l->file, l->number, "source %s is a multicast group",
                     word);
        l->failed = true;
        break;
    case IMPORT_BAD:
        l->failed = true;
        break;
    case IMPORT_IPV6:
    case IMPORT_UNICAST:
        break;
    }
}

static void
read_group(struct line *l, const char *word)
{
    struct import *im = l->reader->import;

    switch (read_address(l, word, l->group)) {
    case IMPORT_UNICAST:
    case IMPORT_ANY:
        import_error(im, l->file, l->number,
                     "group %s is not multicast: within %s", word,
                     strchr(word, ':') ? "ff00::/8" : "224.0.0.0/4");
        l->failed = true;
        break;
    case IMPORT_BAD:
        l->failed = true;
        break;
    case IMPORT_IPV6:
    case IMPORT_MULTICAST:
        break;
    }
}

/* What stands behind "to". */
static void
read_outputs(struct line *l)
{
    const char *word =
        l->has_outputs ? NULL : need_word(l, "to", "interfaces");

    if (l->has_outputs) {
        fail_word(l, "mroute", "to");
    }
    l->has_outputs = true;
    for (; word; word = import_next_word(l->words, true)) {
        char *port = read_port(l, word, false);
        if (!port) {
            l->failed = true;
        } else if (is_disabled(l->reader, port)) {
            import_note(l->reader->import, l->file, l->number,
                        "the output %s is left out: its phyint is disabled",
                        port);
        } else {
            import_add_port(l->to, port);
        }
        free(port);
    }
}

static bool
read_pair(struct line *l, const char *key, bool is_route)
{
    const char *directive = is_route ? "mroute" : "mgroup";

    if (!strcmp(key, "from")) {
        const char *word = need_word(l, key, "an interface");
        free(l->from);
        l->from = word ? read_port(l, word, true) : NULL;
        l->failed |= !l->from;
    } else if (!strcmp(key, "source")) {
        const char *word = need_word(l, key, "an address");
        if (word) {
            read_source(l, word);
        }
    } else if (!strcmp(key, "group")) {
        const char *word = need_word(l, key, "an address");
        if (word) {
            read_group(l, word);
        }
    } else if (is_route && !strcmp(key, "to")) {
        read_outputs(l);
    } else {
        fail_word(l, directive, key);
    }
    return !l->failed;
}

/* The kernel has one entry for a source, a group and an interface: the last
 * line counts. */
static void
add_route(struct line *l)
{
    struct import *im = l->reader->import;
    const struct import_stream stream = {.port = l->from,
                                         .source =
                                             *l->source ? l->source : NULL,
                                         .group = l->group};
    struct import_item *same = import_find_route(im, &stream);

    if (same) {
        import_note(im, l->file, l->number,
                    "takes the place of %s:%d, the same stream", same->file,
                    same->line);
        import_remove(im, same);
    }
    import_add_route(im, l->file, l->number, &stream, NULL, l->to);
    l->to = NULL;
}

static void
add_join(struct line *l)
{
    struct import_smcroute *r = l->reader;

    r->joins =
        xgrow(r->joins, r->n_joins, &r->allocated_joins, sizeof *r->joins);
    r->joins[r->n_joins++] = (struct join){
        import_file(r->import, l->file), l->number, xstrdup(l->from),
        xstrdup(l->group), strchr(l->group, '/') != NULL};
}

static void
end_stream(struct line *l, bool is_route)
{
    const char *directive = is_route ? "mroute" : "mgroup";
    struct import *im = l->reader->import;

    if (!l->from) {
        import_error(im, l->file, l->number, "%s without \"from\"", directive);
    } else if (!*l->group) {
        import_error(im, l->file, l->number, "%s without \"group\"",
                     directive);
    } else if (*l->source
               && !strchr(l->source, ':') != !strchr(l->group, ':')) {
        import_error(im, l->file, l->number,
                     "source %s and group %s are not of one family", l->source,
                     l->group);
    } else if (is_disabled(l->reader, l->from)) {
        import_note(im, l->file, l->number,
                    "this %s is left out: the phyint %s is disabled",
                    directive, l->from);
    } else if (l->has_outputs && !l->to->child) {
        /* Not a stop filter, which the file does not ask for. */
        import_note(im, l->file, l->number,
                    "this mroute is left out: it has no output that is not "
                    "disabled");
    } else if (is_route) {
        add_route(l);
    } else {
        add_join(l);
    }
}

static void
read_stream(struct line *l, bool is_route)
{
    const char *key;

    l->to = cJSON_CreateArray();
    do {
        key = import_next_word(l->words, true);
    } while (key && read_pair(l, key, is_route));
    if (!l->failed) {
        end_stream(l, is_route);
    }
    cJSON_Delete(l->to);
    free(l->from);
}

static void read_text(void *reader, const char *file, char *text);

static void
read_include(struct line *l)
{
    const char *pattern = need_word(l, "include", "a path");
    struct import_smcroute *r = l->reader;
    char *problem = NULL;

    if (!pattern) {
        return;
    }
    if (r->depth >= MAX_INCLUDES) {
        problem = xasprintf("files include each other, or are more than %d "
                            "deep",
                            MAX_INCLUDES);
    } else if (r->import->ops) {
        r->depth++;
        problem = r->import->ops->include(r->import->ops->aux, l->file,
                                          pattern, read_text, r);
        r->depth--;
    }
    if (problem) {
        import_error(r->import, l->file, l->number, "include %s: %s", pattern,
                     problem);
        free(problem);
    }
}

static void
read_line(struct line *l, const char *word)
{
    const char *rest;

    if (!strcmp(word, "phyint")) {
        read_phyint(l);
    } else if (!strcmp(word, "mgroup") || !strcmp(word, "ssmgroup")) {
        read_stream(l, false);
    } else if (!strcmp(word, "mroute")) {
        read_stream(l, true);
    } else if (!strcmp(word, "include")) {
        read_include(l);
    } else {
        import_error(l->reader->import, l->file, l->number,
                     "unknown directive '%s'", word);
        l->failed = true;
    }
    if (!l->failed && (rest = import_next_word(l->words, true))) {
        import_error(l->reader->import, l->file, l->number,
                     "unknown word '%s' behind %s", rest, word);
    }
}

static void
read_text(void *reader_, const char *file, char *text)
{
    struct import_smcroute *r = reader_;
    struct import_words words;
    const char *word;

    if (r->n_files++ == MAX_FILES) {
        import_error(r->import, file, 0, "is one of more than %d files",
                     MAX_FILES);
        r->import->is_full = true;
    }
    import_words_init(&words, text);
    while (!import_is_lost(r->import)
           && (word = import_next_word(&words, false))) {
        struct line l = {
            .reader = r, .file = file, .number = words.line, .words = &words};
        read_line(&l, word);
        import_skip_line(&words);
    }
}

static bool
is_within(const char *group, const char *range)
{
    struct ip_prefix prefix;
    struct ip_addr address;

    return ip_addr_parse(group, &address) && ip_prefix_parse(range, &prefix)
           && ip_prefix_contains(&prefix, &address);
}

/* The group of the route that the join is for: its own, or else a range; NULL
 * if there is none. */
static const char *
find_group(const struct import *im, const struct join *join)
{
    const char *range = NULL;

    for (size_t i = 0; i < im->n_items; i++) {
        const struct cJSON *match =
            cJSON_GetObjectItemCaseSensitive(im->items[i].json, "match");
        const char *group = cJSON_GetStringValue(
            cJSON_GetObjectItemCaseSensitive(match, "group"));
        const char *port = cJSON_GetStringValue(
            cJSON_GetObjectItemCaseSensitive(match, "port"));
        if (!group || !port || !(fits(port, join->port))) {
            continue;
        }
        if (!strcmp(group, join->group)) {
            return group;
        }
        range = is_within(join->group, group) ? group : range;
    }
    return range;
}

/* Joins need nothing, or cannot be. */
static void
tell_joins(const struct import_smcroute *r)
{
    for (size_t i = 0; i < r->n_joins; i++) {
        const struct join *j = &r->joins[i];
        const char *group = find_group(r->import, j);
        if (j->is_range) {
            import_note(r->import, j->file, j->line,
                        "the join of %s is not carried over: upstream is "
                        "asked for single groups only; make the port there "
                        "that leads here a router port",
                        j->group);
        } else if (group && strcmp(group, j->group)) {
            import_note(r->import, j->file, j->line,
                        "the join of %s on %s is not carried over: its route "
                        "is of %s, and upstream is asked for single groups "
                        "only; give it a route of its own, or make the port "
                        "there that leads here a router port",
                        j->group, j->port, group);
        } else if (!group) {
            import_note(r->import, j->file, j->line,
                        "the join of %s on %s is not carried over: no mroute "
                        "needs it; members join by themselves",
                        j->group, j->port);
        }
    }
}

void
import_read_smcroute(struct import *im, const char *file, char *text)
{
    if (!im->smcroute) {
        im->smcroute = xcalloc(1, sizeof *im->smcroute);
        im->smcroute->import = im;
    }
    read_text(im->smcroute, file, text);
}

void
import_finish_smcroute(struct import *im)
{
    struct import_smcroute *r = im->smcroute;

    if (!r) {
        return;
    }
    tell_joins(r);
    for (size_t i = 0; i < r->n_joins; i++) {
        free(r->joins[i].port);
        free(r->joins[i].group);
    }
    for (size_t i = 0; i < r->n_phyints; i++) {
        free(r->phyints[i].port);
    }
    free(r->joins);
    free(r->phyints);
    free(r);
    im->smcroute = NULL;
}
