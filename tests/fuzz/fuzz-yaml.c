/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A configuration file.  What is accepted must keep what the rest of the
 * program takes for granted; what is refused must say where and why. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
check_family(const struct igmp_config *igmp)
{
    check(igmp->version >= 1 && igmp->version <= 3);
    check(igmp->query_interval > igmp->query_response_interval);
    check(igmp->query_response_interval > 0);
    check(igmp->last_member_interval > 0 && igmp->last_member_count > 0);
    check(igmp->robustness >= 1 && igmp->robustness <= 7);
    check(igmp_config_membership_interval(igmp) > igmp->query_interval);
    check(igmp->max_groups <= IGMP_MAX_GROUPS);
    check(igmp->upstream <= IGMP_UPSTREAM_NONE);
}

static void
check_vlan(const struct config_vlan *vlan)
{
    check(vlan->vlan <= 4094);
    check_family(&vlan->igmp[IGMP_IPV4]);
    check_family(&vlan->igmp[IGMP_IPV6]);
    check(vlan->igmp[IGMP_IPV6].version >= 2);
    check(vlan->igmp[IGMP_IPV6].family == IGMP_IPV6);
}

static void
check_prefixes(const struct ip_prefix *prefixes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(ip_addr_is_multicast(&prefixes[i].addr));
    }
}

static void
check_port_l2(const struct config *config, uint64_t dpid,
              const struct topo_port *port)
{
    struct config_port_l2 l2 = config_get_port_l2(config, dpid, port);

    check(l2.access_vlan <= 4094);
    check(!l2.access_vlan || !l2.n_trunk_vlans);
    for (size_t i = 0; i < l2.n_trunk_vlans; i++) {
        check(l2.trunk_vlans[i] <= 4094);
        check(!i || l2.trunk_vlans[i - 1] < l2.trunk_vlans[i]);
    }
    check((!l2.access_vlan && !l2.n_trunk_vlans)
          || (config->has_vlan_rules && config->l2 == CONFIG_L2_FABRIC));
}

static void
check_port(const struct config *config, uint64_t dpid, const char *name,
           uint16_t vlan)
{
    struct topo_port port = {.no = (uint32_t) strtoul(name, NULL, 10)};

    memcpy(port.name, name, strlen(name) + 1);
    struct config_port_settings p = config_get_port(config, dpid, &port, vlan);
    check(p.igmp.role <= IGMP_ROLE_ROUTER);
    check(p.igmp.leave <= IGMP_LEAVE_IMMEDIATE);
    check(p.igmp.delivery <= IGMP_DELIVER_AUTO);
    check(p.igmp.unicast_max > 0 && p.max_reports >= 0);
    check_prefixes(p.igmp.permit, p.igmp.n_permit);
    check_prefixes(p.igmp.deny, p.igmp.n_deny);
    check_port_l2(config, dpid, &port);
}

static void
check_member(const struct member *m)
{
    check(*m->name && *m->port && m->dpid && m->vlan <= 4094);
    check(m->router == !ip_addr_is_multicast(&m->group));
    check(m->router || m->exclude || m->n_sources);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[CONFIG_ERROR_SIZE];
    struct config *config =
        config_parse("f.yaml", (const char *) data, size, error);

    if (!config) {
        check(!strncmp(error, "f.yaml:", 7));
        check(strlen(error) > 10 && strlen(error) < sizeof error);
        return 0;
    }
    check(!*error && *config->state_dir && config->probe_interval > 0);
    check(*config->openflow.host && *config->api.host);
    check_vlan(&config->vlan_default);
    for (size_t i = 0; i < config->n_vlans; i++) {
        check_vlan(&config->vlans[i]);
        check(!i || config->vlans[i - 1].vlan < config->vlans[i].vlan);
        check(config_get_vlan(config, config->vlans[i].vlan)
              == &config->vlans[i]);
    }
    for (size_t i = 0; i < config->n_ports; i++) {
        check_port(config, config->ports[i].dpid, config->ports[i].port,
                   (uint16_t) i % 4095);
    }
    for (size_t i = 0; i < config->n_members; i++) {
        check_member(&config->members[i]);
    }
    config_destroy(config);
    return 0;
}
