/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Command lines of socat, one relay each:
 *
 *     socat -u UDP4-RECV:5001,ip-add-membership=239.1.1.1:eth0 \
 *              UDP4-SENDTO:239.10.10.10:6001,bind=10.1.1.2
 *
 * Words before "socat" (exec, sudo...), comments, "&" and redirections are
 * stepped over.  Several that read the same stream become one route. */

#include "api/import-socat.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

enum { PROTO_UDP = 17 };

struct relay {
    struct import *import;
    const char *file;
    int line;
    struct socat_address in, out;
    bool one_way;
};

/* Options of socat that take a word. */
static bool
takes_word(const char *option)
{
    static const char *const takers[] = {"-b", "-t", "-T",  "-L", "-W",
                                         "-r", "-R", "-lf", "-lp"};

    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        if (!strcmp(option, takers[i])) {
            return true;
        }
    }
    return false;
}

/* An option that is known and changes nothing here. */
static bool
is_harmless(const char *option)
{
    return strlen(option) > 1
           && (strchr("dDvxsg46", option[1]) || strchr("btTLWrRl", option[1]));
}

/* Where "socat" stands; the number of words if nowhere. */
static size_t
find_socat(const struct socat_command *c)
{
    size_t i;

    for (i = 0; i < c->n_words; i++) {
        const char *slash = strrchr(c->words[i], '/');
        if (!strcmp(slash ? slash + 1 : c->words[i], "socat")) {
            break;
        }
    }
    return i;
}

/* The two addresses; false with an error. */
static bool
find_addresses(struct relay *r, const struct socat_command *c, char *found[2])
{
    size_t n = 0;
    bool reverse = false;

    for (size_t i = find_socat(c) + 1; i < c->n_words; i++) {
        char *word = c->words[i];
        if (n || *word != '-' || !word[1]) {
            if (n < 2) {
                found[n] = word;
            }
            n++;
        } else if (!strcmp(word, "-u") || !strcmp(word, "-U")) {
            r->one_way = true;
            reverse = word[1] == 'U';
        } else if (takes_word(word)) {
            i++;
        } else if (!is_harmless(word)) {
            import_error(r->import, r->file, r->line,
                         "unknown option of socat: '%s'", word);
            return false;
        }
    }
    if (n != 2) {
        import_error(r->import, r->file, r->line,
                     "socat takes two addresses, here are %zu", n);
        return false;
    }
    if (reverse) {
        char *first = found[0];
        found[0] = found[1];
        found[1] = first;
    }
    return true;
}

/* Which stream enters; false with an error. */
static bool
find_stream(struct relay *r, struct import_stream *s)
{
    const struct socat_address *in = &r->in;

    *s = (struct import_stream){.proto = PROTO_UDP};
    s->udp_dst = in->sends ? in->bind_port : in->port;
    if (!in->receives || !s->udp_dst) {
        import_error(r->import, r->file, r->line,
                     in->receives
                         ? "where does it receive? there is no bind=:PORT"
                         : "the first address does not receive");
        return false;
    }
    if (*in->group || in->bind_is_group) {
        s->group = *in->group ? in->group : in->bind;
    } else if (*in->bind) {
        s->unicast = in->bind;
    } else {
        import_error(r->import, r->file, r->line,
                     "what does it receive? there is neither "
                     "ip-add-membership=GROUP nor bind=ADDRESS");
        return false;
    }
    s->source = *in->source ? in->source : NULL;
    s->port = *in->interface ? in->interface
              : *in->if_address
                  ? import_port_with(r->import, in->if_address)
                  : NULL;
    if (!s->port && s->group) {
        import_note(r->import, r->file, r->line,
                    "%s is taken from every port; give --address PORT=%s for "
                    "a certain one",
                    s->group, *in->if_address ? in->if_address : "A.B.C.D");
    }
    return true;
}

/* Where copies leave, NULL: to members. */
static const char *
find_output(const struct relay *r)
{
    const struct socat_address *out = &r->out;
    const char *port = *out->interface ? out->interface : NULL;

    if (!port && *out->if_address) {
        port = import_port_with(r->import, out->if_address);
    }
    if (!port && *out->bind) {
        port = import_port_with(r->import, out->bind);
    }
    return port;
}

/* What the kernel did to a copy; NULL: nothing. */
static struct cJSON *
make_set(struct relay *r, const struct import_stream *s, const char *port)
{
    const struct socat_address *out = &r->out;
    const char *source = *out->bind         ? out->bind
                         : *out->if_address ? out->if_address
                         : port ? import_address_of(r->import, port)
                                : NULL;
    struct cJSON *set = cJSON_CreateObject();
    int ttl = out->to_group ? out->multicast_ttl : out->ttl;

    if (source) {
        cJSON_AddStringToObject(set, "source", source);
    } else if (port) {
        import_tell_source(r->import, r->file, r->line, port);
    } else {
        import_note(r->import, r->file, r->line,
                    "copies keep their source; socat's had the address of an "
                    "interface: add bind=ADDRESS for that");
    }
    if (out->to_group && (!s->group || strcmp(s->group, out->host))) {
        cJSON_AddStringToObject(set, "group", out->host);
    }
    if (out->to_group && out->port != s->udp_dst) {
        cJSON_AddNumberToObject(set, "udp_dst", out->port);
    }
    if (ttl) {
        cJSON_AddNumberToObject(set, "ttl", ttl);
    }
    if (out->tos >= 0) {
        cJSON_AddNumberToObject(set, "dscp", out->tos >> 2);
    }
    if (!set->child) {
        cJSON_Delete(set);
        return NULL;
    }
    return set;
}

static void
make_target(struct relay *r, const struct import_stream *s, struct cJSON *to)
{
    const struct socat_address *out = &r->out;
    const char *port = find_output(r);
    struct cJSON *target;

    if (out->to_group && port) {
        target = import_add_port(to, port);
    } else {
        target = cJSON_CreateObject();
        cJSON_AddItemToArray(to, target);
    }
    if (!out->to_group) {
        cJSON_AddStringToObject(target, "unicast", out->host);
        cJSON_AddNumberToObject(target, "udp_dst", out->port);
    } else if (!port) {
        cJSON_AddTrueToObject(target, "members");
        import_note(r->import, r->file, r->line,
                    "copies go to members of %s; give --address PORT=%s for "
                    "a certain port",
                    out->host,
                    *out->bind         ? out->bind
                    : *out->if_address ? out->if_address
                                       : "A.B.C.D");
    }
    struct cJSON *set = make_set(r, s, port);
    if (set) {
        cJSON_AddItemToObject(target, "set", set);
    }
}

/* The list of targets of a route that another line has made, also where
 * simplify() has taken it away. */
static struct cJSON *
targets_of(struct import_item *item)
{
    struct cJSON *to = cJSON_GetObjectItemCaseSensitive(item->json, "to");

    if (!to) {
        struct cJSON *set =
            cJSON_DetachItemFromObjectCaseSensitive(item->json, "set");
        struct cJSON *target = cJSON_CreateObject();
        cJSON_AddTrueToObject(target, "members");
        if (set) {
            cJSON_AddItemToObject(target, "set", set);
        }
        to = cJSON_AddArrayToObject(item->json, "to");
        cJSON_AddItemToArray(to, target);
    }
    return to;
}

static void
add_relay(struct relay *r)
{
    struct import_stream s;

    if (!find_stream(r, &s)) {
        return;
    }
    if (!r->out.sends || !*r->out.host) {
        import_error(r->import, r->file, r->line,
                     "the second address does not send");
        return;
    }
    if (r->out.bind_is_group) {
        import_error(r->import, r->file, r->line,
                     "bind=%s: nothing can be sent from a group", r->out.bind);
        return;
    }
    if (r->out.bind_port) {
        import_note(r->import, r->file, r->line,
                    "the source port %d is not carried over: the stream "
                    "keeps its own",
                    r->out.bind_port);
    }
    if (!r->one_way && r->in.sends && r->out.receives) {
        import_note(r->import, r->file, r->line,
                    "the way back is not carried over: write a second line "
                    "for it, with the addresses exchanged");
    }
    struct import_item *same = import_find_route(r->import, &s);
    if (same) {
        make_target(r, &s, targets_of(same));
    } else {
        struct cJSON *to = cJSON_CreateArray();
        make_target(r, &s, to);
        import_add_route(r->import, r->file, r->line, &s, NULL, to);
    }
}

static void
read_command(struct import *im, const char *file, struct socat_command *c)
{
    struct relay r = {.import = im, .file = file, .line = c->line};
    char *words[2];

    if (find_socat(c) == c->n_words) {
        import_error(im, file, c->line,
                     "no command line of socat: it begins with '%s'",
                     c->words[0]);
        return;
    }
    if (find_addresses(&r, c, words)) {
        bool good = socat_read_address(im, file, c->line, words[0], &r.in);
        if (socat_read_address(im, file, c->line, words[1], &r.out) && good) {
            add_relay(&r);
        }
    }
}

/* A route to members alone says what it changes as a whole: then it needs no
 * group of its own in the switch. */
static void
simplify(struct import_item *item)
{
    const struct cJSON *to =
        cJSON_GetObjectItemCaseSensitive(item->json, "to");

    if (cJSON_GetArraySize(to) == 1
        && cJSON_HasObjectItem(to->child, "members")) {
        struct cJSON *set =
            cJSON_DetachItemFromObjectCaseSensitive(to->child, "set");
        cJSON_DeleteItemFromObjectCaseSensitive(item->json, "to");
        if (set) {
            cJSON_AddItemToObject(item->json, "set", set);
        }
    }
}

void
import_read_socat(struct import *im, const char *file, char *text)
{
    struct socat_shell shell = {im, file, text, 1, false};
    struct socat_command command;

    while (!import_is_lost(im) && socat_next_command(&shell, &command)) {
        read_command(im, file, &command);
    }
    for (size_t i = 0; i < im->n_items; i++) {
        simplify(&im->items[i]);
    }
}
