/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-table.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

void
igmp_table_init(struct igmp_table *t)
{
    memset(t, 0, sizeof *t);
    timer_heap_init(&t->member_timers);
    timer_heap_init(&t->port_timers);
}

void
igmp_table_uninit(struct igmp_table *t)
{
    struct igmp_port *port, *next;

    HASH_ITER (hh, t->ports, port, next) {
        while (port->members) {
            struct igmp_group_ctx no_ctx = {.hosts = &t->hosts,
                                            .sources = &port->sources,
                                            .host_sources =
                                                &port->host_sources};
            struct igmp_member *m = port->members;

            m->group.n_sources = 0; /* Nobody is told. */
            m->group.unicast = false;
            igmp_group_uninit(&m->group, &no_ctx);
            igmp_table_remove_member(t, m);
        }
        igmp_table_remove_port(t, port);
    }
    igmp_hosts_uninit(&t->hosts);
    timer_heap_uninit(&t->member_timers);
    timer_heap_uninit(&t->port_timers);
}

/* Ports. */

struct igmp_port *
igmp_table_lookup_port(const struct igmp_table *t, const struct port_id *id)
{
    struct igmp_port *port;

    HASH_FIND(hh, t->ports, id, sizeof *id, port);
    return port;
}

struct igmp_port *
igmp_table_get_port(struct igmp_table *t, const struct port_id *id)
{
    struct igmp_port *port = igmp_table_lookup_port(t, id);

    if (!port) {
        port = xcalloc(1, sizeof *port);
        port->id = *id;
        port->next_query = port->router_until = INT64_MAX;
        HASH_ADD(hh, t->ports, id, sizeof port->id, port);
    }
    return port;
}

void
igmp_table_remove_port(struct igmp_table *t, struct igmp_port *port)
{
    timer_heap_cancel(&t->port_timers, &port->timer);
    igmp_table_set_router(t, port, INT64_MAX);
    igmp_routers_clear(&port->routers);
    HASH_DELETE(hh, t->ports, port);
    free(port);
}

/* Every report is passed on to router ports, of which there are few: they are
 * listed, so that nobody has to look through all ports. */
void
igmp_table_set_router(struct igmp_table *t, struct igmp_port *port,
                      int64_t until)
{
    bool was = port->router_until != INT64_MAX;
    bool is = until != INT64_MAX;

    port->router_until = until;
    if (is && !was) {
        DL_APPEND2(t->routers, port, prev_router, next_router);
    } else if (was && !is) {
        DL_DELETE2(t->routers, port, prev_router, next_router);
    }
}

void
igmp_table_arm_port(struct igmp_table *t, struct igmp_port *port)
{
    int64_t at = port->next_query < port->router_until ? port->next_query
                                                       : port->router_until;

    timer_heap_set(&t->port_timers, &port->timer,
                   at < INT64_MAX - 1 ? at : INT64_MAX);
}

/* Groups and members. */

struct igmp_entry *
igmp_table_lookup(const struct igmp_table *t, const struct ip_addr *group)
{
    struct igmp_entry *entry;

    HASH_FIND(hh, t->entries, group, sizeof *group, entry);
    return entry;
}

static int
compare_ports(const struct port_id *a, const struct port_id *b)
{
    if (a->dpid != b->dpid) {
        return a->dpid < b->dpid ? -1 : 1;
    }
    return a->port_no < b->port_no ? -1 : a->port_no > b->port_no;
}

/* Returns the place of 'id', or where it would stand. */
static size_t
slot_place(const struct igmp_entry *entry, const struct port_id *id)
{
    size_t low = 0, high = entry->n_slots;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_ports(&entry->slots[middle].port, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct igmp_member *
igmp_table_lookup_member(const struct igmp_entry *entry,
                         const struct port_id *id)
{
    size_t i = slot_place(entry, id);

    return i < entry->n_slots && port_id_equal(&entry->slots[i].port, id)
               ? entry->slots[i].member
               : NULL;
}

size_t
igmp_table_first_slot(const struct igmp_entry *entry, uint64_t dpid)
{
    const struct port_id first = {.dpid = dpid};

    return slot_place(entry, &first);
}

/* Makes room for one more.  Doubles from one, not from xgrow()'s four: most
 * groups have one port.  There is always room for as many as the next power of
 * two, or more if there were more, so that it need not be remembered. */
static void *
grow(void *array, size_t n, size_t size)
{
    return n & (n - 1) ? array : xrealloc(array, (n ? n * 2 : 1) * size);
}

struct igmp_member *
igmp_table_add_member(struct igmp_table *t, struct igmp_entry *entry,
                      const struct ip_addr *group, struct igmp_port *port)
{
    if (!entry) {
        entry = xcalloc(1, sizeof *entry);
        entry->address = *group;
        HASH_ADD(hh, t->entries, address, sizeof entry->address, entry);
    }

    struct igmp_member *m = xcalloc(1, sizeof *m);
    igmp_group_init(&m->group);
    m->entry = entry;
    m->port = port;
    m->timer.at = INT64_MAX;
    DL_APPEND(port->members, m);

    size_t i = slot_place(entry, &port->id);
    entry->slots = grow(entry->slots, entry->n_slots, sizeof *entry->slots);
    struct igmp_slot *slot = &entry->slots[i];
    memmove(slot + 1, slot, (entry->n_slots - i) * sizeof *slot);
    *slot = (struct igmp_slot){.port = port->id, .member = m};
    entry->n_slots++;
    t->n_members++;
    return m;
}

void
igmp_table_remove_member(struct igmp_table *t, struct igmp_member *m)
{
    struct igmp_entry *entry = m->entry;
    struct igmp_slot *slot = &entry->slots[slot_place(entry, &m->port->id)];
    size_t i = (size_t) (slot - entry->slots);

    timer_heap_cancel(&t->member_timers, &m->timer);
    entry->n_slots--;
    memmove(slot, slot + 1, (entry->n_slots - i) * sizeof *slot);
    DL_DELETE(m->port->members, m);
    t->n_members--;
    free(m->fixed);
    free(m);
    if (!entry->n_slots) {
        HASH_DELETE(hh, t->entries, entry);
        free(entry->slots);
        free(entry->specials);
        free(entry);
    }
}

static size_t
special_place(const struct igmp_entry *entry, const struct ip_addr *source)
{
    size_t low = 0, high = entry->n_specials;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (ip_addr_compare(&entry->specials[middle].source, source) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
igmp_table_special(struct igmp_entry *entry, const struct ip_addr *source,
                   int delta)
{
    size_t i = special_place(entry, source);
    bool found = i < entry->n_specials
                 && ip_addr_equal(&entry->specials[i].source, source);

    if (!found) {
        entry->specials =
            grow(entry->specials, entry->n_specials, sizeof *entry->specials);
        memmove(&entry->specials[i + 1], &entry->specials[i],
                (entry->n_specials - i) * sizeof *entry->specials);
        entry->n_specials++;
        entry->specials[i] = (struct igmp_special){.source = *source};
    }
    entry->specials[i].n += (uint32_t) delta;
    if (!entry->specials[i].n) {
        entry->n_specials--;
        memmove(&entry->specials[i], &entry->specials[i + 1],
                (entry->n_specials - i) * sizeof *entry->specials);
    }
}
