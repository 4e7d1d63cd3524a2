/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/pools.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl-private.h"
#include "controller/json.h"
#include "controller/log.h"
#include "controller/route-ports.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(pools);

/* A hash key: no padding. */
struct loan_key {
    uint64_t dpid;
    char port[TOPO_PORT_NAME_SIZE]; /* Filled up with zeros. */
};

/* An address, and the port that has it, or had it last. */
struct loan {
    UT_hash_handle hh; /* In pool->loans. */
    struct loan_key key;
    uint32_t address; /* Its lowest 32 bits: the rest is the pool's. */
    uint32_t freed;   /* When, in the order in which loans end; 0: in use. */
    bool stored;
};

struct pool {
    UT_hash_handle hh; /* In ctl->pools. */
    struct ip_prefix prefix;
    struct loan *loans;
    uint32_t first, last; /* Addresses that it has. */
    uint64_t fresh;       /* From here on nobody ever had one. */
    uint32_t last_freed;
    bool dirty; /* Not stored as it is. */
};

static struct pool *
pool_lookup(const struct ctl *ctl, const struct ip_prefix *prefix)
{
    struct pool *pool;
    HASH_FIND(hh, ctl->pools, prefix, sizeof *prefix, pool);
    return pool;
}

static struct pool *
pool_make(struct ctl *ctl, const struct ip_prefix *prefix)
{
    struct pool *pool = pool_lookup(ctl, prefix);
    if (!pool) {
        /* Of IPv6 no more than IPv4 could have. */
        uint32_t hosts =
            prefix->len < 96
                ? UINT32_MAX
                : (uint32_t) (0xffffffffULL >> (prefix->len - 96));
        pool = xcalloc(1, sizeof *pool);
        pool->prefix = *prefix;
        pool->first = ip_addr_to_v4(&prefix->addr);
        pool->last = pool->first + hosts;
        if (hosts > 1) {
            pool->first++;
            pool->last--;
        }
        pool->fresh = pool->first;
        HASH_ADD(hh, ctl->pools, prefix, sizeof pool->prefix, pool);
    }
    return pool;
}

static struct ip_addr
address_of(const struct pool *pool, uint32_t address)
{
    const struct ip_addr lower = ip_addr_v4(address);
    return ip_addr_join(&pool->prefix.addr, 32, &lower);
}

static struct loan_key
key_of(uint64_t dpid, const char *port)
{
    struct loan_key key = {.dpid = dpid};
    /* Shorter than the room: it is zero. */
    memcpy(key.port, port, strnlen(port, sizeof key.port - 1));
    return key;
}

static struct loan *
find_loan(const struct pool *pool, const struct loan_key *key)
{
    struct loan *loan;
    HASH_FIND(hh, pool->loans, key, sizeof *key, loan);
    return loan;
}

static struct loan *
add_loan(struct pool *pool, const struct loan_key *key, uint32_t address)
{
    struct loan *loan = xcalloc(1, sizeof *loan);
    loan->key = *key;
    loan->address = address;
    HASH_ADD(hh, pool->loans, key, sizeof loan->key, loan);
    if (address >= pool->fresh) {
        pool->fresh = (uint64_t) address + 1;
    }
    return loan;
}

/* Giving. */

static bool
is_given_elsewhere(const struct ctl *ctl, const struct pool *pool,
                   uint32_t address)
{
    const struct ip_addr ip = address_of(pool, address);
    for (const struct pool *p = ctl->pools; p; p = p->hh.next) {
        if (p == pool || !ip_prefix_contains(&p->prefix, &ip)) {
            continue;
        }
        for (const struct loan *l = p->loans; l; l = l->hh.next) {
            const struct ip_addr given = address_of(p, l->address);
            if (!l->freed && ip_addr_equal(&given, &ip)) {
                return true;
            }
        }
    }
    return false;
}

static struct loan *
lend_fresh(const struct ctl *ctl, struct pool *pool,
           const struct loan_key *key)
{
    while (pool->fresh <= pool->last
           && is_given_elsewhere(ctl, pool, (uint32_t) pool->fresh)) {
        pool->fresh++;
    }
    return pool->fresh <= pool->last
               ? add_loan(pool, key, (uint32_t) pool->fresh)
               : NULL;
}

static struct loan *
lend_freed(const struct ctl *ctl, struct pool *pool,
           const struct loan_key *key)
{
    struct loan *oldest = NULL;
    for (struct loan *l = pool->loans; l; l = l->hh.next) {
        if (l->freed && (!oldest || l->freed < oldest->freed)
            && !is_given_elsewhere(ctl, pool, l->address)) {
            oldest = l;
        }
    }
    if (oldest) {
        HASH_DELETE(hh, pool->loans, oldest);
        oldest->key = *key;
        oldest->freed = 0;
        oldest->stored = false;
        HASH_ADD(hh, pool->loans, key, sizeof oldest->key, oldest);
    }
    return oldest;
}

void
pool_reserve(struct ctl *ctl, const struct ip_prefix *prefix, uint64_t dpid,
             const struct topo_port *port)
{
    struct pool *pool = pool_make(ctl, prefix);
    const struct loan_key key = key_of(dpid, port->name);
    struct loan *loan = find_loan(pool, &key);
    if (loan && loan->freed && is_given_elsewhere(ctl, pool, loan->address)) {
        return; /* Another pool was faster. */
    }
    if (loan && loan->freed) {
        loan->freed = 0;
        pool->dirty = true;
    } else if (!loan) {
        loan = lend_fresh(ctl, pool, &key);
        loan = loan ? loan : lend_freed(ctl, pool, &key);
        pool->dirty |= loan != NULL;
    }
}

bool
pool_get(const struct ctl *ctl, const struct ip_prefix *prefix, uint64_t dpid,
         const struct topo_port *port, struct ip_addr *source)
{
    const struct pool *pool = pool_lookup(ctl, prefix);
    const struct loan_key key = key_of(dpid, port->name);
    const struct loan *loan = pool ? find_loan(pool, &key) : NULL;
    if (!loan || loan->freed || !loan->stored) {
        return false;
    }
    *source = address_of(pool, loan->address);
    return true;
}

/* Taking back. */

/* A port that is named by a number may be any while it is away. */
static bool
route_gives(const struct ctl *ctl, const struct route *route,
            const struct pool *pool, const struct loan_key *key)
{
    const struct route_match *m = &route->match;
    const struct topo_port *port =
        topo_find_port(ctl->topo, key->dpid, key->port);
    return route->set.has_source_pool
           && !memcmp(&route->set.source_pool, &pool->prefix,
                      sizeof pool->prefix)
           && (!m->has_dpid || m->dpid == key->dpid)
           && (!m->has_port || route_glob_fits(m->port, key->port)
               || (port
                   && route_means_port(ctl->topo, key->dpid, m->port, port))
               || (!port && !m->port[strspn(m->port, "0123456789")]));
}

static bool
is_wanted(const struct ctl *ctl, const struct pool *pool,
          const struct loan *loan)
{
    const struct rule *rule = ctl->rules[STORE_ROUTE];
    while (rule && !route_gives(ctl, rule->route, pool, &loan->key)) {
        rule = rule->hh.next;
    }
    return rule != NULL;
}

bool
pools_sweep(struct ctl *ctl)
{
    bool freed = false;
    for (struct pool *pool = ctl->pools; pool; pool = pool->hh.next) {
        for (struct loan *l = pool->loans; l; l = l->hh.next) {
            if (!l->freed && !is_wanted(ctl, pool, l)) {
                l->freed = ++pool->last_freed;
                pool->dirty = freed = true;
            }
        }
        pool_keep(ctl, &pool->prefix);
    }
    return freed;
}

/* The store: {"ports": [{"dpid", "port", "source", "freed"}]} */

static struct cJSON *
loan_json(const struct pool *pool, const struct loan *loan)
{
    struct cJSON *o = cJSON_CreateObject();
    const struct ip_addr source = address_of(pool, loan->address);
    char dpid[DPID_STRLEN], ip[IP_ADDR_STRLEN];
    cJSON_AddStringToObject(o, "dpid", dpid_format(loan->key.dpid, dpid));
    cJSON_AddStringToObject(o, "port", loan->key.port);
    cJSON_AddStringToObject(o, "source", ip_addr_format(&source, ip));
    if (loan->freed) {
        cJSON_AddNumberToObject(o, "freed", loan->freed);
    }
    return o;
}

static char *
pool_json(const struct pool *pool)
{
    struct cJSON *o = cJSON_CreateObject();
    struct cJSON *ports = cJSON_AddArrayToObject(o, "ports");
    for (const struct loan *l = pool->loans; l; l = l->hh.next) {
        cJSON_AddItemToArray(ports, loan_json(pool, l));
    }
    char *json = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return json;
}

void
pool_keep(struct ctl *ctl, const struct ip_prefix *prefix)
{
    struct pool *pool = pool_lookup(ctl, prefix);
    char name[IP_PREFIX_STRLEN];
    if (!pool || !pool->dirty) {
        return;
    }
    char *json = pool_json(pool);
    struct store_row row = {.name = ip_prefix_format(prefix, name),
                            .json = json};
    pool->dirty = rule_store(ctl, STORE_POOL, &row) != 0;
    free(json);
    for (struct loan *l = pool->loans; l && !pool->dirty; l = l->hh.next) {
        l->stored = true;
    }
}

static void
load_loan(struct pool *pool, const struct cJSON *item)
{
    struct json_error error = {.failed = false};
    const struct json_at at = {item, "", &error};
    char port[JSON_PORT_SIZE];
    const char *text;
    struct ip_addr source;
    uint64_t dpid;
    int64_t freed = 0;
    if (!json_get_dpid(&at, "dpid", &dpid) || !json_get_port(&at, "port", port)
        || !json_get_string(&at, "source", &text)
        || !ip_addr_parse(text, &source)
        || !ip_prefix_contains(&pool->prefix, &source)) {
        return;
    }
    const struct loan_key key = key_of(dpid, port);
    json_get_int(&at, "freed", 1, UINT32_MAX, &freed);
    if (!find_loan(pool, &key)) {
        struct loan *loan = add_loan(pool, &key, ip_addr_to_v4(&source));
        loan->stored = true;
        loan->freed = (uint32_t) freed;
        if (loan->freed > pool->last_freed) {
            pool->last_freed = loan->freed;
        }
    }
}

static void
load_row(void *ctl_, const struct store_row *row)
{
    struct ctl *ctl = ctl_;
    struct json_error error = {.failed = false};
    struct ip_prefix prefix;
    struct cJSON *json = json_parse(row->json, strlen(row->json), &error);
    if (!json || !ip_prefix_parse(row->name, &prefix)) {
        VLOG_ERR("the pool %s is not understood", row->name);
    } else {
        struct pool *pool = pool_make(ctl, &prefix);
        const struct cJSON *item;
        cJSON_ArrayForEach (item,
                            cJSON_GetObjectItemCaseSensitive(json, "ports")) {
            load_loan(pool, item);
        }
    }
    cJSON_Delete(json);
}

void
pools_load(struct ctl *ctl)
{
    store_each(ctl->store, STORE_POOL, load_row, ctl);
    ctl->pools_stale = true; /* We may have been killed before a sweep. */
}

void
pools_destroy(struct ctl *ctl)
{
    struct pool *pool, *tmp;
    HASH_ITER (hh, ctl->pools, pool, tmp) {
        struct loan *loan, *next;
        HASH_ITER (hh, pool->loans, loan, next) {
            HASH_DELETE(hh, pool->loans, loan);
            free(loan);
        }
        HASH_DELETE(hh, ctl->pools, pool);
        free(pool);
    }
}
