/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* Bundles as Open vSwitch 3.1 has them in OpenFlow 1.3 (ONF extension 230). */

static struct fake_bundle *
lookup(struct fake_switch *sw, uint32_t id)
{
    struct fake_bundle *b;

    LIST_FOR_EACH (b, node, &sw->bundles) {
        if (b->id == id) {
            return b;
        }
    }
    return NULL;
}

static void
destroy(struct fake_bundle *b)
{
    ovs_list_remove(&b->node);
    for (size_t i = 0; i < b->n; i++) {
        ofpbuf_delete(b->messages[i]);
    }
    free(b->messages);
    free(b);
}

void
fake_bundles_forget(struct fake_switch *sw)
{
    struct fake_bundle *b, *next;

    LIST_FOR_EACH_SAFE (b, next, node, &sw->bundles) {
        destroy(b);
    }
}

static struct fake_bundle *
create(struct fake_switch *sw, uint32_t id, uint16_t flags)
{
    struct fake_bundle *b = xcalloc(1, sizeof *b);

    b->id = id;
    b->flags = flags;
    ovs_list_push_back(&sw->bundles, &b->node);
    return b;
}

/* An error of any kind about a bundle is its end. */
static enum ofperr
drop(struct fake_bundle *b, enum ofperr error)
{
    if (error) {
        destroy(b);
    }
    return error;
}

static enum ofperr
commit(struct fake_switch *sw, struct fake_bundle *b)
{
    uint64_t n_cascaded = sw->tables.n_cascaded;

    for (size_t i = 0; i < b->n; i++) {
        const struct ofp_header *outer = b->messages[i]->data;
        struct ofputil_bundle_add_msg add;
        enum ofperr error = ofputil_decode_bundle_add(outer, &add, NULL);

        if (!error) {
            error = fake_modify(sw, add.msg);
        }
        if (error) {
            fake_send_error(sw, error, outer);
            fake_tables_revert(&sw->tables);
            sw->counters.failed_commits++;
            sw->counters.crashes += sw->tables.n_cascaded > n_cascaded;
            return OFPERR_OFPBFC_MSG_FAILED;
        }
    }
    sw->counters.commits++;
    fake_settle(sw);
    return 0;
}

static enum ofperr
control(struct fake_switch *sw, const struct ofputil_bundle_ctrl_msg *ctrl)
{
    struct fake_bundle *b = lookup(sw, ctrl->bundle_id);
    enum ofperr error = 0;

    if (ctrl->type == OFPBCT_OPEN_REQUEST) {
        if (b) {
            return drop(b, OFPERR_OFPBFC_BAD_ID);
        }
        create(sw, ctrl->bundle_id, ctrl->flags);
        return 0;
    }
    if (!b) {
        return OFPERR_OFPBFC_BAD_ID;
    }
    if (ctrl->type == OFPBCT_CLOSE_REQUEST) {
        error = b->closed                 ? OFPERR_OFPBFC_BUNDLE_CLOSED
                : b->flags != ctrl->flags ? OFPERR_OFPBFC_BAD_FLAGS
                                          : 0;
        b->closed = true;
        return drop(b, error);
    } else if (ctrl->type == OFPBCT_COMMIT_REQUEST) {
        error =
            b->flags != ctrl->flags ? OFPERR_OFPBFC_BAD_FLAGS : commit(sw, b);
    } else {
        sw->counters.discards++;
    }
    destroy(b);
    return error;
}

enum ofperr
fake_bundle_control(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_bundle_ctrl_msg ctrl;
    enum ofperr error;

    if (sw->faults.no_bundles) {
        return OFPERR_OFPBRC_BAD_VENDOR;
    }
    error = ofputil_decode_bundle_ctrl(oh, &ctrl);
    if (error) {
        return error;
    }
    /* Requests have even numbers, the reply to one is the next. */
    if (ctrl.type & 1 || ctrl.type > OFPBCT_DISCARD_REQUEST) {
        return OFPERR_OFPBFC_BAD_TYPE;
    }
    error = control(sw, &ctrl);
    if (!error) {
        ctrl.type++;
        ctrl.flags = 0;
        fake_send(sw, ofputil_encode_bundle_ctrl_reply(oh, &ctrl));
    }
    return error;
}

enum ofperr
fake_bundle_add(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_bundle_add_msg add;
    enum ofperr error;

    if (sw->faults.no_bundles) {
        return OFPERR_OFPBRC_BAD_VENDOR;
    }
    error = ofputil_decode_bundle_add(oh, &add, NULL);
    if (!error) {
        error = fake_check_mod(add.msg);
    }
    if (error) {
        return error; /* The bundle stays as it is: ovs-facts.md 2. */
    }

    struct fake_bundle *b = lookup(sw, add.bundle_id);

    if (!b) {
        b = create(sw, add.bundle_id, add.flags);
    } else if (b->closed || b->flags != add.flags) {
        return drop(b, b->closed ? OFPERR_OFPBFC_BUNDLE_CLOSED
                                 : OFPERR_OFPBFC_BAD_FLAGS);
    }
    b->messages = xgrow(b->messages, b->n, &b->allocated, sizeof *b->messages);
    b->messages[b->n++] = ofpbuf_clone_data(oh, ntohs(oh->length));
    return 0;
}
