/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-groups.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api-call.h"
#include "api/api-json.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

/* Without padding and with the vlan's high byte first: memcmp() is the order
 * of vlans, then addresses. */
struct group_id {
    uint8_t vlan[2];
    struct ip_addr group;
};

struct api_groups {
    uint64_t listing; /* Number of the one that is kept; 0 = none. */
    uint64_t last;    /* Number given out last. */
    struct group_id *ids;
    size_t n, allocated;
};

struct api_groups *
api_groups_create(void)
{
    return xcalloc(1, sizeof(struct api_groups));
}

static void
forget(struct api_groups *g)
{
    free(g->ids);
    g->ids = NULL;
    g->n = g->allocated = 0;
    g->listing = 0;
}

void
api_groups_destroy(struct api_groups *g)
{
    if (g) {
        forget(g);
        free(g);
    }
}

static struct group_id
make_id(uint16_t vlan, const struct ip_addr *group)
{
    return (struct group_id){{(uint8_t) (vlan >> 8), (uint8_t) vlan}, *group};
}

static uint16_t
vlan_of(const struct group_id *id)
{
    return (uint16_t) (id->vlan[0] << 8 | id->vlan[1]);
}

static int
compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct group_id));
}

static bool
collect(void *groups, const struct view_group *v)
{
    struct api_groups *g = groups;

    g->ids = xgrow(g->ids, g->n, &g->allocated, sizeof *g->ids);
    g->ids[g->n++] = make_id(v->vlan, &v->group);
    return true;
}

static void
begin_listing(struct api_groups *g, struct ctl *ctl)
{
    forget(g);
    view_groups(ctl, collect, g);
    if (g->n) {
        qsort(g->ids, g->n, sizeof *g->ids, compare_ids);
    }
    g->listing = ++g->last;
}

const char *
api_format_hex(const struct ip_addr *ip, char buf[API_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof ip->b; i++) {
        buf[2 * i] = digits[ip->b[i] >> 4];
        buf[2 * i + 1] = digits[ip->b[i] & 15];
    }
    buf[API_HEX_SIZE - 1] = '\0';
    return buf;
}

/* A cursor is "LISTING.VLAN.GROUP", the last that was shown. */
static void
format_cursor(uint64_t listing, const struct group_id *id,
              struct api_key *cursor)
{
    char hex[API_HEX_SIZE];

    snprintf(cursor->text, sizeof cursor->text, "%" PRIx64 ".%x.%s", listing,
             vlan_of(id), api_format_hex(&id->group, hex));
}

/* Exactly as it was given out: sscanf() alone takes signs and blanks. */
static bool
parse_cursor(const struct api_key *cursor, uint64_t *listing,
             struct group_id *id)
{
    struct api_key again;
    unsigned vlan, byte;
    int at = 0;

    if (sscanf(cursor->text, "%16" SCNx64 ".%4x.%n", listing, &vlan, &at) != 2
        || !at || vlan > 4094) {
        return false;
    }
    *id = make_id((uint16_t) vlan, &IP_ADDR_ANY);
    const char *s = cursor->text + at;
    for (size_t i = 0; i < sizeof id->group.b; i++, s += 2) {
        if (strlen(s) < 2 || sscanf(s, "%2x", &byte) != 1) {
            return false;
        }
        id->group.b[i] = (uint8_t) byte;
    }
    format_cursor(*listing, id, &again);
    return !strcmp(again.text, cursor->text);
}

/* The place of the first behind 'id'. */
static size_t
find_behind(const struct api_groups *g, const struct group_id *id)
{
    size_t low = 0, high = g->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_ids(&g->ids[middle], id) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
take_group(void *json, const struct view_group *v)
{
    *(struct cJSON **) json = api_json_group(v);
    return false;
}

static struct cJSON *
get_group(struct ctl *ctl, const struct group_id *id)
{
    struct cJSON *json = NULL;

    view_group(ctl, vlan_of(id), &id->group, take_group, &json);
    return json;
}

/* Answers with the page that begins at 'i' of the listing. */
static void
send_page(struct api_call *c, struct api_groups *g, size_t i, size_t limit)
{
    char **items = xcalloc(limit, sizeof *items);
    struct api_key next = {""};
    size_t n = 0;
    size_t size;

    for (; i < g->n && n < limit; i++) {
        struct cJSON *json = get_group(c->api.ctl, &g->ids[i]);
        if (json) {
            items[n++] = api_json_text(json);
        }
    }
    if (i < g->n) {
        format_cursor(g->listing, &g->ids[i - 1], &next);
    } else {
        forget(g);
    }
    char *text = api_json_page("groups", items, n, next.text, &size);
    free(items);
    api_call_text(c, "application/json", text, size);
}

void
api_get_groups(struct api_call *c)
{
    struct api_groups *kept = c->api.groups;
    struct api_groups *own = kept ? NULL : api_groups_create();
    struct api_groups *g = kept ? kept : own;
    struct group_id after = make_id(0, &IP_ADDR_ANY);
    uint64_t listing = 0;
    struct api_list list;

    if (api_call_page(c, &list)) {
        bool from_start = !*list.after.text;
        if (!from_start && !parse_cursor(&list.after, &listing, &after)) {
            api_call_bad_cursor(c);
        } else {
            if (!listing || listing != g->listing) {
                begin_listing(g, c->api.ctl);
            }
            send_page(c, g, from_start ? 0 : find_behind(g, &after),
                      list.limit);
        }
    }
    api_groups_destroy(own);
}

static bool
parse_vlan(const char *s, uint16_t *vlan)
{
    unsigned long n = strtoul(s, NULL, 10);

    if (strspn(s, "0123456789") != strlen(s) || strlen(s) > 4 || n > 4094) {
        return false;
    }
    *vlan = (uint16_t) n;
    return true;
}

bool
api_call_channel(struct api_call *c, uint16_t *vlan, struct ip_addr *group)
{
    if (!parse_vlan(c->args[0], vlan)) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "'%.64s' is no vlan: 0 (untagged) to 4094.",
                         c->args[0]);
        return false;
    }
    if (!ip_addr_parse(c->args[1], group) || !ip_addr_is_multicast(group)) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "'%.64s' is no multicast address.", c->args[1]);
        return false;
    }
    return true;
}

void
api_get_group(struct api_call *c)
{
    struct ip_addr group;
    uint16_t vlan;

    if (!api_call_channel(c, &vlan, &group)) {
        return;
    }
    struct group_id id = make_id(vlan, &group);
    struct cJSON *json = get_group(c->api.ctl, &id);
    if (json) {
        api_call_json(c, 200, json);
    } else {
        api_call_not_found(c);
    }
}
