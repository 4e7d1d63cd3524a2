/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* An address of socat: TYPE:PARAMETER...,option=value... */

#include "api/import-socat.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"

enum shape { RECEIVES, SENDS, BOTH };

static const struct {
    const char *name;
    enum shape shape;
} types[] = {
    {"recv", RECEIVES}, {"recvfrom", RECEIVES}, {"listen", RECEIVES},
    {"l", RECEIVES},    {"send", SENDS},        {"sendto", SENDS},
    {"datagram", BOTH}, {"dgram", BOTH},        {"connect", SENDS},
};

enum option {
    OPT_NONE, /* Of no meaning for a switch. */
    OPT_MEMBERSHIP,
    OPT_SOURCE_MEMBERSHIP,
    OPT_MULTICAST_IF,
    OPT_MULTICAST_TTL,
    OPT_TTL,
    OPT_TOS,
    OPT_BIND,
    OPT_SOURCE_PORT,
    OPT_DEVICE,
    OPT_RANGE
};

static const struct {
    const char *name;
    enum option option;
} options[] = {
    {"ip-add-membership", OPT_MEMBERSHIP},
    {"add-membership", OPT_MEMBERSHIP},
    {"ip-membership", OPT_MEMBERSHIP},
    {"membership", OPT_MEMBERSHIP},
    {"ip-add-source-membership", OPT_SOURCE_MEMBERSHIP},
    {"source-membership", OPT_SOURCE_MEMBERSHIP},
    {"ip-multicast-if", OPT_MULTICAST_IF},
    {"multicast-if", OPT_MULTICAST_IF},
    {"ip-multicast-ttl", OPT_MULTICAST_TTL},
    {"ipmulticastttl", OPT_MULTICAST_TTL},
    {"multicast-ttl", OPT_MULTICAST_TTL},
    {"multicastttl", OPT_MULTICAST_TTL},
    {"ttl", OPT_TTL},
    {"ip-ttl", OPT_TTL},
    {"tos", OPT_TOS},
    {"ip-tos", OPT_TOS},
    {"bind", OPT_BIND},
    {"sourceport", OPT_SOURCE_PORT},
    {"sp", OPT_SOURCE_PORT},
    {"so-bindtodevice", OPT_DEVICE},
    {"bindtodevice", OPT_DEVICE},
    {"interface", OPT_DEVICE},
    {"if", OPT_DEVICE},
    {"range", OPT_RANGE},
    {"reuseaddr", OPT_NONE},
    {"so-reuseaddr", OPT_NONE},
    {"reuseport", OPT_NONE},
    {"so-reuseport", OPT_NONE},
    {"fork", OPT_NONE},
    {"max-children", OPT_NONE},
    {"rcvbuf", OPT_NONE},
    {"rcvbuf-late", OPT_NONE},
    {"so-rcvbuf", OPT_NONE},
    {"so-rcvbuf-late", OPT_NONE},
    {"sndbuf", OPT_NONE},
    {"sndbuf-late", OPT_NONE},
    {"so-sndbuf", OPT_NONE},
    {"ip-multicast-loop", OPT_NONE},
    {"ipmulticastloop", OPT_NONE},
    {"multicast-loop", OPT_NONE},
    {"multicastloop", OPT_NONE},
    {"broadcast", OPT_NONE},
    {"so-broadcast", OPT_NONE},
    {"ip-pktinfo", OPT_NONE},
    {"pktinfo", OPT_NONE},
    {"nonblock", OPT_NONE},
    {"retry", OPT_NONE},
    {"forever", OPT_NONE},
    {"interval", OPT_NONE},
    {"ignoreeof", OPT_NONE},
};

struct reader {
    struct import *import;
    const char *file;
    int line;
    struct socat_address *address;
    bool good;
};

static void
fail(struct reader *r, const char *what, const char *word)
{
    r->good = false;
    import_error(r->import, r->file, r->line, "%s: '%s'", what, word);
}

/* A group ('multicast') or a host. */
static enum import_address_kind
read_ip(struct reader *r, const char *word, char out[IP_PREFIX_STRLEN])
{
    enum import_address_kind kind =
        import_read_address(r->import, r->file, r->line, word, out);

    if (kind == IMPORT_IPV6) {
        fail(r, "IPv6 is not carried over", word);
    }
    r->good &= kind != IMPORT_BAD;
    return kind;
}

static enum import_address_kind
read_host(struct reader *r, const char *word, char out[IP_PREFIX_STRLEN])
{
    if (strchr(word, '/')) {
        fail(r, "a network where an address is wanted", word);
        return IMPORT_BAD;
    }
    return read_ip(r, word, out);
}

static void
read_port(struct reader *r, const char *word, int *port)
{
    if (!import_read_number(word, 1, 65535, port)) {
        fail(r, "not the number of a port (services are not looked up)", word);
    }
}

static void
read_group(struct reader *r, const char *word)
{
    enum import_address_kind kind = read_host(r, word, r->address->group);

    if (kind == IMPORT_UNICAST || kind == IMPORT_ANY) {
        fail(r, "not multicast, within 224.0.0.0/4", word);
    }
}

/* An interface by its address, name, or number, of which nothing is known
 * here. */
static void
read_interface(struct reader *r, const char *word)
{
    struct ip_addr address;
    int number;

    if (ip_addr_parse(word, &address)) {
        if (ip_addr_is_v4(&address) && ip_addr_to_v4(&address)) {
            ip_addr_format(&address, r->address->if_address);
        }
    } else if (import_read_number(word, 0, 999999999, &number)) {
        if (number) {
            fail(r, "an interface by its number: give its name", word);
        }
    } else if (import_check_port(r->import, r->file, r->line, word)) {
        strcpy(r->address->interface, word);
    } else {
        r->good = false;
    }
}

/* GROUP[:IF-ADDRESS][:IF-NAME] or GROUP:IF-ADDRESS:SOURCE */
static void
read_membership(struct reader *r, char *value, bool with_source)
{
    char *save = NULL;
    const char *group = strtok_r(value, ":", &save);
    const char *first = strtok_r(NULL, ":", &save);
    const char *second = strtok_r(NULL, ":", &save);

    if (!group || (with_source && !second)) {
        fail(r, "a membership without a group, or a source", value);
        return;
    }
    if (*r->address->group) {
        fail(r, "a second membership: write a line for each", group);
        return;
    }
    read_group(r, group);
    if (first) {
        read_interface(r, first);
    }
    if (second && with_source) {
        if (read_host(r, second, r->address->source) != IMPORT_UNICAST) {
            fail(r, "not the address of a host", second);
        }
    } else if (second) {
        read_interface(r, second);
    }
}

/* [ADDRESS][:PORT] */
static void
read_bind(struct reader *r, char *value)
{
    char *colon = strrchr(value, ':');

    if (colon) {
        *colon = '\0';
        read_port(r, colon + 1, &r->address->bind_port);
    }
    if (!*value) {
        return;
    }
    enum import_address_kind kind = read_host(r, value, r->address->bind);
    r->address->bind_is_group = kind == IMPORT_MULTICAST;
    if (kind == IMPORT_ANY) {
        r->address->bind[0] = '\0';
    }
}

/* ADDRESS/LEN; ADDRESS:MASK is not read. */
static void
read_range(struct reader *r, const char *value)
{
    if (read_ip(r, value, r->address->source) == IMPORT_MULTICAST) {
        fail(r, "range: not addresses of hosts", value);
    }
}

static void
read_byte(struct reader *r, const char *name, const char *value, int min,
          int *byte)
{
    if (!import_read_number(value, min, 255, byte)) {
        char *text = xasprintf("%s: not a number from %d to 255", name, min);
        fail(r, text, value);
        free(text);
    }
}

static void
take_option(struct reader *r, enum option option, const char *name,
            char *value)
{
    struct socat_address *a = r->address;

    switch (option) {
    case OPT_MEMBERSHIP:
    case OPT_SOURCE_MEMBERSHIP:
        read_membership(r, value, option == OPT_SOURCE_MEMBERSHIP);
        break;
    case OPT_MULTICAST_IF:
    case OPT_DEVICE:
        read_interface(r, value);
        break;
    case OPT_MULTICAST_TTL:
        read_byte(r, name, value, 1, &a->multicast_ttl);
        break;
    case OPT_TTL:
        read_byte(r, name, value, 1, &a->ttl);
        break;
    case OPT_TOS:
        read_byte(r, name, value, 0, &a->tos);
        break;
    case OPT_BIND:
        read_bind(r, value);
        break;
    case OPT_SOURCE_PORT:
        read_port(r, value, &a->bind_port);
        break;
    case OPT_RANGE:
        read_range(r, value);
        break;
    case OPT_NONE:
        break;
    }
}

static void
read_option(struct reader *r, char *text)
{
    char *value = strchr(text, '=');
    size_t i = 0;

    if (value) {
        *value++ = '\0';
    }
    while (i < sizeof options / sizeof *options
           && strcasecmp(options[i].name, text)) {
        i++;
    }
    if (i == sizeof options / sizeof *options) {
        fail(r, "unknown option", text);
    } else if (options[i].option != OPT_NONE && (!value || !*value)) {
        fail(r, "an option without a value", text);
    } else {
        take_option(r, options[i].option, text, value);
    }
}

/* The shape of "udp4-recv"; false if it is no such type. */
static bool
find_type(const char *type, enum shape *shape)
{
    bool four = !strncasecmp(type, "udp4", 4);

    if (strncasecmp(type, "udp", 3)) {
        return false;
    }
    type += 3 + four;
    if (!*type) {
        *shape = SENDS; /* udp-connect */
        return true;
    }
    for (size_t i = 0; *type == '-' && i < sizeof types / sizeof *types; i++) {
        if (!strcasecmp(type + 1, types[i].name)) {
            *shape = types[i].shape;
            return true;
        }
    }
    return false;
}

/* TYPE:PORT or TYPE:HOST:PORT */
static void
read_head(struct reader *r, char *text)
{
    struct socat_address *a = r->address;
    char *first = strchr(text, ':');
    enum shape shape;

    if (first) {
        *first++ = '\0';
    }
    char *second = first ? strchr(first, ':') : NULL;
    if (second) {
        *second++ = '\0';
    }
    if (!find_type(text, &shape)) {
        fail(r, "not an address of UDP over IPv4, which alone becomes a route",
             text);
        return;
    }
    a->receives = shape != SENDS;
    a->sends = shape != RECEIVES;
    if (!first || (a->sends && !second) || (!a->sends && second)) {
        fail(r, "not the right number of parameters behind", text);
        return;
    }
    if (a->sends) {
        enum import_address_kind kind = read_host(r, first, a->host);
        a->to_group = kind == IMPORT_MULTICAST;
        if (kind == IMPORT_ANY) {
            fail(r, "not an address to send to", first);
        }
    }
    read_port(r, a->sends ? second : first, &a->port);
}

bool
socat_read_address(struct import *im, const char *file, int line, char *text,
                   struct socat_address *address)
{
    struct reader r = {im, file, line, address, true};
    char *save = NULL;
    char *head = strtok_r(text, ",", &save), *option;

    memset(address, 0, sizeof *address);
    address->tos = -1;
    if (!head) {
        fail(&r, "not an address", text);
        return false;
    }
    read_head(&r, head);
    while (r.good && (option = strtok_r(NULL, ",", &save))) {
        read_option(&r, option);
    }
    return r.good;
}
