/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_RIG_H
#define TESTS_SIM_RIG_H 1

/* A fake switch with four ports and a recorder, for its own tests.
 *
 * Messages are built from ovs-ofctl text by libopenvswitch: no code of ours is
 * on this side either. */

#include <stddef.h>
#include <stdint.h>

#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofpbuf.h>

#include "tests/sim/fake-switch.h"

enum { MAX_FRAMES = 16 };

struct rig {
    struct fake_switch *sw;
    struct ofpbuf replies;
    struct ofp_header *reply; /* The last that rig_next_reply() returned. */
    int n_changed;
    const char *refuse; /* What to answer... */
    uint64_t refuse_at; /* ...when asked about this modification. */

    struct {
        uint32_t port;
        size_t size;
        uint8_t bytes[256];
    } frames[MAX_FRAMES];
    int n_frames;
};

void rig_got_frame(void *r_, uint32_t out_port, const void *frame,
                   size_t size);
int rig_setup(void **state);
int rig_teardown(void **state);
void rig_send_msg(struct rig *r, struct ofpbuf *msg);
struct ofpbuf *rig_flow_mod(int command, const char *text);
struct ofpbuf *rig_group_mod(int command, const char *text);
struct ofpbuf *rig_bad_group_mod(void);
const struct ofp_header *rig_next_reply(struct rig *r, enum ofptype want);
void rig_expect_error(struct rig *r, enum ofperr want);
void rig_expect_nothing(struct rig *r);
void rig_add_flow(struct rig *r, const char *text);
void rig_add_group(struct rig *r, const char *text);
void rig_expect_flows(struct rig *r, const char *want);
void rig_expect_groups(struct rig *r, const char *want);
size_t rig_make_frame(uint8_t *buf, uint16_t vlan, uint16_t offset);
void rig_inject(struct rig *r, uint32_t in_port, uint16_t vlan,
                uint16_t offset);
void rig_expect_ports(struct rig *r, const char *want);
void rig_expect_sums(struct rig *r, int i);

#endif
