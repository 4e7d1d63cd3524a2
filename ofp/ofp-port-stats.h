/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_PORT_STATS_H
#define OFP_PORT_STATS_H 1

/* What a switch counts at its ports (OFPMP_PORT_STATS, OpenFlow 1.3 A.3.5.6).
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"

/* UINT64_MAX: the switch does not count that. */
struct ofp_port_stats {
    uint32_t no;
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
};

/* Transaction ids from here on are for these requests: above those of
 * ofp-table and of ofp-session. */
enum { OFP_PORT_STATS_XID = 0x70010000, OFP_PORT_STATS_XIDS = 0x10000 };

/* The request for all ports, with this id. */
void ofp_port_stats_put_request(struct wire_writer *, uint32_t xid);

/* One message of the answer. */
struct ofp_port_stats_reply {
    struct wire_reader items;
    bool more; /* Another message follows. */
};

enum ofp_port_stats_kind {
    OFP_PORT_STATS_NONE, /* It answers something else. */
    OFP_PORT_STATS_REFUSED,
    OFP_PORT_STATS_REPLY
};

/* Is the whole message 'msg' an answer to the request 'xid'? */
enum ofp_port_stats_kind ofp_port_stats_open(const void *msg, size_t size,
                                             uint32_t xid,
                                             struct ofp_port_stats_reply *);
/* The next port.  False at the end, and for what is cut off. */
bool ofp_port_stats_next(struct ofp_port_stats_reply *,
                         struct ofp_port_stats *);

#endif
