/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_STATIC_H
#define OFP_STATIC_H 1

/* The user's own flows and groups, in the syntax of ovs-ofctl(8), parsed by
 * libopenvswitch.
 *
 * Refused, with a reason a person can act on: text that libopenvswitch
 * refuses; a cookie (it marks the owner, ofmcast sets it); a table of
 * ofmcast's own pipeline (10 to 59; "goto_table" into it is fine); a group id
 * in OFP_GROUP_ID_FIRST..LAST, as one's own or in an action (those come and
 * go with the channels); a match whose prerequisites are missing, which Open
 * vSwitch would quietly widen; a group that contains itself; what cannot be
 * said in OpenFlow 1.3, or not in one message of 65,535 bytes; unknown port
 * names.
 *
 * Ownership: a parsed object is the caller's, ofp_static_destroy(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofp_static;

enum ofp_static_kind { OFP_STATIC_FLOW, OFP_STATIC_GROUP };

/* Number of the port called 'name', 0 if there is none. */
typedef uint32_t ofp_port_lookup(void *aux, const char *name);

/* Parses "table=0,priority=..,actions=.." or "group_id=5,type=all,bucket=..".
 * Returns NULL with '*error' set (free() it) if it is refused.  'lookup' is
 * asked for every port name; where 'unknown_ports' is not NULL an unknown name
 * is no error but sets it, and NULL is returned with '*error' naming it: the
 * object has to wait for the port.  (A bare unknown word in the place of an
 * action is a misspelt action, not a port.) */
struct ofp_static *ofp_static_parse(enum ofp_static_kind, const char *text,
                                    ofp_port_lookup *lookup, void *aux,
                                    bool *unknown_ports, char **error);
void ofp_static_destroy(struct ofp_static *);
enum ofp_static_kind ofp_static_kind(const struct ofp_static *);
uint32_t ofp_static_group_id(const struct ofp_static *); /* Of a group. */
/* The groups that its actions name, in '*ids' (the object's own). */
size_t ofp_static_groups_used(const struct ofp_static *, const uint32_t **ids);
/* Do two objects name the same flow (table, priority, match) or group? */
bool ofp_static_same_key(const struct ofp_static *, const struct ofp_static *);
/* The message that adds it, in canonical form: for ofp-table. */
const uint8_t *ofp_static_message(const struct ofp_static *, size_t *size);

#endif
