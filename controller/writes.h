/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_WRITES_H
#define CONTROLLER_WRITES_H 1

/* Writes of rules: stored, compiled, confirmed by the switches, answered; or
 * put back, where a switch or the store refuses.  Each asker is answered
 * exactly once, now or later. */

#include "controller/ctl-private.h"

/* Who wants a write, and how long they wait for it. */
struct write_asker {
    enum ctl_wait wait;
    int64_t timeout_ms;
    ctl_done_cb *cb;
    void *aux;
};

/* Without a write: what is asked for cannot be. */
void write_answer(const struct write_asker *, enum ctl_outcome,
                  const char *pointer, const char *detail);
/* 'json' is the body as it is stored; 'applied' what the store shall remember
 * of a group that is there. */
void writes_put(struct ctl *, enum store_kind, const char *name,
                const char *json, bool applied, const struct write_asker *);
/* What leaves no trace on a switch that would have to be remembered. */
void writes_erase(struct ctl *, enum store_kind, const char *name,
                  const struct write_asker *);
/* Of a flow or static group, which the store keeps until it is off its
 * switch. */
void writes_mark_gone(struct ctl *, struct rule *, const struct write_asker *);
/* Stores what has been compiled, and is perhaps on the switches, but is not
 * stored yet. */
loop_cb writes_store;

void writes_settled(struct ctl_switch *);
void writes_rejected(struct ctl_switch *, ofp_owner, const char *error);
void writes_abandon(struct ctl *);
/* Is one of this rule under way? */
bool writes_concern(const struct ctl *, enum store_kind, const char *name);

#endif
