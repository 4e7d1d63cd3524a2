/* SPDX-License-Identifier: Apache-2.0 */
/* Ports, with what goes through them. */
#include <config.h>

#include "api/ctl-show.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

#include "api/ctl-client.h"

/* "-" where it is not counted, or nobody has told yet. */
static void
add_count(struct ctl_table *t, const struct cJSON *counters, const char *name,
          bool is_loss)
{
    uint64_t n = ctl_get_u64(counters, name);
    char text[24];

    if (!cJSON_GetObjectItemCaseSensitive(counters, name)) {
        ctl_table_add(t, "-");
        return;
    }
    snprintf(text, sizeof text, "%" PRIu64, n);
    ctl_table_add_color(t, is_loss && n ? CTL_YELLOW : CTL_PLAIN, text);
}

static void
add_port(struct ctl_table *t, const struct cJSON *sw, const struct cJSON *p)
{
    const struct cJSON *c = cJSON_GetObjectItemCaseSensitive(p, "counters");
    bool up = !strcmp(ctl_get_text(p, "state"), "up");

    ctl_table_add(t, "%s", ctl_short_dpid(ctl_get_text(sw, "dpid")));
    ctl_table_add_number(t, p, "port");
    ctl_table_add(t, "%s", ctl_get_text(p, "name"));
    ctl_table_add_color(t, up ? CTL_GREEN : CTL_RED, ctl_get_text(p, "state"));
    ctl_table_add(t, "%s", ctl_get_text(p, "kind"));
    add_count(t, c, "rx_packets", false);
    add_count(t, c, "rx_bytes", false);
    add_count(t, c, "rx_dropped", true);
    add_count(t, c, "rx_errors", true);
    add_count(t, c, "tx_packets", false);
    add_count(t, c, "tx_bytes", false);
    add_count(t, c, "tx_dropped", true);
    add_count(t, c, "tx_errors", true);
}

void
ctl_print_ports(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "SWITCH",    "<PORT",    "NAME",     "STATE",   "KIND",
        "<RECEIVED", "<BYTES",   "<DROPPED", "<ERRORS", "<SENT",
        "<BYTES",    "<DROPPED", "<ERRORS",  NULL};
    struct ctl_table t;
    const struct cJSON *sw, *p;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (sw, items) {
        cJSON_ArrayForEach (p, cJSON_GetObjectItemCaseSensitive(sw, "ports")) {
            add_port(&t, sw, p);
        }
    }
    ctl_table_print(&t, out, color, "no ports");
}
