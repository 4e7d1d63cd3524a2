/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_PORTS_H
#define OFP_PORTS_H 1

/* The ports that one switch has told of, so that only real changes are
 * reported, whatever the switch repeats, and a number that is given to another
 * interface is reported as the end of the old port.
 *
 * For ofp-session.c alone. */

#include "ofp/ofp-session.h"

struct ofp_ports_node;

/* All zero is empty. */
struct ofp_ports {
    struct ofp_ports_node *nodes;
};

typedef void ofp_ports_cb(void *aux, enum ofp_port_change,
                          const struct ofp_port *);

void ofp_ports_uninit(struct ofp_ports *);
/* Reserved ports are left out.  False if there are too many. */
bool ofp_ports_put(struct ofp_ports *, const struct ofp_port *, ofp_ports_cb *,
                   void *aux);
void ofp_ports_remove(struct ofp_ports *, uint32_t no, ofp_ports_cb *,
                      void *aux);
/* Reports each as added. */
void ofp_ports_each(const struct ofp_ports *, ofp_ports_cb *, void *aux);

#endif
