/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire.h"
#include "lib/xalloc.h"

static void
got_bytes(void *r_, const void *bytes, size_t size)
{
    struct rig *r = r_;

    ofpbuf_put(&r->replies, bytes, size);
}

void
rig_got_frame(void *r_, uint32_t out_port, const void *frame, size_t size)
{
    struct rig *r = r_;

    assert_true(r->n_frames < MAX_FRAMES);
    r->frames[r->n_frames].port = out_port;
    r->frames[r->n_frames].size = size;
    memcpy(r->frames[r->n_frames++].bytes, frame, size);
}

static void
got_change(void *r_)
{
    struct rig *r = r_;

    r->n_changed++;
}

static const char *
decide(void *r_, enum fake_mod_kind kind, uint64_t n)
{
    struct rig *r = r_;

    (void) kind;
    return n == r->refuse_at ? r->refuse : NULL;
}

int
rig_setup(void **state)
{
    static const struct fake_switch_ops ops = {
        .send = got_bytes,
        .output = rig_got_frame,
        .changed = got_change,
        .refuse = decide,
    };
    struct rig *r = calloc(1, sizeof *r);

    ofpbuf_init(&r->replies, 0);
    r->sw = fake_switch_create(0x1234, &ops, r);
    for (uint32_t port = 1; port <= 4; port++) {
        char name[16];

        snprintf(name, sizeof name, "s1-eth%u", port);
        fake_switch_add_port(r->sw, port, name);
    }
    fake_switch_connect(r->sw);
    ofpbuf_clear(&r->replies);
    *state = r;
    return 0;
}

int
rig_teardown(void **state)
{
    struct rig *r = *state;

    fake_switch_destroy(r->sw);
    ofpbuf_uninit(&r->replies);
    free(r->reply);
    free(r);
    return 0;
}

void
rig_send_msg(struct rig *r, struct ofpbuf *msg)
{
    ofpmsg_update_length(msg);
    fake_switch_input(r->sw, msg->data, msg->size);
    ofpbuf_delete(msg);
}

struct ofpbuf *
rig_flow_mod(int command, const char *text)
{
    enum ofputil_protocol usable;
    struct ofputil_flow_mod fm;
    char *error =
        parse_ofp_flow_mod_str(&fm, text, NULL, NULL, command, &usable);

    if (error) {
        fail_msg("%s", error);
    }

    struct ofpbuf *msg = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF13_OXM);

    ofpmsg_update_length(msg);
    minimatch_destroy(&fm.match);
    free(fm.ofpacts);
    return msg;
}

struct ofpbuf *
rig_group_mod(int command, const char *text)
{
    enum ofputil_protocol usable;
    struct ofputil_group_mod gm;
    char *error =
        parse_ofp_group_mod_str(&gm, command, text, NULL, NULL, &usable);

    if (error) {
        fail_msg("%s", error);
    }

    struct ofpbuf *msg = ofputil_encode_group_mod(OFP13_VERSION, &gm, NULL, 0);

    ofpmsg_update_length(msg);
    ofputil_uninit_group_mod(&gm);
    return msg;
}

/* A group that libopenvswitch would not let us write: weight without type
 * select.  The weight of the first bucket stands in bytes 18 and 19. */
struct ofpbuf *
rig_bad_group_mod(void)
{
    struct ofpbuf *msg =
        rig_group_mod(OFPGC11_ADD, "group_id=8,type=all,bucket=output:2");

    ((uint8_t *) msg->data)[19] = 5;
    return msg;
}

/* The next reply, which must be of 'type'; NULL if there is none. */
const struct ofp_header *
rig_next_reply(struct rig *r, enum ofptype want)
{
    enum ofptype type;

    if (r->replies.size < sizeof(struct ofp_header)) {
        return NULL;
    }

    const uint8_t *bytes = r->replies.data;
    size_t size = (size_t) (bytes[2] << 8 | bytes[3]);

    /* A copy, as messages in a stream are not aligned. */
    assert_true(size <= r->replies.size);
    free(r->reply);
    r->reply = xmemdup(bytes, size);
    ofpbuf_pull(&r->replies, size);
    assert_int_equal(ofptype_decode(&type, r->reply), 0);
    assert_int_equal(type, want);
    return r->reply;
}

void
rig_expect_error(struct rig *r, enum ofperr want)
{
    const struct ofp_header *oh = rig_next_reply(r, OFPTYPE_ERROR);

    assert_non_null(oh);
    assert_string_equal(ofperr_get_name(ofperr_decode_msg(oh, NULL)),
                        ofperr_get_name(want));
}

void
rig_expect_nothing(struct rig *r)
{
    assert_int_equal(r->replies.size, 0);
}

void
rig_add_flow(struct rig *r, const char *text)
{
    rig_send_msg(r, rig_flow_mod(OFPFC_ADD, text));
}

void
rig_add_group(struct rig *r, const char *text)
{
    rig_send_msg(r, rig_group_mod(OFPGC11_ADD, text));
}

void
rig_expect_flows(struct rig *r, const char *want)
{
    char *got = fake_switch_dump_flows(r->sw);

    assert_string_equal(got, want);
    free(got);
}

void
rig_expect_groups(struct rig *r, const char *want)
{
    char *got = fake_switch_dump_groups(r->sw);

    assert_string_equal(got, want);
    free(got);
}

/* UDP 192.168.168.55:1000 -> 226.2.2.2:5004, TTL 1, from a tag of vlan 'vlan'
 * if that is not 0, fragment offset 'offset' (in 8 bytes). */
size_t
rig_make_frame(uint8_t *buf, uint16_t vlan, uint16_t offset)
{
    static const char payload[] = "12345678";
    struct wire_writer w;
    size_t ip, udp;

    wire_writer_init(&w, buf, 256);
    wire_put(&w, "\x01\x00\x5e\x02\x02\x02\x00\x00\x00\x00\x00\x01", 12);
    if (vlan) {
        wire_put_be16(&w, 0x8100);
        wire_put_be16(&w, vlan);
    }
    wire_put_be16(&w, 0x0800);
    ip = w.at;
    wire_put(&w, "\x45\x00\x00\x24\x00\x01", 6);
    wire_put_be16(&w, offset);
    wire_put(&w, "\x01\x11\x00\x00\xc0\xa8\xa8\x37\xe2\x02\x02\x02", 12);
    wire_patch_be16(&w, ip + 10, wire_checksum(buf + ip, 20));
    udp = w.at;
    wire_put_be16(&w, 1000);
    wire_put_be16(&w, 5004);
    wire_put_be16(&w, 16);
    wire_put_be16(&w, 0);
    wire_put(&w, payload, 8);
    if (!offset) {
        uint8_t pseudo[12 + 16];

        memcpy(pseudo, buf + ip + 12, 8);
        memcpy(pseudo + 8, "\x00\x11\x00\x10", 4);
        memcpy(pseudo + 12, buf + udp, 16);
        wire_patch_be16(&w, udp + 6, wire_checksum(pseudo, sizeof pseudo));
    }
    return w.at;
}

void
rig_inject(struct rig *r, uint32_t in_port, uint16_t vlan, uint16_t offset)
{
    uint8_t buf[256];
    size_t size = rig_make_frame(buf, vlan, offset);

    r->n_frames = 0;
    fake_switch_packet(r->sw, in_port, buf, size, rig_got_frame, r);
}

void
rig_expect_ports(struct rig *r, const char *want)
{
    char got[256] = "";

    for (int i = 0; i < r->n_frames; i++) {
        size_t n = strlen(got);

        if (r->frames[i].port == FAKE_PORT_CONTROLLER) {
            snprintf(got + n, sizeof got - n, "%sctl", i ? " " : "");
        } else {
            snprintf(got + n, sizeof got - n, "%s%u", i ? " " : "",
                     r->frames[i].port);
        }
    }
    assert_string_equal(got, want);
}

/* Both checksums of frame 'i' are right. */
void
rig_expect_sums(struct rig *r, int i)
{
    const uint8_t *ip =
        r->frames[i].bytes + (r->frames[i].bytes[12] == 0x81 ? 18 : 14);
    uint8_t pseudo[12 + 16];

    assert_int_equal(wire_checksum(ip, 20), 0);
    memcpy(pseudo, ip + 12, 8);
    memcpy(pseudo + 8, "\x00\x11\x00\x10", 4);
    memcpy(pseudo + 12, ip + 20, 16);
    assert_int_equal(wire_checksum(pseudo, sizeof pseudo), 0);
}
