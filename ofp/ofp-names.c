/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <openvswitch/ofp-port.h>

#include "lib/xalloc.h"

enum {
    MAX_NAME = 255,
    MAX_UNKNOWN = 4096,
    FIRST_DUMMY = 0xe000 /* A port number that no switch gets to. */
};

static bool
contains(const struct ofp_name *names, size_t n, const char *word, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        if (!strncmp(names[i].name, word, size) && !names[i].name[size]) {
            return true;
        }
    }
    return false;
}

/* Does the word that begins at 'at' stand where an action would? */
static bool
is_bare(const char *text, size_t at)
{
    static const char action[] = "action", actions[] = "actions";

    while (at && (text[at - 1] == '"' || isspace((uint8_t) text[at - 1]))) {
        at--;
    }
    if (!at || text[at - 1] == ',') {
        return true;
    } else if (text[at - 1] != '=') {
        return false;
    }
    at--;
    return (at >= 6 && !memcmp(text + at - 6, action, 6))
           || (at >= 7 && !memcmp(text + at - 7, actions, 7));
}

static void
add(struct ofp_names *names, const char *text, size_t at, size_t size,
    ofp_port_lookup *lookup, void *aux)
{
    const char *word = text + at;
    struct ofp_name new;

    if (!size || size > MAX_NAME || strspn(word, "0123456789") >= size
        || contains(names->known, names->n_known, word, size)
        || contains(names->unknown, names->n_unknown, word, size)) {
        return;
    }
    new.name = xmalloc(size + 1);
    memcpy(new.name, word, size);
    new.name[size] = '\0';
    new.port = lookup(aux, new.name);
    new.bare = is_bare(text, at);
    if (new.port) {
        names->known = xgrow(names->known, names->n_known,
                             &names->allocated_known, sizeof new);
        names->known[names->n_known++] = new;
    } else if (names->n_unknown < MAX_UNKNOWN) {
        names->unknown = xgrow(names->unknown, names->n_unknown,
                               &names->allocated_unknown, sizeof new);
        names->unknown[names->n_unknown++] = new;
    } else {
        free(new.name);
    }
}

void
ofp_names_init(struct ofp_names *names, const char *text,
               ofp_port_lookup *lookup, void *aux)
{
    static const char between[] = " ,=:()[]{}|>\t\r\n\"";
    size_t at = 0;

    *names = (struct ofp_names){.known = NULL};
    while (text[at]) {
        if (text[at] == '"') {
            /* A quoted name may hold any character. */
            size_t size = strcspn(text + at + 1, "\"");

            add(names, text, at + 1, size, lookup, aux);
            at += size + (text[at + 1 + size] ? 2 : 1);
        } else {
            size_t size = strcspn(text + at, between);

            add(names, text, at, size, lookup, aux);
            at += size ? size : 1;
        }
    }
}

static void
destroy_all(struct ofp_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(names[i].name);
    }
    free(names);
}

void
ofp_names_uninit(struct ofp_names *names)
{
    destroy_all(names->known, names->n_known);
    destroy_all(names->unknown, names->n_unknown);
}

void
ofp_names_to_map(const struct ofp_names *names, size_t n_unknown,
                 struct ofputil_port_map *map)
{
    ofputil_port_map_init(map);
    for (size_t i = 0; i < names->n_known; i++) {
        ofputil_port_map_put(map, (ofp_port_t) names->known[i].port,
                             names->known[i].name);
    }
    /* The map wants each number once. */
    for (size_t i = 0; i < n_unknown; i++) {
        ofputil_port_map_put(map, (ofp_port_t) (FIRST_DUMMY + i),
                             names->unknown[i].name);
    }
}
