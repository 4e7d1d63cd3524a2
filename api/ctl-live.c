/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/ctl-live.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-command.h"
#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* "02:...>01:... 10.1.0.10>226.2.2.2 ttl 1 dscp 0 1344 bytes ..." */
static void
print_headers(const struct cJSON *h)
{
    printf("%s>%s", ctl_get_text(h, "eth_src"), ctl_get_text(h, "eth_dst"));
    if (ctl_get_number(h, "vlan") > 0) {
        printf(" vlan %.0f", ctl_get_number(h, "vlan"));
    }
    printf(" %s>%s ttl %.0f dscp %.0f, %.0f bytes", ctl_get_text(h, "source"),
           ctl_get_text(h, "destination"), ctl_get_number(h, "ttl"),
           ctl_get_number(h, "dscp"), ctl_get_number(h, "size"));
    if (cJSON_IsNumber(get(h, "udp_dst"))) {
        printf(", udp %.0f>%.0f checksum %s", ctl_get_number(h, "udp_src"),
               ctl_get_number(h, "udp_dst"), ctl_get_text(h, "udp_checksum"));
    } else if (!ctl_get_bool(h, "fragment")) {
        printf(", protocol %.0f", ctl_get_number(h, "protocol"));
    }
    if (ctl_get_bool(h, "fragment")) {
        printf(", fragment at %.0f%s", ctl_get_number(h, "fragment_offset"),
               ctl_get_bool(h, "more_fragments") ? ", not the last" : "");
    }
    if (!strcmp(ctl_get_text(h, "ip_checksum"), "bad")) {
        printf(", IP checksum BAD");
    }
    printf("\n");
}

/* "s1-eth2, s1-eth3 and 7 more" */
static char *
name_ports(const struct cJSON *rewriting)
{
    enum { MOST = 4 };
    const struct cJSON *port;
    char *names = xstrdup("");
    int n = 0;

    cJSON_ArrayForEach (port, get(rewriting, "ports")) {
        if (n++ < MOST) {
            char *name = ctl_port_text(port);
            ctl_append(&names, n > 1 ? ", " : "", "%s", name);
            free(name);
        }
    }
    if (n > MOST) {
        ctl_append(&names, " ", "and %d more", n - MOST);
    }
    return names;
}

static void
print_packet(const struct cJSON *packet, const struct cJSON *rewritings)
{
    const struct cJSON *out;
    int i = 0;

    printf("%6.3f s in   ", ctl_get_number(packet, "at_s"));
    print_headers(get(packet, "in"));
    cJSON_ArrayForEach (out, get(packet, "out")) {
        char *ports = name_ports(cJSON_GetArrayItem(rewritings, i++));
        printf("         out  %s: ", ports);
        if (cJSON_IsObject(out)) {
            print_headers(out);
        } else {
            printf("the switch showed nothing\n");
        }
        free(ports);
    }
}

void
ctl_print_live(const struct cJSON *live)
{
    const struct cJSON *packet;

    if (!live) {
        return;
    }
    printf("\nlive: %s\n", ctl_get_text(live, "text"));
    cJSON_ArrayForEach (packet, get(live, "packets")) {
        print_packet(packet, get(live, "rewritings"));
    }
    if (ctl_get_number(live, "left_out") > 0) {
        printf("         %.0f more copies are not shown: other switches' or "
               "more than 8 kinds\n",
               ctl_get_number(live, "left_out"));
    }
}
