/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_MCADDR_H
#define LIB_MCADDR_H 1

/* Addresses as values: IP (one type for both families), MAC, prefixes, ports
 * and channels.
 *
 * None of these structs has padding, so each may be compared with memcmp()
 * and serve as a hash key.  IPv4 is kept IPv4-mapped (::ffff:a.b.c.d,
 * RFC 4291 2.5.5.2), which makes "all zero" mean "no address" for neither
 * family; use ip_addr_is_any() for the "*" of (*,G). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip_addr {
    uint8_t b[16];
};

struct mac_addr {
    uint8_t b[6];
};

/* 'len' counts bits of the 16-byte form: an IPv4 /24 has len 96 + 24. */
struct ip_prefix {
    struct ip_addr addr;
    uint8_t len;
};

/* A port of a switch.  A tunnel port leads to many hosts; each of its other
 * ends is a port of its own, with that host's IPv4 address in the upper half
 * of 'port_no'.  In any other port that half is 0. */
struct port_id {
    uint64_t dpid;
    uint64_t port_no;
};

/* The number that the switch knows the port by. */
static inline uint32_t
port_id_no(const struct port_id *id)
{
    return (uint32_t) id->port_no;
}

/* The other end, 0 if it is no tunnel's. */
static inline uint32_t
port_id_vtep(const struct port_id *id)
{
    return (uint32_t) (id->port_no >> 32);
}

static inline struct port_id
port_id_make(uint64_t dpid, uint32_t no, uint32_t vtep)
{
    struct port_id id = {dpid, (uint64_t) vtep << 32 | no};
    return id;
}

/* (vlan, source, group); source IP_ADDR_ANY is (*,G).  vlan 0 = untagged. */
struct channel {
    struct ip_addr group;
    struct ip_addr source;
    uint16_t vlan;
};

enum {
    IP_ADDR_STRLEN = 46, /* With the terminating NUL. */
    IP_PREFIX_STRLEN = 50,
    MAC_ADDR_STRLEN = 18,
    DPID_STRLEN = 17,
    CHANNEL_STRLEN = 112
};

extern const struct ip_addr IP_ADDR_ANY; /* All zero: no address, "*". */

/* IP addresses. */
struct ip_addr ip_addr_v4(uint32_t host_order);
uint32_t ip_addr_to_v4(const struct ip_addr *); /* Host order. */
bool ip_addr_is_v4(const struct ip_addr *);
bool ip_addr_is_any(const struct ip_addr *); /* "*", 0.0.0.0 or ::. */
bool ip_addr_is_multicast(const struct ip_addr *);
/* 224.0.0.0/24 and ff02::/16: never pruned (RFC 4541 2.1.2, 3). */
bool ip_addr_is_local_multicast(const struct ip_addr *);
/* 232/8 (RFC 4607 1) and ff3x::/32 (RFC 3306 6): no group for all sources. */
bool ip_addr_is_source_specific(const struct ip_addr *);
/* Can it be the source of packets?  Not 0/8 (RFC 1122 3.2.1.3), ::, loopback,
 * multicast, 240/4 and broadcast. */
bool ip_addr_can_send(const struct ip_addr *);
int ip_addr_compare(const struct ip_addr *, const struct ip_addr *);
/* Sorts 'list' and takes doubles out; returns how many are left. */
size_t ip_addr_sort(struct ip_addr *list, size_t n);
/* Is the address in a list that ip_addr_sort() has sorted? */
bool ip_addr_is_listed(const struct ip_addr *list, size_t n,
                       const struct ip_addr *);
bool ip_addr_equal(const struct ip_addr *, const struct ip_addr *);
/* 'lower' in its 'keep' lowest bits, else 'upper'. */
struct ip_addr ip_addr_join(const struct ip_addr *upper, unsigned int keep,
                            const struct ip_addr *lower);
/* False where 's' is not exactly one address in its usual text form. */
bool ip_addr_parse(const char *s, struct ip_addr *);
/* Writes the text form into 'buf' and returns it; "*" for IP_ADDR_ANY. */
const char *ip_addr_format(const struct ip_addr *, char buf[IP_ADDR_STRLEN]);

/* Prefixes.  A plain address parses as a prefix of full length.  Host bits
 * that are set are refused. */
bool ip_prefix_parse(const char *s, struct ip_prefix *);
bool ip_prefix_contains(const struct ip_prefix *, const struct ip_addr *);
/* Are all addresses of 'inner' of 'outer' as well? */
bool ip_prefix_covers(const struct ip_prefix *outer,
                      const struct ip_prefix *inner);
/* Is there an address of both? */
bool ip_prefix_overlaps(const struct ip_prefix *, const struct ip_prefix *);
bool ip_prefix_is_host(const struct ip_prefix *);
const char *ip_prefix_format(const struct ip_prefix *,
                             char buf[IP_PREFIX_STRLEN]);

/* Ethernet addresses. */
bool mac_addr_parse(const char *s, struct mac_addr *);
const char *mac_addr_format(const struct mac_addr *,
                            char buf[MAC_ADDR_STRLEN]);
/* The Ethernet address of a group: RFC 1112 6.4, RFC 2464 7. */
struct mac_addr mac_addr_of_group(const struct ip_addr *);
/* A switch's own: Open vSwitch takes a bridge's for the lower 48 bits of its
 * datapath id. */
struct mac_addr mac_addr_of_switch(uint64_t dpid);
bool mac_addr_is_multicast(const struct mac_addr *);
/* Asked of each copy of a packet. */
static inline bool
mac_addr_is_zero(const struct mac_addr *m)
{
    const uint8_t *b = m->b;
    return !(b[0] | b[1] | b[2] | b[3] | b[4] | b[5]);
}
int mac_addr_compare(const struct mac_addr *, const struct mac_addr *);

/* Switches, ports and channels. */
/* Reads "1", "0x1", "0000000000000001" and "00:00:00:00:00:00:00:01".  Sixteen
 * digits without 0x are hexadecimal, fewer digits decimal. 0 is refused. */
bool dpid_parse(const char *s, uint64_t *);
const char *dpid_format(uint64_t, char buf[DPID_STRLEN]); /* 16 hex digits. */
bool port_id_equal(const struct port_id *, const struct port_id *);
/* As the other end of a tunnel: false if it is no IPv4 address of a host. */
bool ip_addr_to_vtep(const struct ip_addr *, uint32_t *vtep);
/* "(*,226.2.2.2)" or "(10.1.0.1,226.2.2.2)", " vlan 10" behind it if any. */
const char *channel_format(const struct channel *, char buf[CHANNEL_STRLEN]);

#endif
