/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-static.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <openvswitch/match.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-match.h>
#include <openvswitch/ofp-port.h>
#include <openvswitch/ofp-protocol.h>
#include <openvswitch/ofpbuf.h>

#include "lib/xalloc.h"
#include "ofp/ofp-canon.h"
#include "ofp/ofp-flow.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-names.h"
#include "ofp/ofp-proto.h"

enum {
    /* ofmcast's own pipeline, and the tables that Open vSwitch hides. */
    FIRST_OWN_TABLE = 10,
    LAST_OWN_TABLE = 59,
    FIRST_HIDDEN_TABLE = 254,
    /* libopenvswitch aborts when what stands in one pair of parentheses, or
     * in one word, needs more than 64 KiB in its internal form, which is up
     * to 30 times as long as the text. */
    MAX_TEXT = 256 << 10,
    MAX_PARENTHESES = 2000,
    MAX_WORD = 16000
};

struct ofp_static {
    enum ofp_static_kind kind;
    uint8_t *msg;
    size_t size;
    uint32_t *groups;
    size_t n_groups, allocated_groups;
};

void
ofp_static_destroy(struct ofp_static *s)
{
    if (s) {
        free(s->msg);
        free(s->groups);
        free(s);
    }
}

enum ofp_static_kind
ofp_static_kind(const struct ofp_static *s)
{
    return s->kind;
}

uint32_t
ofp_static_group_id(const struct ofp_static *s)
{
    struct wire_reader r;

    wire_reader_init(&r, s->msg, s->size);
    wire_skip(&r, GROUP_MOD_ID);
    return s->kind == OFP_STATIC_GROUP ? wire_get_be32(&r) : 0;
}

size_t
ofp_static_groups_used(const struct ofp_static *s, const uint32_t **ids)
{
    *ids = s->groups;
    return s->n_groups;
}

const uint8_t *
ofp_static_message(const struct ofp_static *s, size_t *size)
{
    *size = s->size;
    return s->msg;
}

bool
ofp_static_same_key(const struct ofp_static *a, const struct ofp_static *b)
{
    struct ofp_flow_key ka, kb;

    if (a->kind != b->kind) {
        return false;
    } else if (a->kind == OFP_STATIC_GROUP) {
        return ofp_static_group_id(a) == ofp_static_group_id(b);
    }
    return ofp_canon_flow_key(a->msg, a->size, &ka)
           && ofp_canon_flow_key(b->msg, b->size, &kb)
           && ofp_flow_key_equal(&ka, &kb);
}

/* Checks.  Each returns NULL or an error text for free(). */

static char *
check_length(const char *text)
{
    size_t word = 0, inside = 0, depth = 0, n = 0;

    for (const char *p = text; *p; p++, n++) {
        depth += *p == '(';
        depth -= *p == ')' && depth;
        inside = depth ? inside + 1 : 0;
        word = strchr(" ,=:()[]{}\t\r\n", *p) ? 0 : word + 1;
        if (inside > MAX_PARENTHESES) {
            return xasprintf("more than %d characters in one pair of "
                             "parentheses",
                             MAX_PARENTHESES);
        } else if (word > MAX_WORD) {
            return xasprintf("a word of more than %d characters", MAX_WORD);
        }
    }
    return n <= MAX_TEXT
               ? NULL
               : xasprintf("the text is longer than %d characters", MAX_TEXT);
}

/* libopenvswitch reads 226.2.2.300 as 226.2.2.44. */
static char *
check_addresses(const char *text)
{
    for (const char *p = text; *p;) {
        size_t size = strspn(p, "0123456789.");
        unsigned long octet = 0;

        for (size_t i = 0; i < size && octet <= 255; i++) {
            octet = p[i] == '.' ? 0 : octet * 10 + p[i] - '0';
        }
        if (octet > 255 && memchr(p, '.', size)) {
            return xasprintf("%.*s is not an IPv4 address", (int) size, p);
        }
        p += size ? size : 1;
    }
    return NULL;
}

static char *
check_protocol(enum ofputil_protocol usable)
{
    char *names, *error;

    if (usable & OFPUTIL_P_OF13_OXM) {
        return NULL;
    }
    names = ofputil_protocols_to_string(usable);
    error =
        xasprintf("this cannot be said in OpenFlow 1.3, only in %s", names);
    free(names);
    return error;
}

static bool
is_ours(uint32_t group_id)
{
    return group_id >= OFP_GROUP_ID_FIRST && group_id <= OFP_GROUP_ID_LAST;
}

static char *
own_group_error(uint32_t group_id)
{
    return xasprintf("group_id %#x is in the range %#x to %#x that ofmcast "
                     "numbers by itself",
                     group_id, OFP_GROUP_ID_FIRST, OFP_GROUP_ID_LAST);
}

/* Notes the groups that 'ofpacts' name. */
static char *
note_groups(struct ofp_static *s, const struct ofpact *ofpacts, size_t size)
{
    const struct ofpact_group *a;

    OFPACT_FOR_EACH_TYPE_FLATTENED(a, GROUP, ofpacts, size)
    {
        if (is_ours(a->group_id)) {
            return own_group_error(a->group_id);
        }
        s->groups = xgrow(s->groups, s->n_groups, &s->allocated_groups,
                          sizeof *s->groups);
        s->groups[s->n_groups++] = a->group_id;
    }
    return NULL;
}

static char *
check_match(const struct ofputil_flow_mod *fm)
{
    struct match match, normal;

    minimatch_expand(&fm->match, &match);
    normal = match;
    ofputil_normalize_match_quiet(&normal);
    return match_equal(&match, &normal)
               ? NULL
               : xstrdup("the match names fields without what they require, "
                         "as nw_dst requires ip and tp_dst requires udp");
}

static char *
check_flow(struct ofp_static *s, const struct ofputil_flow_mod *fm,
           enum ofputil_protocol usable)
{
    uint8_t table = fm->table_id == 0xff ? 0 : fm->table_id;
    char *error = check_protocol(usable);

    if (error) {
        return error;
    } else if (fm->new_cookie || fm->cookie_mask) {
        return xstrdup("cookie: ofmcast sets it, to know its own flows");
    } else if (table >= FIRST_OWN_TABLE && table <= LAST_OWN_TABLE) {
        return xasprintf("table %u belongs to ofmcast's own pipeline (%d to "
                         "%d)",
                         table, FIRST_OWN_TABLE, LAST_OWN_TABLE);
    } else if (table >= FIRST_HIDDEN_TABLE) {
        return xasprintf("table %u does not exist", table);
    } else if (fm->importance) {
        return xstrdup("importance: this cannot be said in OpenFlow 1.3");
    }
    error = check_match(fm);
    return error ? error : note_groups(s, fm->ofpacts, fm->ofpacts_len);
}

static char *
check_group(struct ofp_static *s, const struct ofputil_group_mod *gm,
            enum ofputil_protocol usable)
{
    const struct ofputil_bucket *b;
    char *error = check_protocol(usable);

    if (!error && is_ours(gm->group_id)) {
        error = own_group_error(gm->group_id);
    } else if (!error && gm->group_id > OFPG_MAX) {
        error = xstrdup("a group_id is required");
    } else if (!error
               && (gm->props.selection_method[0]
                   || gm->props.selection_method_param)) {
        error = xstrdup("selection_method: this cannot be said in OpenFlow "
                        "1.3");
    }
    LIST_FOR_EACH (b, list_node, &gm->buckets) {
        error = error ? error : note_groups(s, b->ofpacts, b->ofpacts_len);
    }
    for (size_t i = 0; i < s->n_groups && !error; i++) {
        if (s->groups[i] == gm->group_id) {
            error = xstrdup("the group contains itself; Open vSwitch would "
                            "drop every packet");
        }
    }
    return error;
}

/* Parsing. */

/* Takes over 'buffer'.  What the library writes it may read back in another
 * form; the one which does not change any more is what a switch gives back. */
static char *
store(struct ofp_static *s, struct ofpbuf *buffer)
{
    const char *why = NULL;
    char *error = NULL;

    if (buffer->size > OF13_MAX_MESSAGE) {
        error = xasprintf("this takes %u bytes, and an OpenFlow message "
                          "holds %d",
                          buffer->size, OF13_MAX_MESSAGE);
    } else {
        s->size = buffer->size;
        s->msg = xmemdup(buffer->data, buffer->size);
    }
    ofpbuf_delete(buffer);
    for (int i = 0; i < 3 && !error; i++) {
        size_t size;
        uint8_t *msg = s->kind == OFP_STATIC_FLOW
                           ? ofp_canon_flow(s->msg, s->size, &size, &why)
                           : ofp_canon_group(s->msg, s->size, &size, &why);

        if (!msg) {
            error = xasprintf("Open vSwitch would refuse this: %s", why);
            break;
        }
        free(s->msg);
        s->msg = msg;
        s->size = size;
    }
    return error;
}

static char *
parse_flow(struct ofp_static *s, const char *text,
           const struct ofputil_port_map *ports)
{
    enum ofputil_protocol usable;
    struct ofputil_flow_mod fm;
    char *error =
        parse_ofp_flow_mod_str(&fm, text, ports, NULL, OFPFC_ADD, &usable);

    if (error) {
        return error;
    }
    error = check_flow(s, &fm, usable);
    if (!error) {
        fm.new_cookie = htobe64(OFP_COOKIE_STATIC);
        error = store(s, ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF13_OXM));
    }
    free(fm.ofpacts);
    minimatch_destroy(&fm.match);
    return error;
}

static char *
parse_group(struct ofp_static *s, const char *text,
            const struct ofputil_port_map *ports)
{
    enum ofputil_protocol usable;
    struct ofputil_group_mod gm;
    char *error =
        parse_ofp_group_mod_str(&gm, OFPGC11_ADD, text, ports, NULL, &usable);

    if (error) {
        return error;
    }
    error = check_group(s, &gm, usable);
    if (!error) {
        error =
            store(s, ofputil_encode_group_mod(OFP13_VERSION, &gm, NULL, -1));
    }
    ofputil_uninit_group_mod(&gm);
    return error;
}

/* Parses 'text' with 'ports'; the object is in '*sp' if there is no error. */
static char *
parse(enum ofp_static_kind kind, const char *text,
      const struct ofputil_port_map *ports, struct ofp_static **sp)
{
    struct ofp_static *s = xcalloc(1, sizeof *s);
    char *error;

    s->kind = kind;
    error = kind == OFP_STATIC_FLOW ? parse_flow(s, text, ports)
                                    : parse_group(s, text, ports);
    if (error) {
        ofp_static_destroy(s);
        s = NULL;
    }
    *sp = s;
    return error;
}

/* Would 'text' be fine if the first 'n' unknown names were ports? */
static bool
would_parse(enum ofp_static_kind kind, const char *text,
            const struct ofp_names *names, size_t n)
{
    struct ofputil_port_map ports;
    struct ofp_static *s;

    ofp_names_to_map(names, n, &ports);
    free(parse(kind, text, &ports, &s));
    ofputil_port_map_destroy(&ports);

    bool ok = s != NULL;
    ofp_static_destroy(s);
    return ok;
}

/* A port name for whose lack 'text' does not parse, NULL if that is not the
 * reason.  Which words are ports, only the parser knows: so it is asked how
 * many of them, from the first, make the text parse.  The last is needed. */
static const char *
find_unknown_port(enum ofp_static_kind kind, const char *text,
                  const struct ofp_names *names)
{
    size_t fails = 0, parses = names->n_unknown;

    if (!parses || !would_parse(kind, text, names, parses)) {
        return NULL;
    }
    while (parses - fails > 1) {
        size_t n = fails + (parses - fails) / 2;

        if (would_parse(kind, text, names, n)) {
            parses = n;
        } else {
            fails = n;
        }
    }
    return names->unknown[fails].bare ? NULL : names->unknown[fails].name;
}

struct ofp_static *
ofp_static_parse(enum ofp_static_kind kind, const char *text,
                 ofp_port_lookup *lookup, void *aux, bool *unknown_ports,
                 char **error)
{
    struct ofputil_port_map ports;
    struct ofp_names names;
    struct ofp_static *s = NULL;
    const char *unknown = NULL;

    *error = check_length(text);
    if (!*error) {
        *error = check_addresses(text);
    }
    if (unknown_ports) {
        *unknown_ports = false;
    }
    if (*error) {
        return NULL;
    }
    ofp_names_init(&names, text, lookup, aux);
    ofp_names_to_map(&names, 0, &ports);
    *error = parse(kind, text, &ports, &s);
    if (*error) {
        unknown = find_unknown_port(kind, text, &names);
    }
    if (unknown) {
        free(*error);
        *error = xasprintf("there is no port called \"%s\"", unknown);
        if (unknown_ports) {
            *unknown_ports = true;
        }
    }
    ofputil_port_map_destroy(&ports);
    ofp_names_uninit(&names);
    return s;
}
