/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A route's target that is the other end of a tunnel, as JSON. */

#include "controller/route-read.h"

#include <cjson/cJSON.h>

enum { MAX_VNI = 0xffffff };

void
route_read_vtep(const struct json_at *at, struct route_target *target)
{
    static const char *const members[] = {"vtep", "vni", "dpid",
                                          "port", "set", NULL};
    struct ip_addr address;
    int64_t vni;

    target->kind = ROUTE_TO_VTEP;
    json_only(at, members);
    if (route_read_address(at, "vtep", &address)
        && !ip_addr_to_vtep(&address, &target->vtep)) {
        json_fail(at->error, at->pointer, "vtep",
                  "\"vtep\" must be the IPv4 address of a host");
    }
    if (json_get_int(at, "vni", 1, MAX_VNI, &vni)) {
        target->vni = (uint32_t) vni;
    }
    target->has_dpid = json_get_dpid(at, "dpid", &target->dpid);
    json_get_port(at, "port", target->port);
}

void
route_write_vtep(struct cJSON *object, const struct route_target *target)
{
    struct ip_addr vtep = ip_addr_v4(target->vtep);
    char address[IP_ADDR_STRLEN], dpid[DPID_STRLEN];

    cJSON_AddStringToObject(object, "vtep", ip_addr_format(&vtep, address));
    if (target->vni) {
        cJSON_AddNumberToObject(object, "vni", target->vni);
    }
    if (target->has_dpid) {
        cJSON_AddStringToObject(object, "dpid",
                                dpid_format(target->dpid, dpid));
    }
    if (*target->port) {
        cJSON_AddStringToObject(object, "port", target->port);
    }
}
