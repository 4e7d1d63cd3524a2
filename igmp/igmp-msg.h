/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_MSG_H
#define IGMP_MSG_H 1

/* IGMP and MLD messages, and what tells of routers: Ethernet frames <->
 * struct igmp_msg.
 *
 * IGMPv1, v2, v3: RFC 1112 appendix I, RFC 2236, RFC 3376 (now RFC 9776)
 * section 4.  MLDv1, v2: RFC 2710, RFC 3810 (now RFC 9777) section 5.
 * Multicast Router Discovery: RFC 4286.  PIM hello: RFC 7761 4.9.2.
 *
 * One machine serves both families, so a version is always the IGMP version
 * of equal meaning: MLDv1 is 2 (it has leaves, called Done, but no sources),
 * MLDv2 is 3.  igmp_version_shown() is what a person wants to read.
 *
 * The parser trusts no length or count.  It does not decide anything: an
 * unknown record type or a wrong TTL is told, what follows is up to
 * igmp-snoop.
 *
 * Ownership: a parsed message points into the frame; it lives no longer. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

/* Why a frame was not taken: X(symbol, name in counters and metrics,
 * meaning). */
#define IGMP_ERRORS                                                           \
    X(IGMP_OK, "ok", "taken")                                                 \
    X(IGMP_NOT_IGMP, "not-igmp", "another protocol")                          \
    X(IGMP_TRUNCATED, "truncated", "shorter than its own lengths say")        \
    X(IGMP_BAD_IP_HEADER, "bad-ip-header", "version, IHL or total length")    \
    X(IGMP_BAD_IP_CHECKSUM, "bad-ip-checksum", "IPv4 header checksum")        \
    X(IGMP_FRAGMENT, "fragment", "an IP fragment")                            \
    X(IGMP_BAD_CHECKSUM, "bad-checksum", "IGMP, ICMPv6 or PIM checksum")      \
    X(IGMP_BAD_LENGTH, "bad-length", "no such length for this type")          \
    X(IGMP_BAD_TTL, "bad-ttl", "TTL is not 1 (RFC 3376 4)")                   \
    X(IGMP_BAD_SOURCE, "bad-source", "IP source cannot be a host's")          \
    X(IGMP_BAD_DESTINATION, "bad-destination", "IP or MAC destination")       \
    X(IGMP_BAD_GROUP, "bad-group", "group is not a multicast address")        \
    X(IGMP_UNKNOWN_TYPE, "unknown-type", "message type of no IGMP version")   \
    X(IGMP_LIMIT, "limit", "a table limit was reached")                       \
    X(IGMP_DENIED, "denied", "group not permitted on this port")              \
    X(IGMP_GUARDED, "guarded", "query or router sign from a host port")       \
    X(IGMP_RATE, "rate", "more messages a second than the port may send")     \
    X(IGMP_SSM_ONLY, "ssm-only", "any-source join in the SSM range")          \
    X(IGMP_NO_ROUTER_ALERT, "no-router-alert",                                \
      "option missing, but required")                                         \
    X(IGMP_IGNORED, "ignored", "well formed, but not for a snooper")

enum igmp_error {
#define X(SYMBOL, NAME, MEANING) SYMBOL,
    IGMP_ERRORS
#undef X
        IGMP_N_ERRORS
};

const char *igmp_error_name(enum igmp_error);    /* "bad-checksum" */
const char *igmp_error_meaning(enum igmp_error); /* "IGMP checksum" */

enum igmp_family { IGMP_IPV4, IGMP_IPV6, IGMP_N_FAMILIES };

enum igmp_kind {
    IGMP_QUERY,     /* Any version: see 'version'. */
    IGMP_V1_REPORT, /* RFC 1112. */
    IGMP_V2_REPORT, /* RFC 2236; MLDv1 report. */
    IGMP_V2_LEAVE,  /* RFC 2236; MLDv1 done. */
    IGMP_V3_REPORT, /* RFC 3376; MLDv2 report. */

    /* Signs of a router: 'lifetime_ms' tells for how long. */
    IGMP_ROUTER_ADVERTISEMENT, /* RFC 4286 3. */
    IGMP_ROUTER_SOLICITATION,  /* RFC 4286 4: asks for the former. */
    IGMP_ROUTER_TERMINATION,   /* RFC 4286 5. */
    IGMP_PIM_HELLO             /* RFC 7761 4.9.2. */
};

/* 1, 2, 3 for IGMP; 1, 2 for MLD. */
static inline int
igmp_version_shown(enum igmp_family family, int version)
{
    return family == IGMP_IPV6 ? version - 1 : version;
}

/* RFC 3376 4.2.12. */
enum igmp_record_type {
    IGMP_MODE_IS_INCLUDE = 1,
    IGMP_MODE_IS_EXCLUDE = 2,
    IGMP_CHANGE_TO_INCLUDE = 3,
    IGMP_CHANGE_TO_EXCLUDE = 4,
    IGMP_ALLOW_NEW_SOURCES = 5,
    IGMP_BLOCK_OLD_SOURCES = 6
};

/* A list of addresses as it stands in a frame (4 bytes each for IPv4, 16 for
 * IPv6): see igmp_source_at(). */
struct igmp_sources {
    const uint8_t *bytes;
    uint16_t n;
    uint8_t width; /* 4 or 16. */
};

struct ip_addr igmp_source_at(const struct igmp_sources *, size_t i);

struct igmp_msg {
    enum igmp_family family;
    enum igmp_kind kind;
    int version; /* 1, 2 or 3: see above. */

    /* Around it. */
    struct mac_addr eth_src, eth_dst;
    bool tagged;   /* Has an 802.1Q tag (of any vlan id, 0 too). */
    uint16_t vlan; /* 0 = untagged or priority-tagged. */
    struct ip_addr ip_src, ip_dst;
    uint8_t ttl;       /* Or hop limit. */
    bool router_alert; /* RFC 2113, RFC 2711. */

    /* Queries, v1 and v2 reports, leaves. */
    struct ip_addr group; /* IP_ADDR_ANY in a general query. */

    /* Queries. */
    int64_t max_resp_ms;         /* RFC 3376 4.1.1; 10 s in a v1 query. */
    bool suppress;               /* The S flag. */
    uint8_t qrv;                 /* 0 = not told. */
    int64_t query_interval_ms;   /* QQIC decoded; 0 in v1 and v2. */
    struct igmp_sources sources; /* Of a group-and-source-specific query. */

    /* Signs of a router: how long it is there without another one; 0: it goes
     * away now, INT64_MAX: for ever. */
    int64_t lifetime_ms;

    /* v3 reports: see igmp_record_next(). */
    const uint8_t *records;
    size_t records_size;
    uint16_t n_records;
    uint8_t address_width; /* Of groups and sources in 'records': 4 or 16. */
};

/* Parses 'size' bytes of an Ethernet frame.  Every length is checked here,
 * the records of a v3 report too. */
enum igmp_error igmp_msg_decode(const void *frame, size_t size,
                                struct igmp_msg *);

/* One group record of a v3 report. */
struct igmp_record {
    uint8_t type; /* Perhaps of no known type: skip it (RFC 3376 4.2.12). */
    struct ip_addr group;
    struct igmp_sources sources;
};

struct igmp_record_cursor {
    const uint8_t *bytes;
    size_t left;
    uint16_t n_left;
    uint8_t address_width;
};

/* Iterates over the records, auxiliary data stepped over. */
void igmp_record_first(struct igmp_record_cursor *, const struct igmp_msg *);
bool igmp_record_next(struct igmp_record_cursor *, struct igmp_record *);

/* A query to build. */
struct igmp_query {
    enum igmp_family family;
    int version;             /* 1 (not for IPv6), 2 or 3. */
    struct mac_addr eth_dst; /* All zero: the group's.  Else this host. */
    struct mac_addr eth_src;
    uint16_t vlan; /* 0 = no tag. */
    struct ip_addr ip_src;
    struct ip_addr group;          /* IP_ADDR_ANY = general query. */
    const struct ip_addr *sources; /* Version 3 only. */
    size_t n_sources;
    int64_t max_resp_ms;
    bool suppress;
    uint8_t qrv;
    int64_t query_interval_ms;
};

/* What a host says, for tests, benchmarks and proxy reporting. */
struct igmp_report_record {
    uint8_t type;
    struct ip_addr group;
    const struct ip_addr *sources;
    size_t n_sources;
};

struct igmp_report {
    enum igmp_family family;
    int version; /* 1 or 2: the first record's group only. */
    bool leave;  /* Version 2: a Leave Group message. */
    struct mac_addr eth_src;
    uint16_t vlan;
    struct ip_addr ip_src;
    const struct igmp_report_record *records;
    size_t n_records;
};

/* What routers say of themselves, and the solicitation that asks for it. */
struct igmp_sign {
    enum igmp_family family;
    enum igmp_kind kind; /* IGMP_ROUTER_ADVERTISEMENT or a later one. */
    struct mac_addr eth_src;
    uint16_t vlan;
    struct ip_addr ip_src;
    int64_t lifetime_ms; /* Rounded down to what the message can say. */
};

/* All write a whole Ethernet frame into 'buf' and return its size, 0 if it
 * does not fit 'room': TTL 1, TOS 0xc0 and Router Alert (RFC 3376 4, RFC 3810
 * 5), group MAC addresses, checksums.  IPv6 needs a link-local 'ip_src'. */
size_t igmp_query_encode(const struct igmp_query *, void *buf, size_t room);
size_t igmp_report_encode(const struct igmp_report *, void *buf, size_t room);
size_t igmp_sign_encode(const struct igmp_sign *, void *buf, size_t room);

/* Max Resp Code and QQIC (RFC 3376 4.1.1, 4.1.7): units of 0.1 s and 1 s. The
 * encoding rounds down to what the floating form can say. */
unsigned int igmp_code_decode(uint8_t code);
uint8_t igmp_code_encode(unsigned int value);

#endif
