/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* "route neutral": a source that keeps checksums.  Asks no daemon. */

#include "api/ctl-command.h"

#include "lib/neutral.h"

static bool
parse_address(const char *text, struct ip_addr *out)
{
    if (!ip_addr_parse(text, out) || !ip_addr_is_v4(out)) {
        ctl_complain("'%s' is not an IPv4 address", text);
        return false;
    }
    return true;
}

int
ctl_run_route_neutral(struct ctl_options *o, int argc, char *argv[])
{
    struct ip_addr source, out, groups[2] = {ip_addr_v4(0), ip_addr_v4(0)};
    struct ip_prefix pool;
    char text[IP_ADDR_STRLEN];

    (void) o;
    if (argc == 3) {
        ctl_complain("give both GROUP and NEW-GROUP, or neither");
        return CTL_USAGE;
    }
    if (!parse_address(argv[0], &source)
        || (argc == 4
            && (!parse_address(argv[2], &groups[0])
                || !parse_address(argv[3], &groups[1])))) {
        return CTL_USAGE;
    }
    if (!ip_prefix_parse(argv[1], &pool) || !ip_addr_is_v4(&pool.addr)
        || pool.len < 96) {
        ctl_complain("'%s' is not an IPv4 prefix", argv[1]);
        return CTL_USAGE;
    }
    if (!neutral_source(&source, &groups[0], &groups[1], &pool, &out)) {
        ctl_complain("%s has no such address: try a shorter prefix", argv[1]);
        return CTL_FAILED;
    }
    puts(ip_addr_format(&out, text));
    return CTL_OK;
}
