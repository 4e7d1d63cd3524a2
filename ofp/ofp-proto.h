/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_PROTO_H
#define OFP_PROTO_H 1

/* The numbers of OpenFlow 1.3 that the hand-written paths need: those that
 * run for each join or each packet-in, where libopenvswitch costs ten times
 * as much.  Everything else goes through libopenvswitch, and unit tests hold
 * the hand-written paths against it byte for byte. */

#include <stdint.h>

enum {
    OF13_VERSION = 4,
    OF13_HEADER_SIZE = 8,
    OF13_HEADER_LENGTH = 2, /* Where it stands. */
    OF13_MAX_MESSAGE = 65535
};

/* Message types. */
enum {
    OF13_HELLO = 0,
    OF13_ERROR = 1,
    OF13_ECHO_REQUEST = 2,
    OF13_ECHO_REPLY = 3,
    OF13_EXPERIMENTER = 4,
    OF13_FEATURES_REQUEST = 5,
    OF13_FEATURES_REPLY = 6,
    OF13_SET_CONFIG = 9,
    OF13_PACKET_IN = 10,
    OF13_FLOW_REMOVED = 11,
    OF13_PORT_STATUS = 12,
    OF13_PACKET_OUT = 13,
    OF13_FLOW_MOD = 14,
    OF13_GROUP_MOD = 15,
    OF13_MULTIPART_REQUEST = 18,
    OF13_MULTIPART_REPLY = 19,
    OF13_BARRIER_REQUEST = 20,
    OF13_BARRIER_REPLY = 21,
    OF13_METER_MOD = 29
};

/* Multipart types; a multipart message has 16 bytes before its body. */
enum {
    OF13_MULTIPART_SIZE = 16,
    OF13_MULTIPART_MORE = 1,
    OF13_MP_DESC = 0,
    OF13_MP_FLOW = 1,
    OF13_MP_PORT_STATS = 4,
    OF13_MP_GROUP_DESC = 7,
    OF13_MP_METER_CONFIG = 10,
    OF13_MP_METER_FEATURES = 11,
    OF13_MP_PORT_DESC = 13
};

/* PACKET_OUT: its bytes before the actions, and those of an output. */
enum {
    PACKET_OUT_SIZE = 24,
    PACKET_OUT_ACTION_SIZE = 16,
    SET_TUNNEL_SIZE = 16 /* Of setting the tunnel's key, or its end. */
};

/* FLOW_MOD: where its members stand. */
enum {
    FLOW_MOD_COOKIE = 8,
    FLOW_MOD_COOKIE_MASK = 16,
    FLOW_MOD_TABLE = 24,
    FLOW_MOD_COMMAND = 25,
    FLOW_MOD_IDLE = 26,
    FLOW_MOD_PRIORITY = 30,
    FLOW_MOD_FLAGS = 44,
    FLOW_MOD_MATCH = 48,
    FLOW_ADD = 0,
    FLOW_MODIFY_STRICT = 2,
    FLOW_DELETE_STRICT = 4,
    FLOW_SEND_REMOVED = 1
};

/* GROUP_MOD and METER_MOD: both have a 16-bit command behind the header. */
enum {
    GROUP_MOD_COMMAND = 8,
    GROUP_MOD_TYPE = 10,
    GROUP_MOD_ID = 12,
    GROUP_MOD_BUCKETS = 16,
    GROUP_BUCKET_SIZE = 16, /* Before the actions. */
    METER_MOD_ID = 12,
    METER_MOD_SIZE = 32, /* With one drop band. */
    MOD_ADD = 0,
    MOD_MODIFY = 1,
    MOD_DELETE = 2
};

/* Instructions and actions. */
enum {
    INSTR_GOTO_TABLE = 1,
    INSTR_WRITE_METADATA = 2,
    INSTR_APPLY_ACTIONS = 4,
    ACTION_OUTPUT = 0,
    ACTION_PUSH_VLAN = 17,
    ACTION_POP_VLAN = 18,
    ACTION_GROUP = 22,
    ACTION_SET_NW_TTL = 23,
    ACTION_SET_FIELD = 25,
    ACTION_EXPERIMENTER = 0xffff,
    NX_VENDOR = 0x2320,
    NX_REG_MOVE = 6,
    NX_REG_LOAD = 7,
    NX_CONTROLLER2 = 37,
    NX_CONTROLLER2_METER = 5
};

/* Reserved ports and the like. */
#define OF13_PORT_MAX        UINT32_C(0xffffff00)
#define OF13_PORT_NORMAL     UINT32_C(0xfffffffa)
#define OF13_PORT_CONTROLLER UINT32_C(0xfffffffd)
#define OF13_ANY             UINT32_C(0xffffffff)
#define OF13_NO_BUFFER       UINT32_C(0xffffffff)

/* OXM headers of fields without a mask: class, field << 1, length. */
#define OXM_HEADER(FIELD, LENGTH)                                             \
    (UINT32_C(0x80000000) | (FIELD) << 9 | (LENGTH))
/* The same field with a mask: flag set, twice the length. */
#define OXM_MASKED(HEADER)                                                    \
    (((HEADER) & ~UINT32_C(0xff)) | 0x100 | ((HEADER) &0xff) << 1)
#define OXM_IN_PORT     OXM_HEADER(0, 4)
#define OXM_METADATA    OXM_HEADER(2, 8)
#define OXM_ETH_DST     OXM_HEADER(3, 6)
#define OXM_ETH_SRC     OXM_HEADER(4, 6)
#define OXM_ETH_TYPE    OXM_HEADER(5, 2)
#define OXM_VLAN_VID    OXM_HEADER(6, 2)
#define OXM_IP_DSCP     OXM_HEADER(8, 1)
#define OXM_IP_PROTO    OXM_HEADER(10, 1)
#define OXM_IPV4_SRC    OXM_HEADER(11, 4)
#define OXM_IPV4_DST    OXM_HEADER(12, 4)
#define OXM_UDP_DST     OXM_HEADER(16, 2)
#define OXM_IPV6_SRC    OXM_HEADER(26, 16)
#define OXM_IPV6_DST    OXM_HEADER(27, 16)
#define OXM_ICMPV6_TYPE OXM_HEADER(29, 1)
#define OXM_TUNNEL_ID   OXM_HEADER(38, 8)
/* Nicira's names of fields, by which its own actions know them. */
#define NXM_HEADER(CLASS, FIELD, LENGTH)                                      \
    (UINT32_C(CLASS) << 16 | (FIELD) << 9 | (LENGTH))
#define NXM_ETH_DST  NXM_HEADER(0, 1, 6)
#define NXM_IP_SRC   NXM_HEADER(0, 7, 4)
#define NXM_IP_DST   NXM_HEADER(0, 8, 4)
#define NXM_IPV6_SRC NXM_HEADER(1, 19, 16)
#define NXM_IPV6_DST NXM_HEADER(1, 20, 16)
#define NXM_IP_FRAG  NXM_HEADER(1, 26, 1)
#define NXM_TUN_SRC  NXM_HEADER(1, 31, 4) /* IPv4. */
#define NXM_TUN_DST  NXM_HEADER(1, 32, 4)

/* The part of the metadata that we use. */
#define OF13_METADATA_MASK UINT64_C(0xff)

enum { OXM_VLAN_PRESENT = 0x1000, NXM_IP_FRAG_ANY = 1, NXM_IP_FRAG_LATER = 3 };

#endif
