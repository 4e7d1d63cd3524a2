/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/history.h"

#include <stddef.h>

void
history_add(struct history *h, const struct history_entry *entry)
{
    h->ring[h->next++ % HISTORY_SIZE] = *entry;
}

/* Backwards through all of it: it is looked at when a person asks. */
const struct history_entry *
history_find(const struct history *h, uint16_t vlan,
             const struct ip_addr *group, const struct port_id *port)
{
    for (unsigned int i = 1; i <= HISTORY_SIZE; i++) {
        const struct history_entry *e = &h->ring[(h->next - i) % HISTORY_SIZE];
        if (!e->at) {
            break;
        }
        if (e->vlan == vlan && port_id_equal(&e->port, port)
            && ip_addr_equal(&e->group, group)) {
            return e;
        }
    }
    return NULL;
}
