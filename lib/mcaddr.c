/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/mcaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* They are hash keys: see the header. */
_Static_assert(sizeof(struct ip_prefix) == 17, "padding in ip_prefix");
_Static_assert(sizeof(struct port_id) == 16, "padding in port_id");
_Static_assert(sizeof(struct channel) == 34, "padding in channel");

enum { V4_BITS = 96 }; /* Of the ::ffff:0:0/96 before an IPv4 address. */

const struct ip_addr IP_ADDR_ANY;

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

/* IP addresses. */

struct ip_addr
ip_addr_v4(uint32_t host_order)
{
    struct ip_addr a;

    memcpy(a.b, v4_mapped, sizeof v4_mapped);
    a.b[12] = (uint8_t) (host_order >> 24);
    a.b[13] = (uint8_t) (host_order >> 16);
    a.b[14] = (uint8_t) (host_order >> 8);
    a.b[15] = (uint8_t) host_order;
    return a;
}

uint32_t
ip_addr_to_v4(const struct ip_addr *a)
{
    return (uint32_t) a->b[12] << 24 | (uint32_t) a->b[13] << 16
           | (uint32_t) a->b[14] << 8 | a->b[15];
}

bool
ip_addr_is_v4(const struct ip_addr *a)
{
    return !memcmp(a->b, v4_mapped, sizeof v4_mapped);
}

bool
ip_addr_is_any(const struct ip_addr *a)
{
    return ip_addr_equal(a, &IP_ADDR_ANY)
           || (ip_addr_is_v4(a) && !ip_addr_to_v4(a));
}

bool
ip_addr_is_multicast(const struct ip_addr *a)
{
    return ip_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool
ip_addr_is_local_multicast(const struct ip_addr *a)
{
    if (ip_addr_is_v4(a)) {
        return a->b[12] == 224 && !a->b[13] && !a->b[14];
    }
    return a->b[0] == 0xff && a->b[1] == 0x02;
}

bool
ip_addr_is_source_specific(const struct ip_addr *a)
{
    if (ip_addr_is_v4(a)) {
        return a->b[12] == 232;
    }
    return a->b[0] == 0xff && (a->b[1] & 0xf0) == 0x30 && !a->b[2] && !a->b[3];
}

bool
ip_addr_can_send(const struct ip_addr *a)
{
    static const struct ip_addr loopback = {{[15] = 1}};

    if (ip_addr_is_v4(a)) {
        return a->b[12] != 0 && a->b[12] != 127 && a->b[12] < 224;
    }
    return !ip_addr_is_any(a) && !ip_addr_equal(a, &loopback)
           && !ip_addr_is_multicast(a);
}

int
ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

static int
compare_addresses(const void *a, const void *b)
{
    return ip_addr_compare(a, b);
}

bool
ip_addr_is_listed(const struct ip_addr *list, size_t n,
                  const struct ip_addr *a)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = ip_addr_compare(&list[middle], a);

        if (!order) {
            return true;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

size_t
ip_addr_sort(struct ip_addr *list, size_t n)
{
    size_t kept = 0;

    if (n > 1) {
        qsort(list, n, sizeof *list, compare_addresses);
    }
    for (size_t i = 0; i < n; i++) {
        if (!kept || !ip_addr_equal(&list[i], &list[kept - 1])) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

bool
ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return !memcmp(a->b, b->b, sizeof a->b);
}

struct ip_addr
ip_addr_join(const struct ip_addr *upper, unsigned int keep,
             const struct ip_addr *lower)
{
    struct ip_addr a = *upper;

    for (size_t i = 0; i < sizeof a.b; i++) {
        /* Bits from the end up to the first of this byte. */
        size_t behind = (sizeof a.b - 1 - i) * 8;
        size_t bits = keep > behind ? keep - behind : 0;
        uint8_t own = bits >= 8 ? 0xff : (uint8_t) ((1U << bits) - 1);

        a.b[i] = (uint8_t) ((upper->b[i] & ~own) | (lower->b[i] & own));
    }
    return a;
}

bool
ip_addr_parse(const char *s, struct ip_addr *out)
{
    uint8_t v4[4];

    if (inet_pton(AF_INET, s, v4) == 1) {
        memcpy(out->b, v4_mapped, sizeof v4_mapped);
        memcpy(out->b + 12, v4, sizeof v4);
        return true;
    }

    /* One spelling for one address: ::ffff:1.2.3.4 is not the usual one. */
    struct ip_addr a;
    if (inet_pton(AF_INET6, s, a.b) != 1 || ip_addr_is_v4(&a)) {
        return false;
    }
    *out = a;
    return true;
}

static const char *
format_plain(const struct ip_addr *a, char buf[IP_ADDR_STRLEN])
{
    if (ip_addr_is_v4(a)) {
        inet_ntop(AF_INET, a->b + 12, buf, IP_ADDR_STRLEN);
    } else {
        inet_ntop(AF_INET6, a->b, buf, IP_ADDR_STRLEN);
    }
    return buf;
}

const char *
ip_addr_format(const struct ip_addr *a, char buf[IP_ADDR_STRLEN])
{
    if (ip_addr_equal(a, &IP_ADDR_ANY)) {
        return strcpy(buf, "*");
    }
    return format_plain(a, buf);
}

/* Prefixes. */

/* Reads a decimal number of one to three digits, without a leading zero. */
static bool
parse_length(const char *s, unsigned int max, unsigned int *out)
{
    unsigned int x = 0;
    size_t n = strlen(s);

    if (!n || n > 3 || (n > 1 && s[0] == '0')) {
        return false;
    }
    for (; *s; s++) {
        if (*s < '0' || *s > '9') {
            return false;
        }
        x = x * 10 + (unsigned int) (*s - '0');
    }
    *out = x;
    return x <= max;
}

/* Are the first 'len' bits of 'a' and 'b' equal? */
static bool
equal_bits(const struct ip_addr *a, const struct ip_addr *b, unsigned int len)
{
    unsigned int bytes = len / 8, bits = len % 8;

    if (memcmp(a->b, b->b, bytes)) {
        return false;
    }
    return !bits || !((a->b[bytes] ^ b->b[bytes]) & (0xff00 >> bits) & 0xff);
}

static bool
has_host_bits(const struct ip_prefix *p)
{
    struct ip_addr low = p->addr;

    for (unsigned int i = p->len; i < 128; i++) {
        low.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    }
    return !ip_addr_equal(&low, &p->addr);
}

bool
ip_prefix_parse(const char *s, struct ip_prefix *out)
{
    const char *slash = strchr(s, '/');
    size_t n = slash ? (size_t) (slash - s) : strlen(s);
    char text[IP_ADDR_STRLEN];

    if (n >= sizeof text) {
        return false;
    }
    memcpy(text, s, n);
    text[n] = '\0';

    struct ip_prefix p = {.len = 128};
    if (!ip_addr_parse(text, &p.addr)) {
        return false;
    }
    if (slash) {
        unsigned int base = ip_addr_is_v4(&p.addr) ? V4_BITS : 0;
        unsigned int len;

        if (!parse_length(slash + 1, 128 - base, &len)) {
            return false;
        }
        p.len = (uint8_t) (base + len);
    }
    if (has_host_bits(&p)) {
        return false;
    }
    *out = p;
    return true;
}

bool
ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
    return equal_bits(&p->addr, a, p->len);
}

bool
ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
    return outer->len <= inner->len && ip_prefix_contains(outer, &inner->addr);
}

bool
ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

bool
ip_prefix_is_host(const struct ip_prefix *p)
{
    return p->len == 128;
}

const char *
ip_prefix_format(const struct ip_prefix *p, char buf[IP_PREFIX_STRLEN])
{
    char text[IP_ADDR_STRLEN];
    bool v4 = ip_addr_is_v4(&p->addr) && p->len >= V4_BITS;

    format_plain(&p->addr, text);
    if (ip_prefix_is_host(p)) {
        memcpy(buf, text, strlen(text) + 1);
    } else {
        snprintf(buf, IP_PREFIX_STRLEN, "%s/%d", text,
                 v4 ? p->len - V4_BITS : p->len);
    }
    return buf;
}

/* Ethernet addresses. */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    } else if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Reads 'n' pairs of hex digits with colons between, and nothing after. */
static bool
parse_pairs(const char *s, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(s[0]);
        int low = high < 0 ? -1 : hex_digit(s[1]);

        if (low < 0 || s[2] != (i + 1 < n ? ':' : '\0')) {
            return false;
        }
        out[i] = (uint8_t) (high << 4 | low);
        s += 3;
    }
    return true;
}

bool
mac_addr_parse(const char *s, struct mac_addr *out)
{
    struct mac_addr mac;

    if (!parse_pairs(s, mac.b, sizeof mac.b)) {
        return false;
    }
    *out = mac;
    return true;
}

const char *
mac_addr_format(const struct mac_addr *m, char buf[MAC_ADDR_STRLEN])
{
    snprintf(buf, MAC_ADDR_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0],
             m->b[1], m->b[2], m->b[3], m->b[4], m->b[5]);
    return buf;
}

struct mac_addr
mac_addr_of_group(const struct ip_addr *a)
{
    if (ip_addr_is_v4(a)) {
        return (struct mac_addr){
            {0x01, 0x00, 0x5e, a->b[13] & 0x7f, a->b[14], a->b[15]}};
    }
    return (struct mac_addr){
        {0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15]}};
}

struct mac_addr
mac_addr_of_switch(uint64_t dpid)
{
    struct mac_addr mac;

    for (int i = 0; i < 6; i++) {
        mac.b[i] = (uint8_t) (dpid >> (40 - 8 * i));
    }
    return mac;
}

bool
mac_addr_is_multicast(const struct mac_addr *m)
{
    return m->b[0] & 1;
}

int
mac_addr_compare(const struct mac_addr *a, const struct mac_addr *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

/* Switches, ports and channels. */

/* Reads all of 's' as at most 'max' digits of 'base'; 16 hex digits and 15
 * decimal ones cannot overflow. */
static bool
parse_digits(const char *s, unsigned int base, size_t max, uint64_t *out)
{
    size_t n = strlen(s);
    uint64_t x = 0;

    if (!n || n > max) {
        return false;
    }
    for (; *s; s++) {
        int digit = hex_digit(*s);

        if (digit < 0 || (unsigned int) digit >= base) {
            return false;
        }
        x = x * base + (unsigned int) digit;
    }
    *out = x;
    return true;
}

bool
dpid_parse(const char *s, uint64_t *out)
{
    uint8_t bytes[8];
    uint64_t x = 0;
    bool ok;

    if (strchr(s, ':')) {
        ok = parse_pairs(s, bytes, sizeof bytes);
        for (size_t i = 0; ok && i < sizeof bytes; i++) {
            x = x << 8 | bytes[i];
        }
    } else if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        ok = parse_digits(s + 2, 16, 16, &x);
    } else if (strlen(s) == 16) {
        ok = parse_digits(s, 16, 16, &x);
    } else {
        ok = parse_digits(s, 10, 15, &x);
    }
    if (!ok || !x) {
        return false;
    }
    *out = x;
    return true;
}

const char *
dpid_format(uint64_t dpid, char buf[DPID_STRLEN])
{
    snprintf(buf, DPID_STRLEN, "%016llx", (unsigned long long) dpid);
    return buf;
}

bool
ip_addr_to_vtep(const struct ip_addr *a, uint32_t *vtep)
{
    const uint8_t *b = a->b + 12;
    uint32_t value =
        (uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | b[2] << 8 | b[3];

    if (!ip_addr_is_v4(a) || !b[0] || b[0] >= 224) {
        return false;
    }
    *vtep = value;
    return true;
}

bool
port_id_equal(const struct port_id *a, const struct port_id *b)
{
    return a->dpid == b->dpid && a->port_no == b->port_no;
}

const char *
channel_format(const struct channel *c, char buf[CHANNEL_STRLEN])
{
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN], vlan[16] = "";

    ip_addr_format(&c->source, source);
    ip_addr_format(&c->group, group);
    if (c->vlan) {
        snprintf(vlan, sizeof vlan, " vlan %u", c->vlan);
    }
    snprintf(buf, CHANNEL_STRLEN, "(%s,%s)%s", source, group, vlan);
    return buf;
}
