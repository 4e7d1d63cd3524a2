/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_ERROR_H
#define OFP_ERROR_H 1

/* What an OFPT_ERROR says. */

#include <stddef.h>
#include <stdint.h>

enum { OFP_ERROR_SIZE = 256 };

/* Types, and codes within them, that call for more than telling a person. */
enum {
    OFP_ERROR_HELLO_FAILED = 0,
    OFP_ERROR_GROUP_MOD = 6,
    OFP_ERROR_METER_MOD = 12,
    OFP_ERROR_GROUP_EXISTS = 0,
    OFP_ERROR_UNKNOWN_GROUP = 8,
    OFP_ERROR_METER_EXISTS = 1,
    OFP_ERROR_UNKNOWN_METER = 3
};

struct ofp_error {
    uint32_t xid;
    uint16_t type, code;
    char text[OFP_ERROR_SIZE]; /* "OFPBAC_BAD_OUT_GROUP: Unknown group..." */
};

/* 'msg' is a whole message of type OFPT_ERROR; one that is too short is still
 * an error. */
void ofp_error_decode(const uint8_t *msg, size_t size, struct ofp_error *);

#endif
